"""The plan as a whole: the subject of ``plan`` rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.modulecall import module_calls
from tfgate.plan.provider import provider_configs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tfgate.plan.plan import Plan
    from tfgate.plan.reads import Reads
    from tfgate.plan.subject import Subject


class PlanSubject:
    """The only subject of scope ``plan``. Satisfies `tfgate.plan.subject.Subject`."""

    __slots__ = ("plan", "workspace")

    address = "plan"
    type = ""
    name = ""
    action = None
    mode = "managed"
    module_address = ""
    provider_name = ""
    deposed: str | None = None

    def __init__(self, plan: Plan, workspace: str | None) -> None:
        self.plan = plan
        self.workspace = workspace

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of a plan rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(REDACTED_FIELDS)}


def plan_document(plan: Plan, workspace: str | None, reads: Reads) -> dict[str, Any]:
    """Give the root of a plan rule with the fields that ``reads`` wants."""
    return PlanSubject(plan, workspace).document(reads)


def redacted_plan_document(plan: Plan, workspace: str | None, reads: Reads) -> dict[str, Any]:
    """Give the same with `SENSITIVE` for what must not be shown."""
    return PlanSubject(plan, workspace).redacted(reads)


_LISTS: Final[Mapping[str, Callable[[Plan], Iterable[Subject]]]] = {
    "changes": lambda plan: plan.changes,
    "drift": lambda plan: plan.drift,
    "deferred": lambda plan: plan.deferred,
    "outputs": lambda plan: plan.outputs.values(),
    "actions": lambda plan: [*plan.actions, *plan.deferred_actions],
    "providers": lambda plan: provider_configs(plan.configuration),
    "modules": lambda plan: module_calls(plan.configuration),
}
"""Fields that are lists of what other scopes have as their root."""


def _list(name: str, *, redacted: bool) -> Callable[[PlanSubject, Reads], Any]:
    items = _LISTS[name]

    def get(subject: PlanSubject, reads: Reads) -> list[dict[str, Any]]:
        below = reads.below(name)
        if redacted:
            return [item.redacted(below) for item in items(subject.plan)]
        return [item.document(below) for item in items(subject.plan)]

    return get


FIELDS: Final[Mapping[str, Callable[[PlanSubject, Reads], Any]]] = {
    "counts": lambda subject, _: subject.plan.counts(),
    "counts_by_type": lambda subject, _: subject.plan.counts_by_type(),
    **{name: _list(name, redacted=False) for name in _LISTS},
    "variables": lambda subject, _: subject.plan.variables(),
    "checks": lambda subject, _: subject.plan.checks,
    "complete": lambda subject, _: subject.plan.complete,
    "applyable": lambda subject, _: subject.plan.applyable,
    "errored": lambda subject, _: subject.plan.errored,
    "format_version": lambda subject, _: subject.plan.format_version,
    "terraform_version": lambda subject, _: subject.plan.terraform_version,
    "timestamp": lambda subject, _: subject.plan.timestamp,
    "workspace": lambda subject, _: subject.workspace,
    "source": lambda _subject, _: None,
}
"""The root of a plan rule."""

REDACTED_FIELDS: Final[Mapping[str, Callable[[PlanSubject, Reads], Any]]] = {
    **FIELDS,
    **{name: _list(name, redacted=True) for name in _LISTS},
    "variables": lambda subject, _: subject.plan.redacted_variables(),
}
