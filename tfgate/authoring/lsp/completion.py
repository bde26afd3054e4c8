"""Hover and completion: functions from the registry, attributes from the schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfgate.authoring.lint.shapes import Note, change_shape
from tfgate.engine.functions import rule_functions
from tfgate.model.rule import Scope
from tfgate.query.shapes.shape import Shape, union
from tfgate.query.values import LISTS, OBJECTS
from tfgate.report.escape import fenced
from tfgate.ruleset.scopes import ROOTS
from tfgate.schema.index import FLAGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.query import Function
    from tfgate.schema import Catalog


_PATH = re.compile(
    r"(?:@|[A-Za-z_][A-Za-z0-9_]*|\"[^\"\n]*\")(?:\.(?:[A-Za-z0-9_]*|\"[^\"\n]*\")|\[[^\[\]\n]*\])*$"
)
_NAME_ARGUMENT = re.compile(r"\b([a-z_]+)\(\s*'([A-Za-z0-9_.*-]*)$")
_TYPES = re.compile(r"(?:^|[\s{.])types\s*=\s*\[([^\]]*)", re.DOTALL)
_STRING = re.compile(r"[\"']([^\"'\n]*)[\"']")
_RULE = re.compile(r"^[ \t]*\[\[rules\]\]", re.MULTILINE)
_KEY = re.compile(
    r"^\s*(?:let\.[A-Za-z0-9_-]+|(when|deny|require|message|let|types|match\.types|match))\s*="
)

_LONGEST = 1000
"""Characters before the cursor that are looked at: a path is searched from each of them."""


@dataclass(frozen=True)
class Place:
    """A place in a rule file."""

    types: tuple[str, ...]
    """Types that the rule around it matches."""
    key: str
    """Key that the line belongs to: ``deny``, ``let``, ``message``, ``types``, …; may be empty."""
    path: str
    """Path that ends here, from the root of the subject: ``after.ingress[].fr``."""
    argument: tuple[str, str] | None
    """Inside the first argument of a call: the function, and what is written of the argument."""


def place_at(text: str, offset: int) -> Place:
    """Say what is at an offset of a text."""
    start, end = _rule_around(text, offset)
    types = tuple(
        kind for found in _TYPES.finditer(text[start:end]) for kind in _STRING.findall(found[1])
    )
    line = text[max(text.rfind("\n", 0, offset) + 1, offset - _LONGEST) : offset]
    key = _key(text, start, offset)
    argument = _NAME_ARGUMENT.search(line)
    return Place(types, key, _path(line, key), (argument[1], argument[2]) if argument else None)


def word_end(text: str, offset: int) -> int:
    """Return the end of the name around an offset."""
    end = offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return end


def _rule_around(text: str, offset: int) -> tuple[int, int]:
    """Return the bounds of the ``[[rules]]`` table around an offset; else of the whole file."""
    starts = [found.start() for found in _RULE.finditer(text)]
    before = [start for start in starts if start <= offset]
    after = [start for start in starts if start > offset]
    return (before[-1] if before else 0), (after[0] if after else len(text))


def _key(text: str, start: int, offset: int) -> str:
    """Return the key of the value around an offset: of the nearest line above that has one."""
    for line in reversed(text[start:offset].split("\n")[-60:]):
        found = _KEY.match(line)
        if found:
            return (found[1] or "let").removeprefix("match.")
        if re.match(r"^\s*(\[|[A-Za-z0-9_.-]+\s*=)", line):
            return ""
    return ""


def _path(line: str, key: str) -> str:
    """Return the path that ends the line, led by the lists whose filters it stands in."""
    if key == "message":
        opened = line.rfind("{")
        return line[opened + 1 :] if opened > line.rfind("}") else ""
    path = _ending(line)
    opened = _open_filter(line)
    while opened >= 0:
        base = _ending(line[:opened])
        path = f"{base}[].{path}" if base else path
        opened = _open_filter(line[:opened])
    return path


def _ending(line: str) -> str:
    found = _PATH.search(line)
    return found[0] if found else ""


def _open_filter(line: str) -> int:
    """Return the place of the last ``[?`` that is not closed, -1 where there is none."""
    depth = 0
    for place in range(len(line) - 1, -1, -1):
        if line[place] == "]":
            depth += 1
        elif line[place] == "[":
            if depth == 0:
                return place if line[place + 1 : place + 2] == "?" else -1
            depth -= 1
    return -1


_EXPRESSIONS = frozenset({"when", "deny", "require", "let"})
_MOST_TYPES = 30


@dataclass(frozen=True)
class Offer:
    """Something that may be written here."""

    label: str
    kind: str
    """``field``, ``function``, ``type`` or ``value``."""
    detail: str = ""
    doc: str = ""


@dataclass(frozen=True)
class Declared:
    """What the ruleset and the rule declare: name → what it is."""

    params: Mapping[str, str]
    data: Mapping[str, str]
    variables: Mapping[str, str]


def complete(text: str, offset: int, catalog: Catalog, declared: Declared) -> list[Offer]:
    """Return what may be written at an offset."""
    place = place_at(text, offset)
    if place.key == "types":
        return [Offer(name, "type") for name in catalog.types()]
    if place.key == "message":
        return _fields(place, catalog)
    if place.key not in _EXPRESSIONS:
        return []
    if place.argument is not None:
        return _arguments(place, catalog, declared)
    fields = _fields(place, catalog)
    return fields if "." in place.path else [*fields, *_functions()]


def hover(text: str, offset: int, catalog: Catalog) -> str | None:
    """Say in Markdown what is at an offset; ``None`` where that is nothing known."""
    end = word_end(text, offset)
    place = place_at(text, end)
    if place.key not in _EXPRESSIONS and place.key != "message":
        return None
    name = re.split(r"[.\[\]]", place.path)[-1]
    if text[end : end + 1] == "(":
        function = rule_functions().find(name) if name else None
        return None if function is None else function_page(function)
    shape = _resolve(place, catalog, place.path)
    return None if shape is None or not name else attribute_page(place.path, shape)


def function_page(function: Function) -> str:
    """Describe a function."""
    lines = [f"```text\n{function.signature}\n```", function.doc]
    if function.errors:
        lines.append(function.errors)
    if function.example:
        lines.append(f"```text\n{function.example}\n```")
    return "\n\n".join(lines)


def attribute_page(path: str, shape: Shape) -> str:
    """Describe what stands at a path."""
    detail = describe(shape)
    lines = [f"```text\n{fenced(path)}: {detail}\n```"]
    if shape.why_null:
        lines.append(f"May be null: {shape.why_null}.")
    if isinstance(shape.note, Note) and shape.note.has(FLAGS["computed"]):
        lines.append("Computed by the provider: it may be known only after the apply.")
    names = _inside(shape)
    if names:
        lines.append(f"Holds {', '.join(sorted(names)[:30])}{' …' if len(names) > 30 else ''}.")
    return "\n\n".join(lines)


def describe(shape: Shape) -> str:
    """Write type and flags: ``list of string, optional, computed``."""
    words = shape.words
    if shape.mask & LISTS and shape.element is not None:
        words = f"list of {shape.element.words}"
    if shape.mask & OBJECTS and shape.rest is not None and not shape.fields:
        words = f"map of {shape.rest.words}"
    note = shape.note
    if not isinstance(note, Note):
        return words
    flags = [word.replace("_", "-") for word, bit in FLAGS.items() if note.has(bit)]
    return ", ".join([f"{words} (blocks)" if note.is_block else words, *flags])


def _inside(shape: Shape) -> list[str]:
    element = shape.element if shape.mask & LISTS else None
    fields = (element or shape).fields
    return list(fields or ())


def _fields(place: Place, catalog: Catalog) -> list[Offer]:
    base, _, _ = place.path.rpartition(".")
    if not base:
        return [Offer(name, "field") for name in sorted(ROOTS[Scope.RESOURCE])]
    shape = _resolve(place, catalog, base)
    if shape is None or shape.fields is None:
        return []
    return [Offer(name, "field", describe(shape.fields[name])) for name in sorted(shape.fields)]


def _functions() -> list[Offer]:
    return [
        Offer(function.name, "function", function.signature, function.doc)
        for function in sorted(rule_functions(), key=lambda function: function.name)
    ]


def _arguments(place: Place, catalog: Catalog, declared: Declared) -> list[Offer]:
    function = place.argument[0] if place.argument else ""
    named = {"param": declared.params, "data": declared.data, "var": declared.variables}
    if function in named:
        return [Offer(name, "value", what) for name, what in sorted(named[function].items())]
    if function == "referenced_by":
        return [Offer(name, "type") for name in catalog.types()]
    if function in {"configured", "left_to_provider", "references", "changed"}:
        written = place.argument[1] if place.argument else ""
        return _fields(Place(place.types, place.key, f"after.{written}", None), catalog)
    return []


def _resolve(place: Place, catalog: Catalog, path: str) -> Shape | None:
    """Return what stands at a path, on any of the types that the rule matches."""
    types = catalog.matching(place.types)[:_MOST_TYPES] if place.types else []
    roots = [change_shape(None, Scope.RESOURCE, kind, catalog.get(kind)) for kind in types]
    shapes = [_walk(root, path) for root in roots or [change_shape(None, Scope.RESOURCE)]]
    found = [shape for shape in shapes if shape is not None]
    return union(*found) if found else None


def _walk(shape: Shape, path: str) -> Shape | None:
    for step in re.findall(r"[A-Za-z_][A-Za-z0-9_]*|\[[^\]]*\]|\"[^\"]*\"", path):
        if step.startswith("["):
            if not shape.mask & LISTS or shape.element is None:
                return None
            shape = shape.element
            continue
        fields = shape.fields or {}
        name = step.strip('"')
        found = fields.get(name, shape.rest)
        if found is None:
            return None
        shape = found
    return shape
