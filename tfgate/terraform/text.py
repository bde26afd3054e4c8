"""Clean strings that came from the environment, a file or another program."""

from __future__ import annotations

import re
from typing import NamedTuple
from urllib.parse import urlsplit, urlunsplit

from tfgate.errors import TerraformError
from tfgate.model.text import clean, late


def public_url(value: object) -> str:
    """Return a URL without user, password, query and fragment: any of them may be a secret.

    What is not a URL (a path, a host, git's ``user@host:path``) comes back without anything that
    stands before an ``@`` and holds a colon (``user:token@host``).
    """
    text = clean(value, 1024)
    if "://" not in text:
        before, at, after = text.rpartition("@")
        return clean(after if at and ":" in before else text)
    try:
        parts = urlsplit(text)
        host = parts.netloc.rpartition("@")[2]
        return clean(urlunsplit((parts.scheme, host, parts.path, "", "")))
    except ValueError:
        return ""


_ANSI = late(r"\x1b\[[0-9;]*m")
_FRAME = late(r"^[\s│╷╵|]+", re.MULTILINE)
_SUMMARY = late(r"Error: ([^\n]+)")


class _Cause(NamedTuple):
    pattern: re.Pattern[str]
    sentence: str
    """May use ``{tool}`` and the pattern's own groups, which must not match plan values."""
    hint: str


def _cause(pattern: str, sentence: str, hint: str) -> _Cause:
    return _Cause(late(pattern, re.IGNORECASE), sentence, hint)


# Texts of Terraform 1.0 to 1.15 and OpenTofu 1.6 to 1.11; their line breaks are undone before.
_CAUSES = (
    _cause(
        r"plan file was created by (?:Terraform|OpenTofu) v?(?P<made>[0-9][\w.+-]*), but this is "
        r"v?(?P<here>[0-9][\w.+-]*)",
        "The plan file was made by version {made}, and this {tool} is {here}.",
        "Use the version that made the plan, by PATH or TFGATE_TERRAFORM, or plan again.",
    ),
    _cause(
        r"unsupported plan file format|plan file has unsupported|newer version of the plan file",
        "The plan file has a format that this {tool} does not know.",
        "Use the version that made the plan, by PATH or TFGATE_TERRAFORM, or plan again.",
    ),
    _cause(
        r"plan file is encrypted|requires a valid encryption configuration|decryption failed",
        "The plan file is encrypted, and {tool} has no key that opens it.",
        "Give OpenTofu the encryption settings the plan was made with (TF_ENCRYPTION).",
    ),
    _cause(
        r"failed to load plugin schemas|failed to obtain provider schema|required plugins are not "
        r"installed|inconsistent dependency lock file|could not load the schema for provider|"
        r"there is no package for .{1,200} cached|missing required provider",
        "{tool} needs providers that are not installed in the configuration's directory.",
        "Run `{tool} init` there, or pass the directory where the plan was made.",
    ),
    _cause(
        r"backend initialization required|initialization required|please run \"?\w+ init",
        "The configuration's directory is not initialised.",
        "Run `{tool} init` there, or pass the directory where the plan was made.",
    ),
    _cause(
        r"error acquiring the state lock|state lock|state is already locked",
        "The state is locked by another run.",
        "Wait until that run has ended, then try again.",
    ),
    _cause(
        r"invalid CLI configuration|problems with the CLI configuration.{0,400}as a result",
        "{tool}'s own configuration file is wrong.",
        "See what `{tool} version` says about it.",
    ),
    _cause(
        r"failed to read the given file as a state or plan file|not a valid zip file|"
        r"couldn't load the provided path|Plan read error",
        "The file is not a plan file that {tool} can read.",
        "Make one with `{tool} plan -out=FILE`, and hand that over whole.",
    ),
    _cause(
        r"unauthorized|required token could not be found|invalid credentials|forbidden",
        "{tool} was not let in where the plan is kept.",
        "Run `{tool} login`, or set the host's TF_TOKEN_… variable.",
    ),
)


def explain_failure(tool: str, what: str, code: int, stderr: str) -> TerraformError:
    """Return the error for a helper command that ended with ``code``.

    ``what`` is the command as a person would type it. A cause that is known gets its sentence;
    any other one Terraform's own headline (``Error: …``), which Terraform writes without values.
    The lines below it may hold values of the plan and are dropped.
    """
    plain = _FRAME.sub("", _ANSI.sub("", stderr))
    flat = " ".join(plain.split())
    for cause in _CAUSES:
        if found := cause.pattern.search(flat):
            groups = {name: clean(text, 40) for name, text in found.groupdict().items()}
            return TerraformError(
                cause.sentence.format(tool=tool, **groups), hint=cause.hint.format(tool=tool)
            )
    ended = f"was ended by signal {-code}" if code < 0 else f"failed with exit code {code}"
    summary = _SUMMARY.search(plain)
    headline = f": {clean(summary[1], 160).rstrip('.')}" if summary else ""
    return TerraformError(
        f"`{what}` {ended}{headline}.", hint=f"Run `{what}` to see its whole output."
    )
