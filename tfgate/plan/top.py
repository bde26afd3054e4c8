"""A whole plan as a msgspec struct: parts that nobody has asked for yet stay bytes."""

from __future__ import annotations

import msgspec
from msgspec import Raw

from tfgate.plan.change import Change
from tfgate.plan.wire import ABSENT


class Top(msgspec.Struct, gc=False):
    """A whole plan. Of ``resource_changes``, the values of resources stay bytes as well."""

    format_version: Raw = ABSENT
    terraform_version: Raw = ABSENT
    variables: Raw = ABSENT
    planned_values: Raw = ABSENT
    resource_drift: Raw = ABSENT
    resource_changes: list[Change] | None = None
    deferred_changes: Raw = ABSENT
    deferred_action_invocations: Raw = ABSENT
    output_changes: Raw = ABSENT
    action_invocations: Raw = ABSENT
    prior_state: Raw = ABSENT
    configuration: Raw = ABSENT
    relevant_attributes: Raw = ABSENT
    checks: Raw = ABSENT
    timestamp: Raw = ABSENT
    applyable: Raw = ABSENT
    complete: Raw = ABSENT
    errored: Raw = ABSENT

    def kept(self) -> dict[str, Raw]:
        """Give the undecoded parts that the plan has, by key."""
        parts = {key: getattr(self, key) for key in self.__struct_fields__}
        return {key: part for key, part in parts.items() if isinstance(part, Raw) and part}
