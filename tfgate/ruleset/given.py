"""What the variables of a ruleset are, as shapes: parameters by their types, data by its content.

Loading asks for it only where an expression looks wrong; lint and editors ask for all of it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from tfgate.query.shapes.infer import Nameless
from tfgate.query.shapes.shape import (
    ANY,
    BOOLEAN,
    NUMBERS,
    TEXT,
    Shape,
    list_of,
    object_of,
    of_value,
)
from tfgate.query.values import EMPTY_LIST, EMPTY_OBJECT, LISTS, OBJECTS, STRINGS
from tfgate.ruleset.facts import known_facts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.query import Expression
    from tfgate.ruleset.params import ParamSpec, ParamType

_MAY_BE_NULL = ("vcs_branch",)
_PLAIN = {"string": TEXT, "number": NUMBERS, "bool": BOOLEAN}


class Given(Nameless):
    """Names of one ruleset, with the ``let`` of one rule; ``data`` has a `DataFile` for each."""

    def __init__(
        self,
        let: Mapping[str, Expression],
        params: Mapping[str, ParamSpec],
        context: Mapping[str, ParamSpec],
        data: Mapping[str, Any],
    ) -> None:
        self._let, self._params, self._data = let, params, data
        self._context = known_facts(context)

    def variable(self, name: str) -> Expression | None:
        """Return the expression of a ``let`` value."""
        return self._let.get(name)

    def given(self, name: str) -> Shape | None:
        """Return what ``$params``, ``$data`` and ``$context`` are."""
        if name == "params":
            return object_of({param: _declared(spec) for param, spec in self._params.items()})
        if name == "context":
            return object_of({fact: _declared(spec) for fact, spec in self._context.items()})
        if name == "data":
            return object_of({held: self._held(held) for held in self._data})
        return None

    def _held(self, name: str) -> Shape:
        held = self._data.get(name)
        return ANY if held is None else loosened(of_value(held.value))


def _declared(spec: ParamSpec) -> Shape:
    shape = _typed(spec.type, spec.default)
    is_given = spec.default is not None or (spec.required and spec.name not in _MAY_BE_NULL)
    return shape if is_given else shape.or_null()


def _typed(kind: ParamType, default: Any) -> Shape:
    if kind.item is None:
        shape = _PLAIN.get(kind.name, ANY)
        return replace(shape, samples=frozenset({default})) if isinstance(default, str) else shape
    if kind.name == "map":
        return object_of({}, _typed(kind.item, None).or_null())
    samples = default if isinstance(default, list) else []
    element = _typed(kind.item, None)
    if samples and all(isinstance(sample, str) for sample in samples):
        element = replace(element, samples=frozenset(samples))
    return list_of(element)


def loosened(shape: Shape) -> Shape:
    """Keep the structure of a value, and forget the values: another file may stand in for it."""
    mask = shape.mask
    for kinds in (LISTS, OBJECTS, STRINGS):
        mask |= kinds if mask & kinds else 0
    if mask & (EMPTY_LIST | EMPTY_OBJECT) and shape.fields is None and shape.element is None:
        return Shape(mask)
    element = shape.element
    fields = shape.fields
    loose = None if fields is None else {name: loosened(part) for name, part in fields.items()}
    element = None if element is None or not element.mask else loosened(element)
    return replace(shape, mask=mask, constants=None, least=0, fields=loose, element=element)
