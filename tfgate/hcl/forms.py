"""What an expression is made of: a literal, a reference, a template of references, or more.

A reference is *bare* where the value of the expression is that of the reference, so that nothing
else can decide it: no function, condition, operator, splat or index that is computed.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final, NamedTuple

from tfgate.hcl.expressions import Code, Items, Members, Text, read_expression
from tfgate.hcl.lexical import HEREDOC, IDENTIFIER, STRING, ScanError, skip_brackets


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
_STEP = re.compile(
    rf"\s*(?:\.\s*(?:({IDENTIFIER})|([0-9]{{1,18}}))|\[\s*(?:({STRING})|([0-9]{{1,18}}))\s*\])",
    re.DOTALL,
)
_NAME = re.compile(IDENTIFIER)
_SEQUENCE = re.compile(r"[$%]{2}\{|([$%])\{")


def form_of(text: str, start: int, end: int) -> Form | None:
    """Say what the expression at ``text[start:end]`` of a native file is made of.

    ``None`` is anything else: a call, an operation, a ``for``, a splat, and what is no HCL.
    """
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
    while sequence := _SEQUENCE.search(body, position):
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
    root = _NAME.match(written)
    if root is None:
        return None
    parts: list[str | Index] = [root.group()]
    position = root.end()
    while step := _STEP.match(written, position):
        name, number, quoted, index = step.groups()
        if quoted is not None and ("\\" in quoted or "{" in quoted):
            return None
        parts.append(name or Index(quoted[1:-1] if quoted else int(number or index)))
        position = step.end()
    return Traversal(tuple(parts)) if position == len(written) else None
