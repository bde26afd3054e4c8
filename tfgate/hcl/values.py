"""What expressions say: literals as they are, and all else as somebody wants to see it.

A body is an object: arguments by name, nested blocks as a list under their kind, always (also where
there is one, so that a rule need not ask). A nested block with labels is nested by them, as in
Terraform's JSON syntax: ``backend "s3" {…}`` is ``{"backend": [{"s3": {…}}]}``.

Beside values, the *form* of an expression says what it is made of. A reference is bare where the
value of the expression is that of the reference, so that nothing else can decide it: no function,
condition, operator, splat or index that is computed.
"""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.hcl.expressions import Code, Items, Members, Number, Text, Word, read_expression
from tfgate.hcl.lexical import (
    HEREDOC,
    IDENTIFIER,
    STRING,
    ScanError,
    skip_brackets,
    sole_expression,
)
from tfgate.hcl.paths import JSON
from tfgate.query.values import UNKNOWN

if TYPE_CHECKING:
    from tfgate.hcl.expressions import Contents, Nested, Node
    from tfgate.hcl.scanner import Block
    from tfgate.hcl.sources import SourceFile

_SIMPLE = re.compile(STRING)
_ESCAPE = re.compile(
    r"\\(?:([nrt\"\\])|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))|([$%])[$%](?=\{)", re.DOTALL
)
_SEQUENCE = re.compile(r"(?:[$%]{2}\{)|([$%]\{)")
_SIGNS = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
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
        """Give a body. Raises ValueError for a literal that HCL would refuse."""
        arguments = {self._cut(name): self.value(node) for name, node in body.arguments}
        blocks: dict[str, list[Any]] = {}
        for block in body.blocks:
            blocks.setdefault(self._cut(block.kind), []).append(self._nested(block))
        return {**blocks, **arguments}

    def value(self, node: Node) -> Any:
        """Give the value of one expression."""
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
        """Give what stands for an expression."""
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
        """Give a body; what ``dynamic "x"`` makes is under ``x`` too, and unknown."""
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


class Index(NamedTuple):
    """A step in brackets: ``["a"]`` or ``[0]``; also ``.0``, which means the same."""

    key: str | int


class Literal(NamedTuple):
    """A value without a reference in it; a tuple or an object of such is one too."""


class Traversal(NamedTuple):
    """A reference and nothing else: ``module.a["x"].ids[0]``, also as ``"${module.a…}"``."""

    parts: tuple[str | Index, ...]
    """``("module", "a", Index("x"), "ids", Index(0))``: names, and steps in brackets."""


class Template(NamedTuple):
    """A string made of text and references alone: ``"arn:aws:s3:::${aws_s3_bucket.a.id}/*"``."""

    traversals: tuple[Traversal, ...]
    """In the order of the text; at least one."""


Form = Literal | Traversal | Template

_LITERAL: Final = Literal()
_FORM_STEP = re.compile(
    rf"\s*(?:\.\s*(?:({IDENTIFIER})|([0-9]{{1,18}}))|\[\s*(?:({STRING})|([0-9]{{1,18}}))\s*\])",
    re.DOTALL,
)
_ROOT = re.compile(IDENTIFIER)
_OPENING = re.compile(r"[$%]{2}\{|([$%])\{")


def argument_form(file: SourceFile, block: Block, name: str) -> Form | None:
    """Say what a block's argument is made of, in either syntax.

    ``None`` is anything else than a form: a call, an operation, a ``for``, a splat, what is no HCL,
    and no argument of that name.
    """
    if file.text is None:
        return None
    attribute = file.syntax.body(file.text, block).attributes.get(name)
    if attribute is None:
        return None
    form = json_form_of if file.syntax is JSON else form_of
    return form(file.text, attribute.start, attribute.end)


def form_of(text: str, start: int, end: int) -> Form | None:
    """Say what the expression at ``text[start:end]`` of a native file is made of."""
    try:
        return _form(text, read_expression(text, start, end))
    except (ScanError, RecursionError):
        return None


def json_form_of(text: str, start: int, end: int) -> Form | None:
    """Say the same of the value at ``text[start:end]`` of a JSON file, whose strings are templates.

    A key that is a template makes an object none of these.
    """
    try:
        return _json_form(json.loads(text[start:end]))
    except (ValueError, ScanError, RecursionError):
        return None


def _form(text: str, node: object) -> Form | None:
    if isinstance(node, Text):
        return _template(_inside(text[node.start : node.end]))
    if isinstance(node, Code):
        return _traversal(text[node.start : node.end])
    parts: list[object] = []
    if isinstance(node, Items):
        parts = [*node.items]
    elif isinstance(node, Members):
        parts = [part for member in node.members for part in member]
    return _LITERAL if all(_form(text, part) == _LITERAL for part in parts) else None


def _json_form(value: Any) -> Form | None:
    if isinstance(value, str):
        return _template(value)
    parts = [*value] if isinstance(value, (list, dict)) else []
    parts += value.values() if isinstance(value, dict) else []
    return _LITERAL if all(_json_form(part) == _LITERAL for part in parts) else None


def _inside(written: str) -> str:
    """Take the marks off a string or heredoc."""
    opening = HEREDOC.match(written)
    return written[1:-1] if opening is None else written[opening.end() : written.rfind("\n") + 1]


def _template(body: str) -> Form | None:
    found: list[Traversal] = []
    position = 0
    while sequence := _OPENING.search(body, position):
        position = sequence.end()
        if sequence.group(1) is None:
            continue
        if sequence.group(1) == "%":
            return None
        position = skip_brackets(body, sequence.end() - 1)
        within = body[sequence.end() : position - 1].strip("~")
        inner = form_of(within, 0, len(within))
        if isinstance(inner, Traversal):
            if position - sequence.start() == len(body):
                return inner
            found.append(inner)
        elif isinstance(inner, Template):
            found += inner.traversals
        elif inner is None:
            return None
    return Template(tuple(found)) if found else _LITERAL


def _traversal(written: str) -> Traversal | None:
    """Read names and steps, in parentheses or not; ``None`` where there is anything else."""
    while written.startswith("(") and skip_brackets(written, 0) == len(written):
        written = written[1:-1].strip()
    root = _ROOT.match(written)
    if root is None:
        return None
    parts: list[str | Index] = [root.group()]
    position = root.end()
    while step := _FORM_STEP.match(written, position):
        name, number, quoted, index = step.groups()
        if quoted is not None and ("\\" in quoted or "{" in quoted):
            return None
        parts.append(name or Index(quoted[1:-1] if quoted else int(number or index)))
        position = step.end()
    return Traversal(tuple(parts)) if position == len(written) else None
