"""A plan: typed, lazy, checked."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfgate.plan.decoding import decode_value
from tfgate.plan.variables import redacted_values, variable_values

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tfgate.model.action import Action
    from tfgate.plan.change import Change
    from tfgate.plan.configuration import Configuration
    from tfgate.plan.digest import Digest
    from tfgate.plan.invocation import Invocation
    from tfgate.plan.output import OutputChange
    from tfgate.plan.wire import Top


class Plan:
    """What Terraform would do, read from plan JSON by `tfgate.plan.read_plan`."""

    def __init__(
        self,
        top: Top,
        digest: Digest,
        configuration: Configuration,
        *,
        format_version: str,
        warnings: tuple[str, ...],
        changes: Sequence[Change],
        drift: Sequence[Change],
        deferred: Sequence[Change],
        outputs: Mapping[str, OutputChange],
        actions: Sequence[Invocation],
        deferred_actions: Sequence[Invocation],
        facts: Mapping[str, Any],
    ) -> None:
        self._top = top
        self._digest = digest
        self.configuration = configuration
        self.format_version = format_version
        self.warnings = warnings
        self.changes = changes
        """``resource_changes``, in the plan's order."""
        self.drift = drift
        """``resource_drift``: what changed outside of Terraform."""
        self.deferred = deferred
        """``deferred_changes``: what this plan leaves for a later one."""
        self.outputs = outputs
        """``output_changes`` of the root module, by name."""
        self.actions = actions
        """``action_invocations``."""
        self.deferred_actions = deferred_actions
        """``deferred_action_invocations``."""
        self.terraform_version: str | None = facts["terraform_version"]
        self.timestamp: str | None = facts["timestamp"]
        self.complete: bool | None = facts["complete"]
        """False if the apply leaves something out (targeting, deferral); None before 1.8."""
        self.applyable: bool | None = facts["applyable"]
        """False if there is nothing to apply, or it must not be; None before 1.7."""
        self.errored: bool = bool(facts["errored"])

    @property
    def json_sha256(self) -> str:
        """SHA-256, in hexadecimal digits, of the bytes as they were given."""
        return self._digest.hex()

    @cached_property
    def checks(self) -> list[Any]:
        """Results of checks and conditions, as in the plan: they hold no values."""
        return decode_value(self._top.checks, "checks") or []

    @cached_property
    def relevant_attributes(self) -> list[Any]:
        """Attributes that the plan depends on: ``{"resource": …, "attribute": […]}``."""
        return decode_value(self._top.relevant_attributes, "relevant_attributes") or []

    def variables(self) -> dict[str, Any]:
        """The root module's variables by name: secret ones included."""
        return variable_values(self._top.variables)

    def redacted_variables(self) -> dict[str, Any]:
        """The same with `SENSITIVE` for sensitive ones, and for all without a configuration."""
        return redacted_values(self.variables(), self.configuration)

    def counts(self) -> dict[str, int]:
        """Count resource changes per action, and imports, moves, drift and deferred changes."""
        from tfgate.plan.counting import counts

        return counts(self)

    def counts_by_type(self) -> dict[str, dict[str, int]]:
        """Count resource changes per type and action."""
        table: dict[str, dict[str, int]] = {}
        for (kind, action), number in Counter(map(_type_and_action, self.changes)).items():
            table.setdefault(kind, {})[action.value] = number
        return table


def _type_and_action(change: Change) -> tuple[str, Action]:
    return change.type, change.action
