"""Text that a plan, a configuration or a ruleset supplied, made harmless for where it is shown.

Every function takes any string at all. What is not printable is written as a visible escape
(``\n``, ``\x1b``, ``\u202e``): an honest reader sees that something was there, and no terminal,
browser or CI system acts on it. One line stays one line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Literal

import msgspec

from tfgate.model.text import is_printable, late

_NAMED = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}


def visible(text: str) -> str:
    """Write every character that is not printable (controls, bidi and zero-width marks, lone
    surrogates, line separators, spaces other than the plain one) as an escape."""
    if (text.isascii() and text.isprintable()) or is_printable(text):  # nearly everything, in C
        return text
    return "".join(char if is_printable(char) else _escape(char) for char in text)


def _escape(char: str) -> str:
    if char in _NAMED:
        return _NAMED[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def paragraphs(text: str) -> list[str]:
    """Split the prose of a rule at blank lines and before list marks, each part made visible.

    For fields that rule authors write over several lines (remediation, description), whose other
    line ends are only where their editor wrapped; what comes out of a plan goes through
    ``visible``, where a line end cannot start a new line.
    """
    return [*_paragraphs(text)]


@lru_cache(maxsize=256)
def _paragraphs(text: str) -> tuple[str, ...]:
    """Do it once for the findings of a rule, which have one remediation."""
    parts = re.split(r"(?:\r\n|\r|\n)(?=\s*(?:[-*]|\d+\.)\s|\s*(?:\r|\n))", text)
    lines = (" ".join(re.split(r"[ \t\r\n]+", part.strip(" \t\r\n"))) for part in parts)
    return tuple(visible(line) for line in lines if line)


def one_line(text: str) -> str:
    """Write the prose of a rule on one line."""
    return " ".join(_paragraphs(text))


def clip(text: str, length: int) -> str:
    """Make ``text`` visible, cut it to ``length`` characters, and say how long it was."""
    shown = visible(text[: length + 1])  # not the whole of a text that may be megabytes
    if len(shown) <= length:
        return shown
    return f"{shown[:length]}… ({len(text):,} characters in all)"


_LOG_COMMANDS = late(r"##(?=\[|vso\[|teamcity\[)", re.IGNORECASE)
_COMMAND_LINE = late(r"^(\s*):(?=:[A-Za-z])")


def console(text: str) -> str:
    r"""Make ``text`` safe in a line of a terminal or a CI log.

    GitHub's runner acts on ``##[`` and Azure's agent on ``##vso[`` wherever in a line they stand,
    TeamCity on ``##teamcity[``; GitLab's ``section_start`` needs the escape character that
    ``visible`` has written out.
    """
    text = visible(text)
    return log_commands(text, r"\x23") if "##" in text else text


def log_commands(text: str, mark: str) -> str:
    """Write the second ``#`` of every command in a text as ``mark``."""
    return _LOG_COMMANDS.sub(lambda found: f"#{mark}", text)


def log_line(line: str) -> str:
    r"""Break the ``::command`` that a finished line would begin with.

    GitHub's runner skips leading blanks and acts on ``::name …::`` at the start of a line, and
    wrapping can bring any part of a text there. ``::/0`` and ``::1`` are addresses, and stay.
    """
    return _COMMAND_LINE.sub(r"\1\\x3a", line)


def html_text(text: str) -> str:
    """Make ``text`` safe as HTML text and inside a quoted attribute.

    As ``html.escape`` does it, whose module brings 2,000 entities along; and backticks as well.
    """
    text = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return text.replace('"', "&quot;").replace("'", "&#x27;").replace("`", "&#x60;")


_LINKABLE = late(
    r"https://[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d{1,5})?(/[A-Za-z0-9._~/?=&%+,:;#-]*)?"
)


def link(text: str) -> str | None:
    """Return ``text`` where it is a plain ``https`` address that may be a link, else ``None``."""
    return text if _LINKABLE.fullmatch(text) else None


def markdown_code(text: str) -> str:
    """Write ``text`` as a code span: no mention, reference, link, emphasis or HTML starts in one.

    CommonMark 0.31, section 6.1: the fence is longer than any run of backticks inside, and one
    blank on either side is stripped again.
    """
    text = visible(text)
    if not text.strip(" "):
        return "`(empty)`"
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{pad}{text}{pad}{fence}"


_ACTIVE = late(
    r"""@ | :// | www\. | [#!$%&~^]["\w] | \bGH-\d | :[\w+-]+: | \b[0-9a-f]{7,40}\b""",
    re.IGNORECASE | re.VERBOSE,
)
"""What forges turn into mentions, references, links, emoji or mathematics after rendering, so that
no escape helps: issues and merge requests, milestones, labels, snippets, commits, addresses."""
_PUNCTUATION = late(r"[\\`*_\[\]<>{}|~#&$^!]")
_LINE_START = late(r"^(\s*\d*)([-+=.)])")


def markdown_prose(text: str) -> str:
    """Write ``text`` as Markdown that shows exactly these characters.

    As plain words where escapes are enough, as a code span where a forge would still act on it.
    """
    text = visible(text).strip(" ")
    if _ACTIVE.search(text) or not text:
        return markdown_code(text)
    return _LINE_START.sub(_escape_start, _PUNCTUATION.sub(r"\\\g<0>", text))


def _escape_start(found: re.Match[str]) -> str:
    """Escape the mark itself, or what follows the number of a list entry."""
    return f"{found[1]}\\{found[2]}"


def workflow_data(text: str) -> str:
    """Escape the message of a GitHub workflow command (actions/toolkit, ``escapeData``)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def workflow_property(text: str) -> str:
    """Escape a property of a GitHub workflow command (actions/toolkit, ``escapeProperty``)."""
    return workflow_data(text).replace(":", "%3A").replace(",", "%2C")


def fenced(text: str) -> str:
    """Make ``text`` safe inside a fenced block of Markdown that somebody else opens and closes."""
    return visible(text).replace("```", r"\x60\x60\x60").replace("~~~", r"\x7e\x7e\x7e")


def sarif_text(text: str) -> str:
    """Make ``text`` literal in a SARIF message.

    SARIF 2.1.0, 3.11.5 and 3.11.6: ``{0}`` is a placeholder unless doubled, and ``[text](target)``
    is a link even in plain text.
    """
    text = without_links(text)
    return re.sub(r"\{(\d+)\}", r"{{\1}}", text) if "{" in text else text


def without_links(text: str) -> str:
    """Make ``text`` plain in a description of SARIF, which has links but no placeholders."""
    return visible(text).replace("](", r"]\x28")


_BEYOND_ASCII = late(r"[^ -~\n]+")
_PLAIN = b"\n" + bytes(range(0x20, 0x7F))


def dumps(value: object, order: Literal["sorted"] | None = None) -> str:
    """Return ``value`` (structs and plain values) as JSON, indented by two, ending in a newline.

    What is legal in JSON and could mislead a terminal (C1 controls, bidi marks) is written as the
    escape of the same character: every reader decodes it to the very same string.
    """
    try:
        encoded = msgspec.json.encode(value, order=order)
    except UnicodeEncodeError:  # a lone surrogate, out of a file name that is not UTF-8
        encoded = msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)), order=order)
    formatted = msgspec.json.format(encoded, indent=2)
    text = formatted.decode() + "\n"
    # Of megabytes nearly all is ASCII, which goes fast; what is left over is looked at by itself.
    if is_printable(formatted.translate(None, _PLAIN).decode()):
        return text
    return _BEYOND_ASCII.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    if is_printable(found[0]):
        return found[0]
    units = found[0].encode("utf-16-be")  # JSON escapes are UTF-16 units
    return "".join(
        f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)
    )


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value
