"""Tells literals that look like secrets from those that do not, without ever showing one."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

FORMATS: Final = {
    "an AWS access key": r"(?<![A-Z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Z0-9])",
    "a private key": r"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY(?: BLOCK)?-----",
    "a GitHub token": r"(?<!\w)(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_\w{50,})",
    "a GitLab token": r"(?<!\w)gl(?:pat|dt|rt|ft|ptt|cbt|soat|agent)-[\w.-]{20,}",
    "a Slack token": r"(?<!\w)xox[abeoprs]-[\w-]{10,}|https://hooks\.slack\.com/services/\w+/\w+/\w+",
    "a JSON web token": r"(?<![\w-])eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "a Google API key": r"(?<!\w)AIza[\w-]{35}(?![\w-])",
    "a Google OAuth secret": r"(?<!\w)GOCSPX-[\w-]{28}",
    "an Azure storage key": r"AccountKey=[A-Za-z0-9+/]{86}==",
    "a Stripe key": r"(?<!\w)[rs]k_live_[A-Za-z0-9]{20,}",
    "an npm token": r"(?<!\w)npm_[A-Za-z0-9]{36}",
    "a PyPI token": r"(?<!\w)pypi-AgEIcHlwaS5vcmc[\w-]{40,}",
    "a SendGrid key": r"(?<!\w)SG\.[\w-]{22}\.[\w-]{43}",
    "a HashiCorp token": r"(?<!\w)(?:hv[sb]\.[\w-]{24,}|[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,})",
    "an OpenAI or Anthropic key": r"(?<!\w)sk-(?:ant-|proj-|svcacct-)[\w-]{20,}",
    "a password in a URL": r"\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@$]{1,80}:[^\s/@$<>{}*]{3,200}@",
}
"""Formats that issuers document: name with article → pattern."""

_FORMATS = {name: re.compile(pattern) for name, pattern in FORMATS.items()}
_LONGEST = 100_000
"""Characters looked at; a private key stands at the beginning of what holds it."""
_RUN = re.compile(r"[A-Za-z0-9+/_=-]{24,200}")
_PLAIN = re.compile(
    r"[a-z]+(?:[-_/][a-z0-9]+)*|[A-Z]+(?:_[A-Z0-9]+)*|[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[0-9-]+"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
_HEX = re.compile(r"[0-9a-fA-F]+")
_NAMES = re.compile(
    r"pass(?:word|wd|phrase)?$|secret|(?:^|_)token$|api_?key|private_key|access_key|credential"
    r"|auth_?key|connection_string|client_secret|encryption_key",
    re.IGNORECASE,
)
_HARMLESS = re.compile(
    r"_(?:arn|id|ids|name|names|version|path|file|type|length|enabled|policy|rotation|ttl|url|uri"
    r"|lifetime|expiration|expiry|required|min|max|prefix|suffix)$",
    re.IGNORECASE,
)


def looks_secret(value: object) -> str | None:
    """Say what kind of secret a literal looks like; ``None`` where it looks like none.

    The answer names the kind (``a GitHub token``, ``a random string``), never the value or a part
    of it. Documented formats first, then randomness: a run of at least 24 characters without white
    space, from a large alphabet, that is neither words nor a UUID nor a digest in plain sight.
    """
    if not isinstance(value, str) or len(value) < 12:
        return None
    text = value[:_LONGEST]
    for name, pattern in _FORMATS.items():
        if pattern.search(text):
            return name
    if len(text) <= 200 and any(_is_random(run) for run in _RUN.findall(text)):
        return "a random string"
    return None


def is_secret_name(name: str) -> bool:
    """Say whether an argument of this name holds a secret, going by the name alone.

    ``password``, ``client_secret``, ``api_key``; not ``secret_arn`` or ``password_length``.
    """
    return bool(_NAMES.search(name)) and not _HARMLESS.search(name)


def _is_random(run: str) -> bool:
    if _PLAIN.fullmatch(run):
        return False
    if _HEX.fullmatch(run):
        return len(run) not in (40, 64, 128) and len(run) >= 32 and _entropy(run) > 3.0
    classes = sum(bool(re.search(kind, run)) for kind in ("[a-z]", "[A-Z]", "[0-9]"))
    return classes == 3 and _entropy(run) > 4.2


def _entropy(text: str) -> float:
    """Give the bits a character, by the frequencies in the text itself."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
