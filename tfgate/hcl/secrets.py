"""Literals that are, or look like, secrets: where they stand, never what they say."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Final

from tfgate.model.text import late
from tfgate.query.values import SENSITIVE

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

_FORMATS = {name: late(pattern) for name, pattern in FORMATS.items()}
_LONGEST = 100_000
"""Characters looked at; a private key stands at the beginning of what holds it."""
_RUN = late(r"[A-Za-z0-9+/_=-]{24,200}")
_PLAIN = late(
    r"[a-z]+(?:[-_/][a-z0-9]+)*|[A-Z]+(?:_[A-Z0-9]+)*|[A-Z]?[a-z]+(?:[A-Z][a-z]+)*|[0-9-]+"
    r"|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
)
_HEX = late(r"[0-9a-fA-F]+")
_NAMES = late(
    r"pass(?:word|wd|phrase)?$|secret|(?:^|_)token$|api_?key|private_key|access_key|credential"
    r"|auth_?key|connection_string|client_secret|encryption_key",
    re.IGNORECASE,
)
_HARMLESS = late(
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
    """Return the bits a character, by the frequencies in the text itself."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


_NAMED_BY_BLOCK: Final = {"variable": "default", "output": "value"}
"""Kinds whose own name says what an argument is, which ``sensitive`` marks as a secret."""
_BY_NAME: Final = "a secret, by its name"
_RANDOM: Final = "a random string"
_REFERENCE: Final = re.compile(r"arn:|projects/[^/]+/secrets/|https://[\w.-]+\.vault\.azure\.net/")
"""What stands under the name of a secret and says where it is kept."""
_NOT_SECRET: Final = re.compile(
    r"hash|sha\d*|md5|checksum|digest|fingerprint|thumbprint|etag|public_key|certificate|_pem$"
    r"|_ids?(?:_list)?$|^ids?$|arn|version|source$",
    re.IGNORECASE,
)
"""Names of arguments that are random strings and no secret."""
_PUBLIC: Final = re.compile(r"(?:ssh|ecdsa|sk)-|-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC)")
_BARE_NAME: Final = re.compile(r"[A-Za-z_][\w-]*")


def secret_literals(kind: str, name: str, body: dict[str, Any]) -> list[dict[str, str]]:
    """List ``{"path": …, "looks_like": …}`` of each literal that is, or looks like, a secret.

    ``kind`` and ``name`` are the block's, ``body`` is what is known of it. A path such as
    ``environment[0].variables.TOKEN`` leads to the literal in the body.
    """
    named = _NAMED_BY_BLOCK.get(kind)
    found = []
    for argument, value in body.items():
        called = name if argument == named else argument
        walked = _walk(_step(argument), called, value)
        found += [{"path": path, "looks_like": looks} for path, looks in walked]
    return found


def _walk(path: str, name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        kind = _kind(name, value)
        if kind is not None:
            yield path, kind
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _walk(f"{path}[{number}]", name, one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _walk(path + _step(key, below=True), key, one)


def _kind(name: str, value: str) -> str | None:
    if not value.strip() or _REFERENCE.match(value) or _PUBLIC.match(value):
        return None
    kind = looks_secret(value)
    if kind == _RANDOM and _NOT_SECRET.search(name):
        kind = None
    return kind or (_BY_NAME if is_secret_name(name) else None)


def _step(name: str, *, below: bool = False) -> str:
    if _BARE_NAME.fullmatch(name):
        return f".{name}" if below else name
    if looks_secret(name):
        return "[…]"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


def redacted_body(kind: str, body: dict[str, Any]) -> dict[str, Any]:
    """Return ``body`` with ``SENSITIVE`` in the place of secrets.

    Secrets are strings under a name that says so, strings that look so, and what a variable or
    output with ``sensitive`` set (to anything but ``false``) holds.
    """
    shown = {name: _redacted(name, value) for name, value in body.items()}
    marked = _NAMED_BY_BLOCK.get(kind)
    if marked in body and body.get("sensitive", False) is not False:
        shown[marked] = SENSITIVE
    return shown


def _redacted(name: str, value: Any, *, hidden: bool = False) -> Any:
    hidden = hidden or is_secret_name(name)
    if isinstance(value, str):
        return SENSITIVE if value and (hidden or looks_secret(value)) else value
    if isinstance(value, list):
        return [_redacted(name, one, hidden=hidden) for one in value]
    if isinstance(value, dict):
        return {key: _redacted(key, one, hidden=hidden) for key, one in value.items()}
    return value
