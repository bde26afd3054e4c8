"""Functions that rules call all the time, written in place for arguments of the usual kinds.

Each gives None where it writes nothing, so that the call is written like that of any function.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.query.codegen.runtime import ATOMS
from tfgate.query.codegen.source import LONG, Atom, Source, made
from tfgate.query.functions.text import SHORT, compiled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    InPlace = Callable[[Source, Sequence[Atom]], Atom | None]


def _contains(source: Source, arguments: Sequence[Atom]) -> Atom | None:
    subject, sought = arguments
    x, y = subject.name, sought.name
    if subject.literal and subject.kind is list:
        values = source.value_of(x)
        if all(type(value) in ATOMS for value in values):
            among = source.constant(frozenset(values))
            if sought.kind not in ATOMS:
                source.decline_if(f"type({y}) not in ATOMS")
            return made(source.assign(f"{y} in {among}"), bool)
    if sought.kind is str:
        return made(source.assign(f"holds({x}, {y})"), bool)
    return None


def _made_to(kind: type, otherwise: str) -> InPlace:
    """Write what leaves a value of a type as it is and makes one of every other."""

    def write(source: Source, arguments: Sequence[Atom]) -> Atom:
        (subject,) = arguments
        x = subject.name
        if subject.kind is kind:
            return subject
        is_one = f"type({x}) is {kind.__name__}"
        return made(source.assign(f"{x} if {is_one} else {otherwise}({x})"), kind)

    return write


def _not_null(source: Source, arguments: Sequence[Atom]) -> Atom:
    *early, last = [argument.name for argument in arguments]
    chain = "".join(f"{x} if {x} is not None else " for x in early) + last
    name = source.assign(chain)
    kinds = {argument.kind for argument in arguments}
    if len(kinds) == 1 and arguments[0].kind is not None:
        return made(name, arguments[0].kind)
    if not all(argument.known for argument in arguments):
        source.decline_if(f"type({name}) is Unknown")
    return Atom(name, direct=all(argument.direct for argument in arguments), known=True)


def _to_number(source: Source, arguments: Sequence[Atom]) -> Atom:
    return Atom(source.assign(f"number({arguments[0].name})"), known=True)


def _type(source: Source, arguments: Sequence[Atom]) -> Atom:
    name = source.assign(f"KINDS.get(type({arguments[0].name}))")
    source.decline_if(f"{name} is None")
    return made(name, str)


def _length(source: Source, arguments: Sequence[Atom]) -> Atom:
    (subject,) = arguments
    if subject.kind not in (str, list, dict):
        source.decline_if(f"type({subject.name}) not in SIZED")
    return made(source.assign(f"len({subject.name})"), int)


def _keys(source: Source, arguments: Sequence[Atom]) -> Atom:
    return _listed(source, arguments[0], "list({})")


def _values(source: Source, arguments: Sequence[Atom]) -> Atom:
    return _listed(source, arguments[0], "list({}.values())")


def _listed(source: Source, subject: Atom, form: str) -> Atom:
    x = source.ensure(subject, dict).name
    source.spend(f"len({x})")
    return made(source.assign(form.format(x)), list)


def _split(source: Source, arguments: Sequence[Atom]) -> Atom | None:
    subject, separator = arguments
    if not separator.literal:
        return None
    x = _short(source, subject, LONG)
    parts = source.assign(f"{x}.split({separator.name})")
    source.spend(f"len({parts}) * 3")
    return made(parts, list)


def _matches(source: Source, arguments: Sequence[Atom]) -> Atom | None:
    subject, pattern = arguments
    if not (pattern.literal and pattern.kind is str):
        return None
    try:
        search, size = compiled(source.value_of(pattern.name))
    except ValueError:
        return None  # a parameter that is no pattern: the evaluator says so
    x = source.ensure(subject, str).name
    source.spend(f"len({x}) * {size} >> 5")
    return made(source.assign(f"{source.constant(search)}({x}.encode()) is not None"), bool)


def _parse_json(source: Source, arguments: Sequence[Atom]) -> Atom:
    from tfgate.query.functions.documents import read

    x = source.ensure(arguments[0], str).name
    source.spend(f"len({x}) >> 4")
    value = source.assign(f"lets.get({x}, MISSING)")
    with source.block(f"if {value} is MISSING"):
        source.line(f"{value} = lets[{x}] = {source.constant(read)}({x})")
    return Atom(value, known=True)


def _case(method: str) -> InPlace:
    def write(source: Source, arguments: Sequence[Atom]) -> Atom:
        return made(source.assign(f"{_short(source, arguments[0], SHORT)}.{method}()"), str)

    return write


def _end(method: str) -> InPlace:
    def write(source: Source, arguments: Sequence[Atom]) -> Atom | None:
        subject, end = arguments
        if not end.literal:
            return None
        x = source.ensure(subject, str).name
        return made(source.assign(f"{x}.{method}({end.name})"), bool)

    return write


def _short(source: Source, subject: Atom, most: int) -> str:
    """Leave longer strings to the evaluator; give the name of the string."""
    x = source.ensure(subject, str).name
    source.decline_if(f"len({x}) > {most}")
    return x


IN_PLACE: Final[dict[str, InPlace]] = {
    "contains": _contains,
    "ends_with": _end("endswith"),
    "keys": _keys,
    "length": _length,
    "lower": _case("lower"),
    "matches": _matches,
    "not_null": _not_null,
    "parse_json": _parse_json,
    "split": _split,
    "starts_with": _end("startswith"),
    "to_array": _made_to(list, "one"),
    "to_number": _to_number,
    "to_string": _made_to(str, "text"),
    "type": _type,
    "upper": _case("upper"),
    "values": _values,
}
"""By name; functions of other packages that have such a name are not meant."""
