"""What literals mean: escapes of quoted strings, indentation of heredocs, numbers."""

from __future__ import annotations

import math
import re

from tfgate.hcl.lexical import HEREDOC, STRING, ScanError, skip_brackets

_SIMPLE = re.compile(STRING)
_ESCAPE = re.compile(
    r"\\(?:([nrt\"\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|([$%])[$%](?=\{)", re.DOTALL
)
_SEQUENCE = re.compile(r"(?:[$%]{2}\{)|([$%]\{)")
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_INDENT = re.compile(r"[^\S\n]*")

_EXACT = 2**63
"""Beyond, a number is a float: JSON has no agreement on longer integers."""


def quoted_text(written: str) -> str | None:
    """Give what a quoted string means; ``None`` where it is a template.

    Raises ValueError for an escape that HCL does not have.
    """
    if not _SIMPLE.fullmatch(written):
        return None
    inner = written[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner or "{" in inner else inner


def heredoc_text(written: str) -> str | None:
    """Give what a heredoc means, from ``<<`` to its end marker; ``None`` where it is a template."""
    opening = HEREDOC.match(written)
    if opening is None:
        return None
    body = written[opening.end() : written.rfind("\n") + 1]
    if any(found.group(1) for found in _SEQUENCE.finditer(body)):
        return None
    if written.startswith("<<-"):
        body = _dedent(body)
    return re.sub(r"([$%])\1(?=\{)", r"\1", body)


def sole_expression(written: str) -> str | None:
    """Give what stands in ``"${ … }"`` where that is all of a quoted template."""
    if not written.startswith('"${'):
        return None
    try:
        end = skip_brackets(written, 2)
    except ScanError:
        return None
    return written[3 : end - 1].strip("~").strip() if end == len(written) - 1 else None


def number(written: str) -> int | float | None:
    """Give a number; ``None`` for one that no JSON number stands for."""
    digits = "".join(written.split())
    if len(digits) > 400:
        return None
    try:
        whole = int(digits)
    except ValueError:
        value = float(digits)
        return value if math.isfinite(value) else None
    return whole if -_EXACT <= whole < _EXACT else float(whole)


def _unescape(found: re.Match[str]) -> str:
    sign, short, long, unknown, doubled = found.groups()
    if doubled:
        return str(doubled)
    if sign:
        return _SIGNS[sign]
    if unknown:
        raise ValueError("a string has an escape that HCL does not have")
    code = int(short or long, 16)
    return "\ufffd" if code > 0x10FFFF or 0xD800 <= code < 0xE000 else chr(code)


def _dedent(body: str) -> str:
    """Take the indentation that all lines share off each; lines of white space alone stay."""
    lines = re.findall(r"[^\n]*\n", body)
    written = [line for line in lines if line.strip()]
    shared = min((_indent(line) for line in written), default=0)
    return "".join(line[shared:] if line.strip() else line for line in lines)


def _indent(line: str) -> int:
    found = _INDENT.match(line)
    return 0 if found is None else found.end()
