"""What expressions say: literals as they are, and all else as somebody wants to see it.

A body is an object: arguments by name, nested blocks as a list under their kind, always (also where
there is one, so that a rule need not ask). A nested block with labels is nested by them, as in
Terraform's JSON syntax: ``backend "s3" {…}`` is ``{"backend": [{"s3": {…}}]}``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

from tfgate.hcl.expressions import (
    Code,
    Contents,
    Items,
    Members,
    Nested,
    Node,
    Number,
    Text,
    Word,
    read_expression,
)
from tfgate.hcl.lexical import (
    HEREDOC,
    STRING,
    skip_brackets,
    sole_expression,
)
from tfgate.query.values import SENSITIVE, UNKNOWN

_SIMPLE = re.compile(STRING)
_ESCAPE = re.compile(
    r"\\(?:([nrt\"\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|([$%])[$%](?=\{)", re.DOTALL
)
_SEQUENCE = re.compile(r"(?:[$%]{2}\{)|([$%]\{)")
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_PLAIN = re.compile(r'(?:[^"$%\n]|\$\$\{|%%\{|\$(?!\{)|%(?!\{))+')
_LONGEST = 100_000
"""Characters of an expression that is evaluated, and of what a template comes to."""
_INDENT = re.compile(r"[^\S\n]*")

_EXACT = 2**63
"""Beyond, a number is a float: JSON has no agreement on longer integers."""
_WORDS = {"true": True, "false": False, "null": None}


class Expressions:
    """The view in which an expression is ``{"expression": "…"}``, its text as written.

    A key that is an expression stands as it is written, in its parentheses.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def body(self, body: Contents) -> dict[str, Any]:
        """Return a body. Raises ValueError for a literal that HCL would refuse."""
        arguments = {self._cut(name): self.value(node) for name, node in body.arguments}
        blocks: dict[str, list[Any]] = {}
        for block in body.blocks:
            blocks.setdefault(self._cut(block.kind), []).append(self._nested(block))
        return {**blocks, **arguments}

    def value(self, node: Node) -> Any:
        """Return the value of one expression."""
        if isinstance(node, Text):
            return self._string(self._text[node.start : node.end])
        if isinstance(node, Number):
            value = number(self._cut(node))
            return self.code(self._cut(node)) if value is None else value
        if isinstance(node, Word):
            return self._word(self._cut(node))
        if isinstance(node, Items):
            return [self.value(item) for item in node.items]
        if isinstance(node, Members):
            return self._members(node)
        return self.code(self._cut(node))

    def code(self, text: str) -> Any:
        """Return what stands for an expression."""
        return {"expression": text.strip()}

    def _word(self, written: str) -> Any:
        if written not in _WORDS:
            raise ValueError("a word that is no literal")
        return _WORDS[written]

    def _members(self, node: Members) -> Any:
        return {self._key(key): self.value(value) for key, value in node.members}

    def _key(self, node: Node) -> str:
        if isinstance(node, Text):
            written = self._string(self._cut(node))
            return written if isinstance(written, str) else self._cut(node)
        return "" if isinstance(node, (Items, Members)) else self._cut(node)

    def _string(self, written: str) -> Any:
        plain = quoted_text(written) if written.startswith('"') else heredoc_text(written)
        if plain is not None:
            return plain
        sole = sole_expression(written)
        return self.code(written if sole is None else sole)

    def _nested(self, block: Nested) -> dict[str, Any]:
        inner = self.body(block.body)
        for label in reversed(block.labels):
            inner = {self._key(label): inner}
        return inner

    def _cut(self, node: Text | Number | Word | Code) -> str:
        return self._text[node.start : node.end]


class Unknowns(Expressions):
    """The view in which an expression is ``UNKNOWN``: sound for three-valued evaluation.

    An object with a key that is an expression is unknown as a whole, and so are nested blocks that
    a dynamic block adds to.
    """

    def body(self, body: Contents) -> dict[str, Any]:
        """Return a body; what ``dynamic "x"`` makes is under ``x`` too, and unknown."""
        found = super().body(body)
        for block in body.blocks:
            if self._cut(block.kind) == "dynamic" and block.labels:
                found[self._key(block.labels[0])] = UNKNOWN
        return found

    def code(self, text: str) -> Any:
        """Stand for any value."""
        return UNKNOWN

    def _members(self, node: Members) -> Any:
        if any(isinstance(key, (Code, Items, Members)) for key, _ in node.members):
            return UNKNOWN
        if any(isinstance(key, Text) and self._is_template(key) for key, _ in node.members):
            return UNKNOWN
        return super()._members(node)

    def _is_template(self, key: Text) -> bool:
        return not isinstance(self._string(self._cut(key)), str)


class Evaluated(Unknowns):
    """The view in which ``resolve`` says what stands in place of an expression."""

    def __init__(self, text: str, resolve: Callable[[str], Any]) -> None:
        super().__init__(text)
        self._resolve = resolve

    def code(self, text: str) -> Any:
        """Ask for the value of a part that is no literal."""
        return self._resolve(text.strip())

    def _string(self, written: str) -> Any:
        if "\\" in written or not written.startswith('"'):
            return UNKNOWN  # in JSON a backslash means something else than in HCL
        plain, sole = quoted_text(written), sole_expression(written)
        if plain is not None:
            return plain
        return self._template(written) if sole is None else self.code(sole)

    def _template(self, written: str) -> Any:
        """Join the parts of a quoted template; unknown where one is, or is no text or number."""
        joined, position, hidden = "", 1, False
        while position < len(written) - 1:
            plain = _PLAIN.match(written, position)
            if plain is not None:
                joined += plain[0].replace("$${", "${").replace("%%{", "%{")
                position = plain.end()
                continue
            end = skip_brackets(written, position + 1)
            part = self.code(written[position + 2 : end - 1]) if written[position] == "$" else None
            hidden = hidden or part is SENSITIVE
            if type(part) is bool:
                part = "true" if part else "false"
            if type(part) not in (str, int) and part is not SENSITIVE:
                return UNKNOWN
            joined += str(part)
            position = end
            if len(joined) > _LONGEST:
                return UNKNOWN
        return SENSITIVE if hidden else joined


def evaluate(text: str, resolve: Callable[[str], Any]) -> Any:
    """Return what an expression comes to: literals, and templates, lists and objects of them.

    ``resolve`` gives the value of each part that is something else: `UNKNOWN` where it is none, and
    `SENSITIVE` redacts a template that it stands in. What is no HCL is unknown.
    """
    if len(text) > _LONGEST:
        return UNKNOWN
    try:
        return Evaluated(text, resolve).value(read_expression(text))
    except (ValueError, RecursionError):
        return UNKNOWN


def quoted_text(written: str) -> str | None:
    """Return what a quoted string means; ``None`` where it is a template.

    Raises ValueError for an escape that HCL does not have.
    """
    if not _SIMPLE.fullmatch(written):
        return None
    inner = written[1:-1]
    return _ESCAPE.sub(_unescape, inner) if "\\" in inner or "{" in inner else inner


def heredoc_text(written: str) -> str | None:
    """Return what a heredoc means, ``<<`` to its end; ``None`` where it is a template."""
    opening = HEREDOC.match(written)
    if opening is None:
        return None
    body = written[opening.end() : written.rfind("\n") + 1]
    if any(found.group(1) for found in _SEQUENCE.finditer(body)):
        return None
    if written.startswith("<<-"):
        body = _dedent(body)
    return re.sub(r"([$%])\1(?=\{)", r"\1", body)


def number(written: str) -> int | float | None:
    """Return a number; ``None`` for one that no JSON number stands for."""
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
