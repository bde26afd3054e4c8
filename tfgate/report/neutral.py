r"""Text that a plan, a configuration or a ruleset supplied, made harmless for where it is shown.

Every function takes any string at all. What is not printable is written as a visible escape
(``\n``, ``\x1b``, ``\u202e``): an honest reader sees that something was there, and no terminal,
browser or CI system acts on it. One line stays one line.
"""

from __future__ import annotations

import re

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    """Write every character that is not printable (controls, bidi and zero-width marks, lone
    surrogates, line separators, spaces other than the plain one) as an escape."""
    if text.isprintable():  # in C, and true for nearly everything
        return text
    return "".join(char if char.isprintable() else _escape(char) for char in text)


def _escape(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def paragraphs(text: str) -> list[str]:
    """Split the prose of a rule at its line ends, each part made visible; blank parts dropped.

    For fields that rule authors write over several lines (remediation, description); what comes
    out of a plan goes through ``visible``, where a line end cannot start a new line.
    """
    return [visible(part.strip()) for part in re.split(r"\r\n|\r|\n", text) if part.strip()]


def clip(text: str, length: int) -> str:
    """Cut ``text`` to about ``length`` characters and say how many are missing."""
    if len(text) <= length:
        return text
    return f"{text[:length]}… ({len(text) - length} more characters)"


_LOG_COMMANDS = re.compile(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)
_COMMAND_LINE = re.compile(r"^(\s*):(?=:[A-Za-z])")


def console(text: str) -> str:
    r"""Make ``text`` safe in a line of a terminal or a CI log.

    GitHub's runner acts on ``##[`` and Azure's agent on ``##vso[`` wherever in a line they stand,
    TeamCity on ``##teamcity[``; GitLab's ``section_start`` needs the escape character that
    ``visible`` has written out.
    """
    return _LOG_COMMANDS.sub(r"#\\x23", visible(text))


def log_line(line: str) -> str:
    r"""Break the ``::command`` that a finished line would begin with.

    GitHub's runner skips leading blanks and acts on ``::name …::`` at the start of a line, and
    wrapping can bring any part of a text there. ``::/0`` and ``::1`` are addresses, and stay.
    """
    return _COMMAND_LINE.sub(r"\1\\x3a", line)
