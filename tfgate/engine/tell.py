"""What a finding says, from the redacted view alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.engine.attribute import Traced, traced
from tfgate.engine.scope import SubjectScope
from tfgate.model.rule import Scope
from tfgate.plan import Reads
from tfgate.query import SENSITIVE, EvaluationError, Maybe, Unknown
from tfgate.ruleset.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.engine.bound import BoundRule
    from tfgate.engine.context import Context
    from tfgate.engine.judge import Judged
    from tfgate.plan import Plan, Subject
    from tfgate.query import Expression

WITHHELD = SENSITIVE
"""What stands for an element that may depend on a sensitive value."""

Path = tuple[str, ...]


class Failure(Frozen, frozen=True):
    """One finding of a failed rule."""

    item: int | None
    """Number of the element, where there are several."""
    message: str
    about: Traced = Traced(None)
    """What it is about, where the element shows it."""


def failures(
    plan: Plan | None, rule: BoundRule, subject: Subject, judged: Judged, context: Context
) -> Iterator[Failure]:
    """Give each finding of a failed rule.

    A ``deny`` list gives one finding an element; elements that some completions lack give none.
    """
    template = rule.compiled.message
    shown = subject.redacted(Reads.of(rule.message_reads))
    count = len(_definite_elements(judged.value)) if rule.compiled.deny is not None else 0
    if not count:
        yield Failure(None, template.render(shown))
        return
    items, attributes = _redacted_items(plan, rule, subject, context, count)
    for number, (item, attribute) in enumerate(zip(items, attributes, strict=True)):
        yield Failure(number if count > 1 else None, template.render(shown, item), attribute)


def _definite_elements(value: Any) -> list[Any]:
    if not isinstance(value, list):
        return []
    return [element for element in value if not isinstance(element, Maybe)]


def _redacted_items(
    plan: Plan | None, rule: BoundRule, subject: Subject, context: Context, count: int
) -> tuple[list[Any], list[Traced]]:
    """Give the elements of ``deny`` as the redacted subject gives them, and what each is about.

    The expression is evaluated once more with every sensitive value unknown. Where that settles the
    same number of elements, none of them depends on a sensitive value; otherwise none is shown.
    """
    document = subject.redacted(Reads.of(rule.reads))
    redacted = SubjectScope(plan, rule, subject, document, context, redacted=True)
    scope = redacted if rule.get_ready().scoped else None
    deny = rule.compiled.deny
    assert deny is not None, "only a deny expression has elements"
    nothing = [Traced(None)] * count
    try:
        found = _definite_elements(deny.judge(document, scope, rule.meter).value)
    except EvaluationError:
        return [WITHHELD] * count, nothing
    if len(found) != count:
        return [WITHHELD] * count, nothing
    if rule.rule.scope is Scope.SOURCE and all(map(_path_of, found)):
        return found, [Traced(_path_of(item)) for item in found]
    return found, traced(rule, document, scope, found)


def _path_of(item: Any) -> str | None:
    """In a block of the sources, an element may say what it is about: its ``path``."""
    path = item.get("path") if isinstance(item, dict) else None
    return path if isinstance(path, str) and path else None


def error_message(rule: BoundRule, judged: Judged) -> str:
    """Name the rule's file, the key and the column of what could not be evaluated."""
    error = judged.error
    if error is None:
        return "Some values that are unknown until the apply make every outcome an error."
    where = rule.rule.file + (f":{rule.rule.line}" if rule.rule.line else "")
    column = "" if error.position is None else f" column {error.position + 1}:"
    return f"{where}: {rule.rule.id}: {judged.key}:{column} {error}"


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
    for expression in _deciding(rule):
        for path in expression.reads:
            unknown = _first_unknown(document, path)
            if unknown is not None:
                yield unknown


def _deciding(rule: BoundRule) -> Iterator[Expression]:
    compiled = rule.compiled
    for expression in (compiled.when, compiled.deny, compiled.require, *compiled.let.values()):
        if expression is not None:
            yield expression


def _first_unknown(value: Any, path: Path, done: Path = ()) -> Path | None:
    """Give the part of ``path`` that leads to the first unknown, if one is there or below its end.

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
