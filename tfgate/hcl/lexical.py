"""The lexical structure of HCL's native syntax: where comments, strings and heredocs end.

What HCL's own scanner does (``hclsyntax/scan_tokens.rl``), as far as it decides where things begin
and end: comments (``#``, ``//``, ``/* */``), quoted templates with escapes and ``${ }``/``%{ }``
sequences in them, heredocs, and brackets. What stands between is passed over by one regular
expression, so that the work in Python goes with the number of brackets and odd strings only.

No function here recurses: nesting is the author's to choose, the stack is ours.
"""

from __future__ import annotations

import re
from functools import lru_cache

IDENTIFIER = r"[^\W\d][\w-]*"
"""HCL identifiers: a letter or ``_``, then letters, digits, ``_`` and ``-``."""

STRING = (
    r'"[^"\\$%\n]*'
    r"(?:(?:\\[^\n]|\$\$\{|%%\{|\$(?!\{)|%(?!\{))"
    r'[^"\\$%\n]*)*"'
)
"""A quoted template without template sequences in it. Its parts exclude each other by their first
character, so that a failure costs one walk back and no more."""

BLOCK_COMMENT = r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/"
_LINE_COMMENT = r"#[^\n]*|//[^\n]*"
_LONE = r"/(?![/*])|<(?!<)"
"""A character that begins something else when it is followed by its like."""

COMMENT = re.compile(rf"{_LINE_COMMENT}|{BLOCK_COMMENT}")
HEREDOC = re.compile(rf"<<-?({IDENTIFIER})\r?\n")

IN_BRACES = re.compile(rf'(?:[^"#/<{{}}]+|{STRING}|{_LINE_COMMENT}|{BLOCK_COMMENT}|{_LONE})*')
"""Passes over all up to the next brace, heredoc or string with template sequences."""

IN_BRACES_TO_COMMENT = re.compile(rf'(?:[^"#/<{{}}]+|{STRING}|{_LONE})*')
"""As ``IN_BRACES``, and stops at comments too."""

IN_BRACKETS = re.compile(
    rf'(?:[^"#/<{{}}()\[\]]+|{STRING}|{_LINE_COMMENT}|{BLOCK_COMMENT}|{_LONE})*'
)
"""As ``IN_BRACES``, and stops at every kind of bracket."""

ON_LINE = re.compile(rf'(?:[^"#/<{{}}()\[\]\n]+|{STRING}|{BLOCK_COMMENT}|{_LONE})*')
"""As ``IN_BRACKETS``, within a logical line: stops at its end and at a line comment."""

ELEMENT = re.compile(rf'(?:[^"#/<{{}}()\[\],\n]+|{STRING}|{BLOCK_COMMENT}|{_LONE})*')
"""As ``ON_LINE``, and stops at the comma behind an element of an object or tuple."""

BLANK = re.compile(rf"(?:\s+|{_LINE_COMMENT}|{BLOCK_COMMENT})*")
"""White space, line ends and comments."""

_QUOTED = re.compile(r"[^\"\\$%\n]*(?:(?:\\[^\n]|\$\$\{|%%\{|\$(?!\{)|%(?!\{))[^\"\\$%\n]*)*")
_HEREDOC_LINE = re.compile(r"[^$%\n]*(?:(?:\$\$\{|%%\{|\$(?!\{)|%(?!\{))[^$%\n]*)*")

_CLOSES = {"{": "}", "[": "]", "(": ")"}


class ScanError(Exception):
    """The text is not HCL at ``offset``; ``message`` says what is wrong there."""

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


def skip_special(text: str, position: int) -> int:
    """Return the offset behind the string, heredoc, comment or stray ``<<`` at ``position``.

    To be called where one of the patterns above stopped at a character that is no bracket.
    """
    character = text[position]
    if character == '"':
        return _end_of_template(text, position + 1, None)
    if character == "<":
        opening = HEREDOC.match(text, position)
        return position + 2 if opening is None else skip_heredoc(text, opening)
    comment = COMMENT.match(text, position)
    if comment is None:
        raise ScanError("a comment is opened here and never closed", position)
    return comment.end()


def skip_heredoc(text: str, opening: re.Match[str]) -> int:
    """Return the offset of the end of the line with the heredoc's end marker."""
    marker = opening.group(1)
    closing = _marker_line(marker).search(text, opening.end())
    if closing is None:
        raise ScanError(f"heredoc {marker} is opened here and never closed", opening.start())
    for sequence in ("${", "%{"):
        if text.find(sequence, opening.end(), closing.start()) >= 0:
            return _end_of_template(text, opening.end(), marker)
    return closing.end()


def skip_brackets(text: str, position: int) -> int:
    """Return the offset behind the bracket that closes the one at ``position``."""
    expected = [_CLOSES[text[position]]]
    opened = position
    position += 1
    while expected:
        position = _match_end(IN_BRACKETS, text, position)
        if position >= len(text):
            raise ScanError(f"a {text[opened]} is opened here and never closed", opened)
        character = text[position]
        if character in _CLOSES:
            expected.append(_CLOSES[character])
            position += 1
        elif character in ")]}":
            if character != expected.pop():
                raise ScanError(f"a {character} closes what it did not open", position)
            position += 1
        else:
            position = skip_special(text, position)
    return position


def sole_expression(written: str) -> str | None:
    """Return what stands in ``"${ … }"`` where that is all of a quoted template."""
    if not written.startswith('"${'):
        return None
    try:
        end = skip_brackets(written, 2)
    except ScanError:
        return None
    return written[3 : end - 1].strip("~").strip() if end == len(written) - 1 else None


def skip_expression(text: str, position: int) -> int:
    """Return the offset where the expression of an attribute ends: at the end of its logical line,
    at a comment that ends the line, or at the brace of a one-line block."""
    position = skip_to(text, position, ON_LINE, "\n#}")
    if position < len(text) and text[position] in ")]":
        raise ScanError(f"a {text[position]} closes what nothing opened", position)
    return position


def skip_to(text: str, position: int, passing: re.Pattern[str], stops: str) -> int:
    """Pass over whole brackets, strings and heredocs up to one of ``stops``, or a closing bracket.

    A line comment stops it too where ``#`` is among ``stops``.
    """
    while True:
        position = _match_end(passing, text, position)
        if position >= len(text) or text[position] in stops or text[position] in ")]}":
            return position
        if text[position] in _CLOSES:
            position = skip_brackets(text, position)
        elif "#" in stops and text.startswith("//", position):
            return position
        elif text[position] == "\n":
            position += 1
        else:
            position = skip_special(text, position)


def _match_end(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return position if found is None else found.end()


@lru_cache(maxsize=256)
def _marker_line(marker: str) -> re.Pattern[str]:
    return re.compile(rf"^[ \t\r\f\v]*{re.escape(marker)}[ \t\r\f\v]*$", re.MULTILINE)


def _end_of_template(text: str, position: int, marker: str | None) -> int:
    """Walk a quoted template (``marker`` is None) or a heredoc to its end, however deep it nests.

    The stack holds what is open: ``""`` a quoted template, ``"{"`` a brace or sequence, else the
    end marker of a heredoc.
    """
    start = position
    stack = ['""' if marker is None else marker]
    while stack:
        top = stack[-1]
        if position >= len(text):
            raise ScanError(
                "a string or heredoc is opened here and never closed", max(start - 1, 0)
            )
        if top == '""':
            position = _in_quotes(text, position, stack)
        elif top == "{":
            position = _in_sequence(text, position, stack)
        else:
            position = _in_heredoc(text, position, stack)
    return position


def _in_quotes(text: str, position: int, stack: list[str]) -> int:
    position = _match_end(_QUOTED, text, position)
    character = text[position : position + 1]
    if character == '"':
        stack.pop()
        return position + 1
    if character and character in "$%":
        stack.append("{")
        return position + 2
    raise ScanError("a string is not closed on its line", position)


def _in_sequence(text: str, position: int, stack: list[str]) -> int:
    position = _match_end(IN_BRACES, text, position)
    character = text[position : position + 1]
    if character == "{":
        stack.append("{")
    elif character == "}":
        stack.pop()
    elif character == '"':
        stack.append('""')
    elif character == "<":
        opening = HEREDOC.match(text, position)
        if opening is None:
            return position + 2
        stack.append(opening.group(1))
        return opening.end()
    elif character:
        raise ScanError("a comment is opened here and never closed", position)
    return position + 1


def _in_heredoc(text: str, position: int, stack: list[str]) -> int:
    if position == 0 or text[position - 1] == "\n":
        closing = _marker_line(stack[-1]).match(text, position)
        if closing is not None:
            stack.pop()
            return closing.end()
    position = _match_end(_HEREDOC_LINE, text, position)
    if position < len(text) and text[position] != "\n":
        stack.append("{")
        return position + 2
    return position + 1
