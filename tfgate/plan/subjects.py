"""What the engine needs of whatever a rule is evaluated on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from tfgate.model.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tfgate.model.action import Action
    from tfgate.model.address import Location
    from tfgate.plan.plan import Plan
    from tfgate.plan.reads import Reads


class Subject(Protocol):
    """A change, an output, a module call, a provider, an action or the plan itself."""

    @property
    def address(self) -> str:
        """Unique among the subjects of a scope, with ``deposed``."""

    @property
    def type(self) -> str:
        """Resource or action type; ``""`` where the kind of subject has none."""

    @property
    def name(self) -> str:
        """Name in the configuration."""

    @property
    def action(self) -> Action | None:
        """What the apply does to it; None where that is no question."""

    @property
    def mode(self) -> str:
        """``managed`` or ``data``; ``managed`` for subjects that are no resources."""

    @property
    def module_address(self) -> str:
        """Address of the module it stands in, ``""`` for the root module."""

    @property
    def provider_name(self) -> str:
        """Full name of the provider, ``""`` where there is none."""

    @property
    def deposed(self) -> str | None:
        """Key of a deposed object, None for the current one."""

    @property
    def in_plan(self) -> bool:
        """Whether it is a part of a plan, and not a block of the sources."""

    def place(self, path: str | None) -> Location | None:
        """Where it, or its attribute, stands in the sources, where it knows that itself."""

    def literal_secrets(self) -> Any:
        """Of a block of the sources, the literals that look like secrets; else None."""

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root that expressions see, with the fields that ``reads`` wants."""

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""


# --- What the rules of each scope are evaluated on.


def iter_subjects(
    plan: Plan,
    scope: Scope,
    *,
    workspace: str | None = None,
    data_types: Collection[str] | None = (),
) -> Iterable[Subject]:
    """Return the subjects of ``scope`` in the plan's order.

    ``workspace`` is what plan rules see under that name. Behind the changes come the data sources
    of ``data_types`` (globs; None for all) that were read while the plan was made. Scope ``source``
    has no subjects in a plan. Deferred changes are facts of the plan, not resources that this apply
    makes.
    """
    if scope is Scope.RESOURCE:
        if data_types is not None and not data_types:
            return plan.changes
        return [*plan.changes, *plan.data_sources(data_types)]
    if scope is Scope.OUTPUT:
        return plan.outputs.values()
    if scope is Scope.PLAN:
        from tfgate.plan.configured import PlanSubject  # late, as all that few rules look at

        return (PlanSubject(plan, workspace),)
    if scope is Scope.MODULE:
        from tfgate.plan.configured import module_calls

        return module_calls(plan.configuration)
    if scope is Scope.PROVIDER:
        from tfgate.plan.configured import provider_configs

        return provider_configs(plan.configuration)
    if scope is Scope.DRIFT:
        return plan.drift
    if scope is Scope.ACTION:
        return (*plan.actions, *plan.deferred_actions)
    return ()
