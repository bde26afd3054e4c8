"""Which attribute a finding is about, so that it points at that line and not at the block."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tfgate.model.pattern import late
from tfgate.query import EvaluationError, Maybe, Unknown
from tfgate.ruleset.frozen import Frozen

if TYPE_CHECKING:
    from tfgate.engine.bound import BoundRule
    from tfgate.engine.scope import SubjectScope

Path = tuple[str, ...]

_VALUES: Final = ("after", "before", "body", "written")
"""Fields of a root under which attributes stand."""
_NAME: Final = late(r"[A-Za-z_][\w-]*")
_MOST: Final = 100
"""Elements of a list that are tried one by one."""


class Traced(Frozen, frozen=True):
    """What a finding is about."""

    path: str | None
    """The attribute, with the number of the element where it is known: ``ingress[1]``."""
    element: Any = None
    """The element itself, redacted."""


class Focus(Frozen, frozen=True):
    """Which attribute a rule is about, as the paths tell that decide it."""

    name: str | None = None
    """The attribute, where there is just one."""
    sides: tuple[str, ...] = ()
    """The fields of the root under which it is read."""
    way: tuple[str, ...] = ()
    """The names that all paths to it begin with, the attribute's own first."""


def attribute_of(rule: BoundRule) -> str | None:
    """Give the attribute that a rule is about, where what decides reads just one."""
    return _focus_of(rule).name


def attribute_in(rule: BoundRule, document: dict[str, Any]) -> str | None:
    """Give the same, followed into the document as far as there is one way: ``logging[0].bucket``.

    Names are those that the rule itself writes.
    """
    focus = _focus_of(rule)
    value, path = _side_of(focus, document)[1], ""
    for name in focus.way:
        if isinstance(value, list):
            if len(value) != 1:
                break
            value, path = value[0], f"{path}[0]"
        path = f"{path}.{name}" if path else name
        value = value.get(name) if isinstance(value, dict) else None
    return path or focus.name


def _side_of(focus: Focus, document: dict[str, Any]) -> tuple[str, Any]:
    """Give the field of the root that has something in it, the first of them if several have."""
    for side in focus.sides:
        value = document.get(side)
        if value is not None:
            return side, value
    return "", None


def _focus_of(rule: BoundRule) -> Focus:
    decider = rule.get_ready().decider
    if "var" not in decider.functions:
        return _focus(decider.reads)
    return _focus(decider.reads, *[named.reads for named in rule.compiled.let.values()])


@lru_cache(maxsize=4096)
def _focus(*reads: frozenset[Path]) -> Focus:
    paths = frozenset[Path]().union(*reads)
    under = [path for path in paths if not path or path[0] in _VALUES]
    names = {path[1:2] for path in under}
    if len(names) != 1 or () in names:
        return Focus()
    way = []
    for steps in zip(*(path[1:] for path in _innermost(under)), strict=False):
        if len(set(steps)) > 1 or not _NAME.fullmatch(steps[0]):
            break
        way.append(steps[0])
    sides = {path[0] for path in under}
    sides_in_order = tuple(side for side in _VALUES if side in sides)
    return Focus(names.pop()[0], sides_in_order, tuple(way))


def _innermost(paths: list[Path]) -> list[Path]:
    """Leave out what only leads to another path: the list of a filter."""
    return [
        path
        for path in paths
        if not any(other != path and other[: len(path)] == path for other in paths)
    ]


def traced(
    rule: BoundRule, document: dict[str, Any], scope: SubjectScope | None, items: list[Any]
) -> list[Traced]:
    """Give the element that each item of a ``deny`` list comes from, where it shows.

    The expression is evaluated on each element of the one list that it reads, alone; where the
    results together are the items, in their order, each is of the element that gave it. Anything
    else is not traced, and the attribute itself stands for all of them.
    """
    focus = _focus_of(rule)
    name = focus.name
    untraced = [Traced(name)] * len(items)
    side, whole = _side_of(focus, document)
    if not isinstance(whole, dict) or name is None:
        return untraced
    elements = whole.get(name)
    if not isinstance(elements, list) or not 1 < len(elements) <= _MOST or "var" in _calls(rule):
        return untraced
    paths: list[Traced] = []
    given: list[Any] = []
    for number, element in enumerate(elements):
        alone = {**document, side: {**whole, name: [element]}}
        found = _evaluated(rule, alone, scope)
        if found is None:
            return untraced
        given += found
        paths += [Traced(f"{name}[{number}]", element)] * len(found)
    return paths if _same(given, items) else untraced


def _calls(rule: BoundRule) -> frozenset[str]:
    return rule.compiled.deny.functions if rule.compiled.deny is not None else frozenset()


def _evaluated(
    rule: BoundRule, document: dict[str, Any], scope: SubjectScope | None
) -> list[Any] | None:
    assert rule.compiled.deny is not None, "only a deny expression has items"
    try:
        value = rule.compiled.deny.judge(document, scope, rule.meter).value
    except EvaluationError:
        return None
    if rule.meter.is_empty:
        return None
    if isinstance(value, list):
        return [element for element in value if not isinstance(element, Maybe)]
    return None if value else []


def _same(given: list[Any], items: list[Any]) -> bool:
    if len(given) != len(items):
        return False
    return all(
        a is b if isinstance(a, Unknown) or isinstance(b, Unknown) else a == b
        for a, b in zip(given, items, strict=True)
    )


__all__ = ["Traced", "attribute_in", "attribute_of", "traced"]
