"""Hover and completion: functions from the registry, attributes from the schema."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfgate.app.lint.attributes import Note
from tfgate.app.lint.roots import change_shape
from tfgate.app.lsp.place import Place, place_at, word_end
from tfgate.engine.functions import rule_functions
from tfgate.model.rule import Scope
from tfgate.query.shapes.shape import Shape, union
from tfgate.query.values import LISTS, OBJECTS
from tfgate.report.neutral import fenced
from tfgate.ruleset.scopes import ROOTS
from tfgate.schema.types import FLAGS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.query import Function
    from tfgate.schema import Catalog

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
    """Give what may be written at an offset."""
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
    """Give what stands at a path, on any of the types that the rule matches."""
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
