"""What a finding says, from the redacted view alone."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tfgate.engine.scope import SubjectScope
from tfgate.model import Frozen
from tfgate.model.rule import Scope
from tfgate.model.text import late
from tfgate.plan import Reads
from tfgate.query import SENSITIVE, EvaluationError, Maybe, Unknown
from tfgate.ruleset.template import MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.engine.rule_verdict import RuleResult
    from tfgate.plan import Plan, Subject
    from tfgate.query.state import Meter


# --- Which attribute a finding is about, so that it points at that line and not at the block.


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
    """Which attribute a rule is about, as the paths show that decide it."""

    name: str | None = None
    """The attribute, where there is just one."""
    sides: tuple[str, ...] = ()
    """The fields of the root under which it is read."""
    way: tuple[str, ...] = ()
    """The names that all paths to it begin with, the attribute's own first."""


def attribute_of(rule: BoundRule) -> str | None:
    """Return the attribute that a rule is about, where what decides reads just one."""
    return _focus_of(rule).name


def attribute_in(rule: BoundRule, document: dict[str, Any]) -> str | None:
    """Return the same, followed into the document while there is one way: ``logging[0].bucket``.

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
    """Return the field of the root that has something in it, the first of them if several have."""
    for side in focus.sides:
        value = document.get(side)
        if value is not None:
            return side, value
    return "", None


def _focus_of(rule: BoundRule) -> Focus:
    lets = rule.deciding_lets.values()
    return _focus(rule.get_ready().decider.reads, *[named.reads for named in lets])


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
    rule: BoundRule,
    document: dict[str, Any],
    scope: SubjectScope | None,
    items: list[Any],
    meter: Meter,
) -> list[Traced]:
    """Return the element that each item of a ``deny`` list comes from, where it shows.

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
    if rule.deciding_lets:
        return untraced  # a ``let`` is of the whole list
    if not isinstance(elements, list) or not 1 < len(elements) <= _MOST:
        return untraced
    paths: list[Traced] = []
    given: list[Any] = []
    for number, element in enumerate(elements):
        alone = {**document, side: {**whole, name: [element]}}
        found = _evaluated(rule, alone, scope, meter)
        if found is None:
            return untraced
        given += found
        paths += [Traced(f"{name}[{number}]", element)] * len(found)
    return paths if _same(given, items) else untraced


def _evaluated(
    rule: BoundRule, document: dict[str, Any], scope: SubjectScope | None, meter: Meter
) -> list[Any] | None:
    assert rule.compiled.deny is not None, "only a deny expression has items"
    try:
        value = rule.compiled.deny.judge(document, scope, meter).value
    except EvaluationError:
        return None
    if meter.is_empty:
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


WITHHELD = SENSITIVE
"""What stands for an element that may depend on a sensitive value."""


class Failure(Frozen, frozen=True):
    """One finding of a failed rule."""

    item: int | None
    """Number of the element, where there are several."""
    message: str
    remediation: str | None = None
    about: Traced = Traced(None)
    """What it is about, where the element shows it."""


class Shown:
    """What a finding's texts are filled in from: the redacted view of the subject alone."""

    def __init__(
        self, plan: Plan | None, rule: BoundRule, subject: Subject, context: Context, meter: Meter
    ) -> None:
        self.rule = rule
        self.meter = meter
        reads = rule.shown_reads | rule.reads if rule.compiled.deny else rule.shown_reads
        self.document = subject.redacted(Reads.of(reads))
        scope = SubjectScope(plan, rule, subject, self.document, context, redacted=True)
        self.scope = scope if rule.get_ready().scoped or rule.shows_variables else None

    def message(self, item: object = MISSING) -> str:
        """Fill in the message."""
        return self.rule.compiled.message.render(self.document, item, self.scope, self.meter)

    def remediation(self, item: object = MISSING) -> str | None:
        """Fill in the remediation."""
        template = self.rule.compiled.remediation
        if template is None or not template.placeholders:
            return self.rule.plain_remediation
        return template.render(self.document, item, self.scope, self.meter)

    def failure(self, item: object = MISSING, number: int | None = None, *about: Traced) -> Failure:
        """Return a finding, of an element where there is one."""
        return Failure(number, self.message(item), self.remediation(item), *about)


def failures(
    plan: Plan | None,
    rule: BoundRule,
    subject: Subject,
    result: RuleResult,
    context: Context,
    meter: Meter,
) -> Iterator[Failure]:
    """Return each finding of a failed rule.

    A ``deny`` list gives one finding an element; elements that some completions lack give none.
    """
    shown = Shown(plan, rule, subject, context, meter)
    count = len(_definite_elements(result.value)) if rule.compiled.deny is not None else 0
    if not count:
        yield shown.failure()
        return
    items, attributes = _redacted_items(shown, count)
    for number, (item, attribute) in enumerate(zip(items, attributes, strict=True)):
        yield shown.failure(item, number if count > 1 else None, attribute)


def _definite_elements(value: Any) -> list[Any]:
    if not isinstance(value, list):
        return []
    return [element for element in value if not isinstance(element, Maybe)]


def _redacted_items(shown: Shown, count: int) -> tuple[list[Any], list[Traced]]:
    """Return the elements of ``deny`` as the redacted subject gives them, and what each is about.

    The expression is evaluated once more with every sensitive value unknown. Where that settles the
    same number of elements, none of them depends on a sensitive value; otherwise none is shown.
    """
    rule = shown.rule
    deny = rule.compiled.deny
    assert deny is not None, "only a deny expression has elements"
    nothing = [Traced(None)] * count
    try:
        found = _definite_elements(deny.judge(shown.document, shown.scope, shown.meter).value)
    except EvaluationError:
        return [WITHHELD] * count, nothing
    if len(found) != count:
        return [WITHHELD] * count, nothing
    if rule.rule.scope is Scope.SOURCE and all(map(_path_of, found)):
        return found, [Traced(_path_of(item)) for item in found]
    return found, traced(rule, shown.document, shown.scope, found, shown.meter)


def _path_of(item: Any) -> str | None:
    """In a block of the sources, an element may say what it is about: its ``path``."""
    path = item.get("path") if isinstance(item, dict) else None
    return path if isinstance(path, str) and path else None


def error_message(rule: BoundRule, result: RuleResult) -> str:
    """Name the rule's file, the key and the column of what could not be evaluated."""
    error = result.error
    if error is None:
        return "Some values that are unknown until the apply make every outcome an error."
    where = rule.rule.file + (f":{rule.rule.line}" if rule.rule.line else "")
    column = "" if error.position is None else f" column {error.position + 1}:"
    return f"{where}: {rule.rule.id}: {result.key}:{column} {error}"


def unknown_message(rule: BoundRule, document: dict[str, Any]) -> str:
    """Name the values that are unknown until the apply and that the rule reads."""
    names = sorted({".".join(path) for path in _unknown_paths(rule, document) if path})
    title = rule.rule.title
    if rule.rule.scope is Scope.SOURCE:
        what = f" ({', '.join(names[:4])})" if names else ""
        return f"Expressions stand where a value is needed{what}: {title}"
    if not names:
        return f"Cannot be decided before the apply: {title}"
    shown = ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")
    return f"Cannot be decided before the apply ({shown} not known yet): {title}"


def _unknown_paths(rule: BoundRule, document: dict[str, Any]) -> Iterable[Path]:
    for expression in rule.compiled.deciding():
        for path in expression.reads:
            unknown = _first_unknown(document, path)
            if unknown is not None:
                yield unknown


def _first_unknown(value: Any, path: Path, done: Path = ()) -> Path | None:
    """Return the part of ``path`` that leads to the first unknown, there or below its end.

    Names come from the rule's own text alone: a key of the plan may be sensitive.
    """
    if isinstance(value, Unknown):
        return done
    if not path:
        return done if _holds_unknown(value) else None
    if isinstance(value, list):
        found = (_first_unknown(element, path, done) for element in value)
        return next((place for place in found if place is not None), None)
    if not isinstance(value, dict):
        return None
    return _first_unknown(value.get(path[0]), path[1:], (*done, path[0]))


def _holds_unknown(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_unknown(element) for element in value.values())
    if isinstance(value, list):
        return any(_holds_unknown(element) for element in value)
    return isinstance(value, Unknown)
