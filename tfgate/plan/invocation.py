"""Actions that an apply invokes: ``action_invocations`` (Terraform 1.14)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from tfgate.plan.decoding import decode_value, too_deep
from tfgate.plan.overlay import merge
from tfgate.plan.redact import redact
from tfgate.plan.secrets import redact_named
from tfgate.plan.wire import ABSENT, Name

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfgate.model.action import Action
    from tfgate.plan.reads import Reads


class Invocation(msgspec.Struct, gc=False):
    """One invocation of an ``action`` block. Satisfies `tfgate.plan.subject.Subject`."""

    address: Name
    type: Name = ""
    name: Name = ""
    config_values: Raw = ABSENT
    config_sensitive: Raw = ABSENT
    config_unknown: Raw = ABSENT
    lifecycle_action_trigger: Raw = ABSENT
    invoke_action_trigger: Raw = ABSENT
    _provider: Name | None = msgspec.field(default=None, name="provider_name")
    # Both are set by the reader, whatever a plan has under these names.
    _where: str = msgspec.field(default="action_invocations", name="(where)")
    _reason: str | None = msgspec.field(default=None, name="(reason)")

    @property
    def action(self) -> Action | None:
        """None: an invocation creates, changes and deletes nothing by itself."""
        return None

    @property
    def mode(self) -> str:
        """``managed``: an action is no data source."""
        return "managed"

    @property
    def module_address(self) -> str:
        """Address of the module that the action stands in."""
        return self.address.rpartition("action.")[0].rstrip(".")

    @property
    def provider_name(self) -> str:
        """Full name of the provider."""
        return self._provider or ""

    @property
    def deposed(self) -> str | None:
        """None: there are no deposed actions."""
        return None

    @property
    def deferred_reason(self) -> str | None:
        """Why it was deferred; None for an invocation that was not."""
        return self._reason

    def part(self, field: str) -> Any:
        """Decode one of the undecoded fields."""
        return decode_value(getattr(self, field), f"{self._where}.{field}")

    def values(self) -> Any:
        """Give the action's arguments, with `UNKNOWN` where they are not known yet."""
        try:
            return merge(self.part("config_values"), self.part("config_unknown"))
        except RecursionError:
            raise too_deep(self._where) from None

    def redacted_values(self) -> Any:
        """Give the arguments with `SENSITIVE` for what must not be shown."""
        values = self.values()
        if not self.config_sensitive:
            values = redact_named(values)
        return redact(values, self.part("config_sensitive"))

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of an action rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(REDACTED_FIELDS)}


FIELDS: Final[Mapping[str, Callable[[Invocation, Reads], Any]]] = {
    "address": lambda action, _: action.address,
    "module_address": lambda action, _: action.module_address,
    "type": lambda action, _: action.type,
    "name": lambda action, _: action.name,
    "provider_name": lambda action, _: action.provider_name,
    "config_values": lambda action, _: action.values(),
    "lifecycle_action_trigger": lambda action, _: action.part("lifecycle_action_trigger"),
    "invoke_action_trigger": lambda action, _: action.part("invoke_action_trigger"),
    "deferred_reason": lambda action, _: action.deferred_reason,
    "source": lambda _action, _: None,
}
"""The root of an action rule."""

REDACTED_FIELDS: Final[Mapping[str, Callable[[Invocation, Reads], Any]]] = {
    **FIELDS,
    "config_values": lambda action, _: action.redacted_values(),
}


ActionInvocation = Invocation
"""Its name outside of this room, where an invocation could be of anything."""
