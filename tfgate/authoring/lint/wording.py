"""Remarks of the walk in words, with the name of the check they belong to."""

from __future__ import annotations

from typing import Final

from tfgate.query.shapes import Remark, RemarkKind, Shape
from tfgate.query.values import LISTS, NUMBER, OBJECTS, STRINGS
from tfgate.ruleset.problems import nearest

CHECK_OF: Final = {
    RemarkKind.UNKNOWN_FIELD: "unknown-attribute",
    RemarkKind.FIELD_OF_LIST: "wrong-nesting",
    RemarkKind.FIELD_OF_SCALAR: "wrong-nesting",
    RemarkKind.LIST_EXPECTED: "wrong-nesting",
    RemarkKind.OBJECT_EXPECTED: "wrong-nesting",
    RemarkKind.NEVER_EQUAL: "type-mismatch",
    RemarkKind.NO_SUCH_WORD: "unknown-word",
    RemarkKind.NOT_ORDERED: "not-ordered",
    RemarkKind.MIXED_ORDER: "not-ordered",
    RemarkKind.TEXT_ORDER: "not-ordered",
    RemarkKind.NULL_RAISES: "null-raises",
    RemarkKind.TYPE_RAISES: "type-raises",
    RemarkKind.BAD_PATTERN: "bad-pattern",
}
ANYWHERE: Final = frozenset(
    {RemarkKind.NULL_RAISES, RemarkKind.TYPE_RAISES, RemarkKind.BAD_PATTERN}
)
"""What is wrong where it is so on one type, whatever it is on the others."""


def say(remark: Remark, of: str) -> str:
    """Write a remark; ``of`` names the type or types that were looked at."""
    return _SAYERS[remark.kind](remark, of)


def _unknown_field(remark: Remark, of: str) -> str:
    name, known = remark.detail, list(remark.shape.fields or {})
    found = nearest(name, known)
    hint = f' (did you mean "{found}"?)' if found else ""
    if not hint and 0 < len(known) <= 12:
        hint = f" (there are {', '.join(sorted(known))})"
    holder = remark.text.rpartition(".")[0]
    inside = holder.partition(".")[2] if holder.startswith(("after", "before")) else holder
    where = f" in {inside}" if inside and of else ""
    return f"{remark.text} is null always: {of or holder or 'it'} has no {name}{where}{hint}"


def _field_of_list(remark: Remark, of: str) -> str:
    base, _, name = remark.text.rpartition(".")
    element = remark.shape.element
    inner = element.fields if element is not None else None
    if inner is not None and name not in inner:
        found = nearest(name, list(inner))
        hint = f' (and its elements have no {name}; did you mean "{found}"?)' if found else ""
    else:
        hint = ""
    return (
        f"{remark.text} is null always: {base} is a list; write {base}[0].{name}, "
        f"{base}[].{name} or {base}[?…]{hint}"
    )


def _field_of_scalar(remark: Remark, of: str) -> str:
    base, _, name = remark.text.rpartition(".")
    cure = f"; write parse_json({base}).{name}" if remark.shape.mask & STRINGS else ""
    return f"{remark.text} is null always: {base} is a {remark.shape.words}{cure}"


def _list_expected(remark: Remark, of: str) -> str:
    base = remark.text
    if base.endswith("]") and not base.endswith("[]"):
        base = base[: base.rfind("[")] or base
    words = remark.shape.words
    cure = f"; write {base}.name for its fields" if remark.shape.mask & OBJECTS else ""
    return f"{base} is {_article(words)} and no list, so this is null always{cure}"


def _object_expected(remark: Remark, of: str) -> str:
    return f"{remark.text} is {_article(remark.shape.words)} and no object, so .* is null always"


def _never_equal(remark: Remark, of: str) -> str:
    left, right = remark.shape, remark.other or remark.shape
    cure = _cure(left, right)
    return (
        f"{remark.text} compares {_article(left.words)} with {_article(right.words)}, which are "
        f"never equal{cure}"
    )


def _cure(left: Shape, right: Shape) -> str:
    for typed, other in ((left, right), (right, left)):
        constants = other.constants or frozenset()
        if len(constants) != 1:
            continue
        constant = next(iter(constants))
        if isinstance(constant, str) and constant in {"true", "false"} and typed.words == "boolean":
            return f"; write `{constant}`"
        if isinstance(constant, str) and typed.mask & NUMBER and not typed.mask & STRINGS:
            return f"; write `{constant}`" if constant.isdigit() else ""
        if isinstance(constant, (int, float)) and typed.mask & STRINGS:
            return f"; write '{str(constant).lower()}'"
        if typed.mask & LISTS:
            return "; write contains(list, value)"
    return ""


def _no_such_word(remark: Remark, of: str) -> str:
    sides = [remark.shape, remark.other or remark.shape]
    sides.sort(key=lambda shape: len(shape.constants or ()))
    asked = ", ".join(map(_constant, sorted(sides[0].constants or (), key=str)))
    known = sorted(map(str, sides[1].constants or ()))
    found = nearest(str(next(iter(sides[0].constants or {""}))), known)
    hint = f' (did you mean "{found}"?)' if found and found not in asked else ""
    there = ", ".join(known) if len(known) <= 12 else f"one of {len(known)} words"
    return f"{remark.text} is never true: {asked} is none of {there}{hint}"


def _constant(value: object) -> str:
    return f"'{value}'" if isinstance(value, str) else str(value).lower()


def _not_ordered(remark: Remark, of: str) -> str:
    words = _article(remark.shape.words)
    return f"{remark.text} is {words}, and only numbers and strings are ordered: null always"


def _mixed_order(remark: Remark, of: str) -> str:
    sides = [remark.shape, remark.other or remark.shape]
    text = next((shape for shape in sides if shape.mask & STRINGS), remark.shape)
    literals = [constant for constant in text.constants or () if constant is not None]
    cure = f"`{literals[0]}`" if literals else "to_number(…)"
    return f"{remark.text} orders a number and a string, which fails; write {cure}"


def _text_order(remark: Remark, of: str) -> str:
    return (
        f"{remark.text} orders text letter by letter, so that '9' is more than '10'; write "
        "to_number(…), or semver_satisfies(…)"
    )


def _null_raises(remark: Remark, of: str) -> str:
    why = f" ({remark.shape.why_null})" if remark.shape.why_null else ""
    guard = "" if "|" in remark.text else f"; guard it: {remark.text} && …, or not_null(…, …)"
    where = f" on {of}" if of else ""
    return f"{remark.text} may be null{where}{why}, and {remark.detail}() fails on null{guard}"


def _type_raises(remark: Remark, of: str) -> str:
    words = _article(remark.shape.words)
    element = remark.shape.element
    if remark.shape.mask & LISTS and "array-" in remark.parameter and element is not None:
        words = f"a list of {element.words}"
    takes = remark.parameter.replace("array-", "list of ").replace("array", "list")
    return f"{remark.text} is {words}, and {remark.detail}() takes {takes.replace('|', ' or ')}"


def _bad_pattern(remark: Remark, of: str) -> str:
    return f"{remark.text}: {remark.detail}"


def _article(words: str) -> str:
    return words if words == "null" else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


_SAYERS: Final = {
    RemarkKind.UNKNOWN_FIELD: _unknown_field,
    RemarkKind.FIELD_OF_LIST: _field_of_list,
    RemarkKind.FIELD_OF_SCALAR: _field_of_scalar,
    RemarkKind.LIST_EXPECTED: _list_expected,
    RemarkKind.OBJECT_EXPECTED: _object_expected,
    RemarkKind.NEVER_EQUAL: _never_equal,
    RemarkKind.NO_SUCH_WORD: _no_such_word,
    RemarkKind.NOT_ORDERED: _not_ordered,
    RemarkKind.MIXED_ORDER: _mixed_order,
    RemarkKind.TEXT_ORDER: _text_order,
    RemarkKind.NULL_RAISES: _null_raises,
    RemarkKind.TYPE_RAISES: _type_raises,
    RemarkKind.BAD_PATTERN: _bad_pattern,
}
