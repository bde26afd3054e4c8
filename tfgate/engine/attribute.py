"""Which attribute a finding is about, so that it points at that line and not at the block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.model.pattern import late
from tfgate.query import EvaluationError, Maybe, Unknown
from tfgate.ruleset.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfgate.engine.bound import BoundRule
    from tfgate.engine.scope import SubjectScope

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


def attribute_of(rule: BoundRule) -> str | None:
    """Give the attribute that a rule is about, where what decides reads just one."""
    names = {path[1] for path in _decisive(rule) if len(path) > 1 and path[0] in _VALUES}
    whole = any(not path or (path[1:] == () and path[0] in _VALUES) for path in _decisive(rule))
    return names.pop() if len(names) == 1 and not whole else None


def attribute_in(rule: BoundRule, document: dict[str, Any]) -> str | None:
    """Give the same, followed into the document as far as there is one way: ``logging[0].bucket``.

    Names are those that the rule itself writes.
    """
    name = attribute_of(rule)
    if name is None:
        return None
    reads = _innermost([path for path in _decisive(rule) if path[:1] and path[0] in _VALUES])
    value, path = document.get(reads[0][0]), ""
    for steps in zip(*(one[1:] for one in reads), strict=False):
        if len(set(steps)) > 1 or not _NAME.fullmatch(steps[0]):
            break
        if isinstance(value, list):
            if len(value) != 1:
                break
            value, path = value[0], f"{path}[0]"
        path = f"{path}.{steps[0]}" if path else steps[0]
        value = value.get(steps[0]) if isinstance(value, dict) else None
    return path or name


def _innermost(paths: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Leave out what only leads to another path: the list of a filter."""
    return [
        path
        for path in paths
        if not any(other != path and other[: len(path)] == path for other in paths)
    ]


def _decisive(rule: BoundRule) -> Iterable[tuple[str, ...]]:
    compiled = rule.compiled
    expression = compiled.deny if compiled.deny is not None else compiled.require
    if expression is None:
        return ()
    found = set(expression.reads)
    if "var" in expression.functions:
        for named in compiled.let.values():
            found |= named.reads
    return found


def traced(
    rule: BoundRule, document: dict[str, Any], scope: SubjectScope | None, items: list[Any]
) -> list[Traced]:
    """Give the element that each item of a ``deny`` list comes from, where it shows.

    The expression is evaluated on each element of the one list that it reads, alone; where the
    results together are the items, in their order, each is of the element that gave it. Anything
    else is not traced, and the attribute itself stands for all of them.
    """
    name = attribute_of(rule)
    untraced = [Traced(name)] * len(items)
    side = next((path[0] for path in _decisive(rule) if len(path) > 1 and path[1] == name), "")
    whole = document.get(side)
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
