"""What an editor shows of a rule file, saved or half-written: findings, hover, completion."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.authoring.lint.ruleset import lint_rulesets
from tfgate.authoring.lint.shapes import Note, change_shape, declared_fields
from tfgate.engine.functions import rule_functions
from tfgate.model.rule import Scope
from tfgate.model.subjects import FIELDS
from tfgate.opening import read_file
from tfgate.query.shapes.shape import Shape, object_of, union
from tfgate.query.values import LISTS, OBJECTS
from tfgate.report.escape import clip, fenced
from tfgate.ruleset.facts import known_facts
from tfgate.ruleset.files import Unreadable, parse_toml
from tfgate.ruleset.rule_tables import NAME_PATTERN
from tfgate.ruleset.sources import MANIFEST
from tfgate.schema.index import FLAGS

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfgate.authoring.lint.findings import LintFinding
    from tfgate.query import Function
    from tfgate.schema import Catalog

LARGEST: Final = 1_000_000
"""Characters of a document that is looked at. Rules have some thousand; an editor waits for answers
at every key."""

_SHOWN = 1_000
"""Characters of the description of a name."""


class Mark(NamedTuple):
    """A finding in a text: 0-based line, 0-based columns of code points."""

    line: int
    start: int
    end: int
    message: str
    check: str
    is_error: bool


def ruleset_of(path: Path, text: str) -> Path | None:
    """Return the ruleset that a file belongs to: a folder, the file itself, or ``None``."""
    if path.suffix != ".toml":
        return None
    if path.parent.name == "rules" and os.path.isfile(path.parent.parent / MANIFEST):
        return path.parent.parent
    if path.name == MANIFEST:
        return path.parent
    return path if "[ruleset]" in text else None


def marks_of(path: Path, text: str, catalog: Catalog) -> list[Mark]:
    """Lint the ruleset with ``text`` in the file's place; return what is about the file."""
    ruleset = ruleset_of(path, text)
    if ruleset is None or not os.path.exists(path):
        return []
    if len(text) > LARGEST:
        message = f"This file has more than {LARGEST:,} characters; it is not checked."
        return [Mark(0, 0, 0, message, "too-large", is_error=False)]
    drafts = {os.path.realpath(path): text}
    only = None if path.name == MANIFEST else path
    result = lint_rulesets([str(ruleset)], catalog, drafts=drafts, only=only)
    lines = text.split("\n")
    real = os.path.realpath(path)
    own = (found for found in result.findings if os.path.realpath(found.file) == real)
    return [_mark(found, lines) for found in own]


def _mark(finding: LintFinding, lines: list[str]) -> Mark:
    line = min(max((finding.line or 1) - 1, 0), len(lines) - 1)
    text = lines[line]
    start, end = len(text) - len(text.lstrip()), len(text)
    if finding.excerpt is not None and finding.column is not None:
        place = text.find(finding.excerpt.strip())
        if place >= 0:
            before = len(finding.excerpt) - len(finding.excerpt.lstrip())
            start = place + finding.column - 1 - before
            end = max(word_end(text, start), min(start + 1, len(text)))
    is_error = finding.check == "does-not-load"
    return Mark(line, start, end, clip(finding.message, _SHOWN), finding.check, is_error)


class Declared(NamedTuple):
    """What the ruleset and the rule declare: name → what it is."""

    params: Mapping[str, str]
    data: Mapping[str, str]
    context: Mapping[str, str]
    variables: Mapping[str, str]


def declared_in(path: Path, text: str) -> Declared:
    """Read what the ruleset and the rule declare, as far as their files can be read.

    A name that no file could declare is not among them.
    """
    ruleset = ruleset_of(path, text)
    own = _table(text)
    manifest = own
    if ruleset is not None and os.path.isdir(ruleset) and path.name != MANIFEST:
        try:
            manifest = _table(read_file(ruleset / MANIFEST).decode("utf-8"))
        except (OSError, UnicodeDecodeError):
            manifest = {}
    rules = own.get("rules") if isinstance(own.get("rules"), list) else [own]
    variables = _texts(manifest.get("let"), None)
    for rule in rules or []:
        let = rule.get("let") if isinstance(rule, dict) else None
        variables.update(_texts(let, None))
    return Declared(
        _texts(manifest.get("params"), "type"),
        _texts(manifest.get("data"), "file"),
        {
            **{name: str(spec.type) for name, spec in known_facts({}).items()},
            **_texts(manifest.get("context"), "type"),
        },
        variables,
    )


def _table(text: str) -> dict[str, Any]:
    """Parse what is valid from the top: a line that is being written spoils what is below it."""
    lines = text.split("\n")
    while lines:
        try:
            return parse_toml("\n".join(lines), "draft")
        except Unreadable as error:  # noqa: PERF203 - each turn has a shorter text
            lines = lines[: min(error.problem.line or len(lines), len(lines)) - 1]
    return {}


def _texts(table: Any, key: str | None) -> dict[str, str]:
    if not isinstance(table, dict):
        return {}
    return {
        name: clip(str(entry.get(key, "") if key and isinstance(entry, dict) else entry), _SHOWN)
        for name, entry in table.items()
        if re.fullmatch(NAME_PATTERN, name)
    }


_PATH = re.compile(
    r"(?:@|[A-Za-z_][A-Za-z0-9_]*|\"[^\"\n]*\")(?:\.(?:[A-Za-z0-9_]*|\"[^\"\n]*\")|\[[^\[\]\n]*\])*$"
)
_NAME_ARGUMENT = re.compile(r"\b([a-z_]+)\(\s*'([A-Za-z0-9_.*-]*)$")
_VARIABLE = re.compile(r"\$([A-Za-z_]\w*)?(\.\w*)?$", re.ASCII)
_TYPES = re.compile(r"(?:^|[\s{.])types\s*=\s*\[([^\]]*)", re.DOTALL)
_SCOPE = re.compile(r"^[ \t]*scope[ \t]*=[ \t]*[\"']([a-z]+)[\"']", re.MULTILINE)
_STRING = re.compile(r"[\"']([^\"'\n]*)[\"']")
_RULE = re.compile(r"^[ \t]*\[\[rules\]\]", re.MULTILINE)
_KEY = re.compile(
    r"^\s*(?:let\.[A-Za-z0-9_-]+|(when|deny|require|message|let|types|match\.types|match))\s*="
)

_LONGEST = 1000
"""Characters before the cursor that are looked at: a path is searched from each of them."""


class Place(NamedTuple):
    """A place in a rule file."""

    types: tuple[str, ...]
    """Types that the rule around it matches."""
    key: str
    """Key that the line belongs to: ``deny``, ``let``, ``message``, ``types``, …; may be empty."""
    path: str
    """Path that ends here, from the root of the subject: ``after.ingress[].fr``."""
    argument: tuple[str, str] | None
    """Inside the first argument of a call: the function, and what is written of the argument."""
    scope: Scope = Scope.RESOURCE
    """Scope of the rule around it."""
    variable: tuple[str, bool] | None = None
    """The variable that ends here, and whether a name below it does: ``$params.li``."""


def place_at(text: str, offset: int) -> Place:
    """Return what is at an offset of a text."""
    start, end = _rule_around(text, offset)
    types = tuple(
        kind for found in _TYPES.finditer(text[start:end]) for kind in _STRING.findall(found[1])
    )
    line = text[max(text.rfind("\n", 0, offset) + 1, offset - _LONGEST) : offset]
    key = _key(text, start, offset)
    argument = _NAME_ARGUMENT.search(line)
    named = (argument[1], argument[2]) if argument else None
    found = _VARIABLE.search(line)
    variable = (found[1] or "", found[2] is not None) if found else None
    return Place(types, key, _path(line, key), named, _scope(text[start:end]), variable)


def _scope(rule: str) -> Scope:
    found = _SCOPE.search(rule)
    return Scope(found[1]) if found and found[1] in set(Scope) else Scope.RESOURCE


def word_end(text: str, offset: int) -> int:
    """Return the end of the name around an offset."""
    while offset < len(text) and (text[offset].isalnum() or text[offset] == "_"):
        offset += 1
    return offset


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


class Offer(NamedTuple):
    """Something that may be written here."""

    label: str
    kind: str
    """``field``, ``function``, ``type`` or ``value``."""
    detail: str = ""
    doc: str = ""


def complete(text: str, offset: int, catalog: Catalog, declared: Declared) -> list[Offer]:
    """Return what may be written at an offset."""
    place = place_at(text, offset)
    if place.key == "types":
        return [Offer(name, "type") for name in catalog.types()]
    if place.key not in _EXPRESSIONS and place.key != "message":
        return []
    if place.variable is not None:
        return _variables(*place.variable, declared)
    if place.key == "message":
        return _fields(place, catalog)
    if place.argument is not None:
        return _arguments(place, catalog)
    fields = _fields(place, catalog)
    return fields if "." in place.path else [*fields, *_functions()]


def hover(text: str, offset: int, catalog: Catalog) -> str | None:
    """Describe in Markdown what is at an offset; ``None`` where that is nothing known."""
    end = word_end(text, offset)
    place = place_at(text, end)
    if place.key not in _EXPRESSIONS and place.key != "message":
        return None
    name = re.split(r"[.\[\]]", place.path)[-1]
    if text[end : end + 1] == "(":
        function = rule_functions().find(name) if name else None
        return None if function is None else _function_page(function)
    shape = _resolve(place, catalog, place.path)
    if shape is None or not name:
        return None
    page, field = _attribute_page(place.path, shape), FIELDS[place.scope].get(place.path)
    return page if field is None else f"{page}\n\n{field.text}"


def _function_page(function: Function) -> str:
    example = f"```text\n{function.example}\n```" if function.example else None
    parts = (f"```text\n{function.signature}\n```", function.doc, function.errors, example)
    return "\n\n".join(part for part in parts if part)


def _attribute_page(path: str, shape: Shape) -> str:
    lines = [f"```text\n{fenced(path)}: {_describe(shape)}\n```"]
    if shape.why_null:
        lines.append(f"May be null: {shape.why_null}.")
    if isinstance(shape.note, Note) and shape.note.has(FLAGS["computed"]):
        lines.append("Computed by the provider: it may be known only after the apply.")
    element = shape.element if shape.mask & LISTS else None
    if names := list((element or shape).fields or ()):
        lines.append(f"Holds {', '.join(sorted(names)[:30])}{' …' if len(names) > 30 else ''}.")
    return "\n\n".join(lines)


def _describe(shape: Shape) -> str:
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


def _fields(place: Place, catalog: Catalog) -> list[Offer]:
    base, _, _ = place.path.rpartition(".")
    if not base:
        known = sorted(FIELDS[place.scope].items())
        return [Offer(name, "field", field.type, field.text) for name, field in known]
    shape = _resolve(place, catalog, base)
    if shape is None or shape.fields is None:
        return []
    return [Offer(name, "field", _describe(shape.fields[name])) for name in sorted(shape.fields)]


def _functions() -> list[Offer]:
    return [
        Offer(function.name, "function", function.signature, function.doc)
        for function in sorted(rule_functions(), key=lambda function: function.name)
    ]


def _variables(name: str, below: bool, declared: Declared) -> list[Offer]:
    """Offer the names of variables, or what is declared below one."""
    objects = {"params": declared.params, "data": declared.data, "context": declared.context}
    named: Mapping[str, str] = objects.get(name, {})
    if not below:
        named = {**dict.fromkeys(objects, "object"), **declared.variables}
    return [Offer(each, "value", what) for each, what in sorted(named.items())]


def _arguments(place: Place, catalog: Catalog) -> list[Offer]:
    function = place.argument[0] if place.argument else ""
    if function == "referenced_by":
        return [Offer(name, "type") for name in catalog.types()]
    if function in {"configured", "left_to_provider", "references", "changed"}:
        written = place.argument[1] if place.argument else ""
        return _fields(place._replace(path=f"after.{written}", argument=None), catalog)
    return []


def _resolve(place: Place, catalog: Catalog, path: str) -> Shape | None:
    """Return what stands at a path, on any of the types that the rule matches."""
    if place.scope in (Scope.RESOURCE, Scope.DRIFT):
        types = catalog.matching(place.types)[:_MOST_TYPES] if place.types else []
        roots = [change_shape(None, place.scope, kind, catalog.get(kind)) for kind in types]
        roots = roots or [change_shape(None, place.scope)]
    else:
        roots = [object_of(declared_fields(place.scope, catalog))]
    shapes = [_walk(root, path) for root in roots]
    found = [shape for shape in shapes if shape is not None]
    return union(*found) if found else None


def _walk(shape: Shape, path: str) -> Shape | None:
    for step in re.findall(r"[A-Za-z_][A-Za-z0-9_]*|\[[^\]]*\]|\"[^\"]*\"", path):
        if step.startswith("["):
            if not shape.mask & LISTS or shape.element is None:
                return None
            shape = shape.element
            continue
        found = (shape.fields or {}).get(step.strip('"'), shape.rest)
        if found is None:
            return None
        shape = found
    return shape
