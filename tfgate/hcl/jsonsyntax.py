"""HCL's JSON syntax (``.tf.json``): where blocks and properties are, and their plain values.

Terraform places a JSON block at the brace that opens it (``json/structure.go``, ``DefRange``), and
so does this. Whether a property of a resource is an argument or a nested block needs the provider's
schema; here every property below a block is an attribute, and paths lead into its value.

Values have the same form as those of the native syntax. Every string is a template: one with
``${ }`` or ``%{ }`` in it is an expression. Blocks that Terraform's own language knows are lists
under their kind; any other object stays as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from tfgate.hcl.lexical import ScanError, sole_expression
from tfgate.hcl.scanner import Block, Body, Comment, Element, Lines
from tfgate.query.values import UNKNOWN

LABELS = {
    "resource": 2,
    "data": 2,
    "ephemeral": 2,
    "action": 2,
    "variable": 1,
    "output": 1,
    "module": 1,
    "provider": 1,
    "check": 1,
    "terraform": 0,
    "locals": 0,
    "moved": 0,
    "import": 0,
    "removed": 0,
}
"""Kinds of top-level blocks, and how many levels of names each has."""

MAX_DEPTH = 100
"""How deep JSON may nest; Terraform's own documents stay below 20."""

_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?\d[\d.eE+-]*|true|false|null")
_SPACE = re.compile(r"[ \t\r\n]*")


class Value(NamedTuple):
    """A JSON value and where it stands; ``members`` are those of an object or array."""

    start: int
    end: int
    is_object: bool
    members: list[tuple[str | int, int, Value]]
    """Key or number, offset of the key (of the value in an array), value."""


class _Place(NamedTuple):
    kind: str
    labels: tuple[str, ...]
    value: Value


def scan_json(text: str) -> Body:
    """Find the blocks at the top of a JSON configuration."""
    try:
        document = _parse(text, 0)
        end = _space(text, document.end)
        if end < len(text):
            raise ScanError("something stands behind the JSON document", end)
    except ScanError as error:
        return Body({}, [], error)
    return Body({}, list(_with_lines(text, _top(document))))


def json_body(text: str, block: Block) -> Body:
    """Return the properties that stand directly in ``block``, as attributes."""
    value = _parse(text, block.opened - 1)
    attributes: dict[str, Element] = {}
    for element in _elements(text, value, block.line):
        if isinstance(element.key, str) and element.key != "//":
            attributes.setdefault(element.key, element)
    return Body(attributes, [])


def json_elements(text: str, start: int, end: int, line: int) -> list[Element]:
    """Return the members of the object or array at ``text[start:end]``."""
    return _elements(text, _parse(text, start), line)


def json_literal(text: str, start: int, end: int) -> str | None:
    """Return the string at ``text[start:end]``, or ``None`` where another value stands there."""
    try:
        value = json.loads(text[start:end])
    except ValueError:
        return None
    return value if isinstance(value, str) and "${" not in value and "%{" not in value else None


def _elements(text: str, value: Value, line: int) -> list[Element]:
    found = []
    lines = Lines(text, value.start, line)
    for key, begins, member in value.members:
        first = lines.at(begins)
        found.append(Element(key, first, lines.at(member.end), member.start, member.end))
    return found


def _top(document: Value) -> Iterator[_Place]:
    for place in [document] if document.is_object else [one for _, _, one in document.members]:
        for kind, _, value in place.members:
            if isinstance(kind, str) and kind in LABELS:
                yield from _labelled(kind, (), value, LABELS[kind])


def _labelled(kind: str, labels: tuple[str, ...], value: Value, missing: int) -> Iterator[_Place]:
    """Go down the levels of names; at each an array may stand for several objects."""
    if value.members and not value.is_object:
        for _, _, element in value.members:
            yield from _labelled(kind, labels, element, missing)
    elif value.is_object and not missing:
        yield _Place(kind, labels, value)
    elif value.is_object:
        for name, _, inner in value.members:
            if name != "//":
                yield from _labelled(kind, (*labels, str(name)), inner, missing - 1)


def _with_lines(text: str, places: Iterator[_Place]) -> Iterator[Block]:
    lines = Lines(text)
    for kind, labels, (start, end, *_) in places:
        line = lines.at(start)
        yield Block(kind, labels, line, lines.at(end), start, start + 1, end - 1)


def _parse(text: str, position: int, depth: int = 0) -> Value:
    position = _space(text, position)
    character = text[position : position + 1]
    if depth > MAX_DEPTH:
        raise ScanError(f"JSON is nested more than {MAX_DEPTH} levels deep here", position)
    if character == "{":
        return _parse_members(text, position, "}", depth)
    if character == "[":
        return _parse_members(text, position, "]", depth)
    scalar = (_STRING if character == '"' else _SCALAR).match(text, position)
    if scalar is None:
        raise ScanError("this is not JSON", position)
    return Value(position, scalar.end(), is_object=False, members=[])


def _parse_members(text: str, start: int, closing: str, depth: int) -> Value:
    members: list[tuple[str | int, int, Value]] = []
    position = _space(text, start + 1)
    while not text.startswith(closing, position):
        begins = position
        key: str | int = len(members)
        if closing == "}":
            key, position = _parse_key(text, position)
        value = _parse(text, position, depth + 1)
        members.append((key, begins, value))
        position = _space(text, value.end)
        if text.startswith(",", position):
            position = _space(text, position + 1)
        elif not text.startswith(closing, position):
            raise ScanError(f"a comma or a {closing} was expected here", position)
    return Value(start, position + 1, is_object=closing == "}", members=members)


def _parse_key(text: str, position: int) -> tuple[str, int]:
    name = _STRING.match(text, position)
    if name is None:
        raise ScanError("a property name in quotes was expected here", position)
    position = _space(text, name.end())
    if not text.startswith(":", position):
        raise ScanError("a : was expected here", position)
    try:
        return json.loads(name.group()), position + 1
    except ValueError:
        raise ScanError("this is not a JSON string", position) from None


def _space(text: str, position: int) -> int:
    blank = _SPACE.match(text, position)
    return position if blank is None else blank.end()


def json_comments(text: str, blocks: list[Block]) -> Iterator[tuple[Comment, Block | None]]:
    """The comments of a JSON configuration: the ``"//"`` properties, of blocks and at the top.

    Terraform ignores those, and only there: deeper down ``"//"`` is a key like any other.
    """
    for block in blocks:
        value = _parse(text, block.opened - 1)
        for element in _elements(text, value, block.line):
            yield from _comment(text, element, block)
    try:
        document = _parse(text, 0)
    except ScanError:
        return
    for element in _elements(text, document, text.count("\n", 0, document.start) + 1):
        yield from _comment(text, element, None)


def _comment(
    text: str, element: Element, block: Block | None
) -> Iterator[tuple[Comment, Block | None]]:
    written = json_literal(text, element.start, element.end) if element.key == "//" else None
    if written is not None:
        yield Comment(written, element.line, element.end_line, element.start), block


_SEQUENCE = re.compile(r"[$%]{2}\{|([$%]\{)")
_DOUBLED = re.compile(r"([$%])\1(?=\{)")
_BLOCKS = frozenset(
    {
        "assert",
        "backend",
        "cloud",
        "connection",
        "content",
        "dynamic",
        "lifecycle",
        "postcondition",
        "precondition",
        "provider_meta",
        "provisioner",
        "required_providers",
        "validation",
    }
)


def json_view(properties: dict[str, Any], *, unknown: bool) -> dict[str, Any]:
    """Return the body of a top-level block, from what a JSON reader gave.

    An expression in it is ``{"expression": "…"}``, or ``UNKNOWN``. Raises ValueError where an
    argument's name is a template, which Terraform refuses.
    """
    found = _members(properties, unknown)
    if not isinstance(found, dict):
        raise ValueError("a name of an argument is a template")
    return found


def _view(written: Any, unknown: bool) -> Any:
    if isinstance(written, str):
        return _string(written, unknown)
    if isinstance(written, list):
        return [_view(item, unknown) for item in written]
    return _members(written, unknown) if isinstance(written, dict) else written


def _members(properties: dict[str, Any], unknown: bool) -> Any:
    """Read a body or an object; what a template names, or ``dynamic`` makes, is unknown."""
    if unknown and any(map(is_template, properties)):
        return UNKNOWN
    found = {}
    for name, written in properties.items():
        if name != "//":
            value = _view(written, unknown)
            is_block = name in _BLOCKS and isinstance(value, dict) and isinstance(written, dict)
            found[name] = [value] if is_block else value
    dynamic = properties.get("dynamic") if unknown else None
    for one in dynamic if isinstance(dynamic, list) else [dynamic]:
        if isinstance(one, dict):
            found.update(dict.fromkeys(one, UNKNOWN))
    return found


def _string(written: str, unknown: bool) -> Any:
    if not is_template(written):
        return _DOUBLED.sub(r"\1", written)
    if unknown:
        return UNKNOWN
    sole = sole_expression(f'"{written}"')
    return {"expression": f'"{written}"' if sole is None else sole}


def is_template(written: str) -> bool:
    """Say whether a string has a template sequence in it that is not escaped."""
    return "{" in written and any(found.group(1) for found in _SEQUENCE.finditer(written))
