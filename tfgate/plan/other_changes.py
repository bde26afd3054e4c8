"""One root module output and what the apply does to it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from tfgate.errors import PlanError
from tfgate.model.action import Action
from tfgate.model.address import instance_address
from tfgate.plan.change import ABSENT, Name, action_named
from tfgate.plan.configuration import managed_blocks, without_keys
from tfgate.plan.decoding import Decoder, decode_as, decode_value, too_deep
from tfgate.plan.reads import PartOfPlan
from tfgate.plan.repeated import shown
from tfgate.plan.values import merge, names_secret, redact, redact_expression, redact_named
from tfgate.query.values import SENSITIVE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tfgate.plan.change import Body, Change
    from tfgate.plan.configuration import Configuration, Output
    from tfgate.plan.reads import Reads


class OutputChange(PartOfPlan):
    """An entry of ``output_changes``. Satisfies `tfgate.plan.subjects.Subject`."""

    __slots__ = ("_body", "_by_name", "_configuration", "_planned", "name")

    type = ""
    mode = "managed"
    module_address = ""
    provider_name = ""
    deposed: str | None = None

    def __init__(
        self,
        name: str,
        body: Body,
        planned: Planned,
        configuration: Configuration,
        *,
        by_name: bool,
    ) -> None:
        self.name = name
        self._body = body
        self._planned = planned
        self._configuration = configuration
        self._by_name = by_name

    @property
    def address(self) -> str:
        """``output.NAME``."""
        return f"output.{self.name}"

    @property
    def where(self) -> str:
        """JSON path of the entry, for errors."""
        return f"output_changes.{self.name}"

    @property
    def actions(self) -> tuple[str, ...]:
        """The words of the format."""
        return self._body.actions

    @property
    def action(self) -> Action:
        """The one word for them."""
        return action_named(self._body.actions)

    @property
    def declared(self) -> Output | None:
        """The output as configured, None if it is being removed."""
        return (self._configuration.root.outputs or {}).get(self.name)

    @property
    def sensitive(self) -> bool:
        """Whether the output is declared sensitive, or marked so before or after."""
        declared, planned = self.declared, self._planned.output(self.name)
        return bool(
            (declared is not None and declared.sensitive)
            or (planned is not None and planned.sensitive)
            or self._marks("before_sensitive") is True
            or self._marks("after_sensitive") is True
        )

    @property
    def before(self) -> Any:
        """The value in the state."""
        return decode_value(self._body.before, f"{self.where}.before")

    @property
    def after(self) -> Any:
        """The value after the apply, with `UNKNOWN` where that is not known yet."""
        known = decode_value(self._body.after, f"{self.where}.after")
        try:
            return merge(known, self._marks("after_unknown"))
        except RecursionError:
            raise too_deep(self.where) from None

    def _marks(self, field: str) -> Any:
        return decode_value(getattr(self._body, field), f"{self.where}.{field}")

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of an output rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(REDACTED_FIELDS)}

    def hidden(self, value: Any, side: str) -> Any:
        """Redact in ``value`` what the marks of ``side`` say; all of a sensitive output."""
        if self.sensitive:
            return SENSITIVE
        marks = self._marks(side)
        if marks is None or self._by_name:
            value = SENSITIVE if names_secret(self.name) else redact_named(value)
        return redact(value, marks)

    def kind(self) -> Any:
        """The type of the value as Terraform writes it: ``"string"``, ``["list","string"]``."""
        planned = self._planned.output(self.name)
        return None if planned is None else decode_value(planned.type, f"{self.where}.type")

    def config(self) -> dict[str, Any] | None:
        """The output's block: expression, references inside, flags, description."""
        declared = self.declared
        if declared is None:
            return None
        where = f"configuration.root_module.outputs.{self.name}"
        return {
            "expression": decode_value(declared.expression, f"{where}.expression") or {},
            "sensitive": bool(declared.sensitive),
            "description": declared.description,
            "depends_on": declared.depends_on or [],
        }

    def redacted_config(self) -> dict[str, Any] | None:
        """The block without a constant that may be secret."""
        config = self.config()
        if config is None:
            return None
        secret = self.sensitive or names_secret(self.name)
        return {**config, "expression": redact_expression(config["expression"], secret=secret)}


FIELDS: Final[Mapping[str, Callable[[OutputChange, Reads], Any]]] = {
    "address": lambda output, _: output.address,
    "name": lambda output, _: output.name,
    "action": lambda output, _: output.action.value,
    "actions": lambda output, _: list(output.actions),
    "before": lambda output, _: output.before,
    "after": lambda output, _: output.after,
    "sensitive": lambda output, _: output.sensitive,
    "type": lambda output, _: output.kind(),
    "config": lambda output, _: output.config(),
    "source": lambda _output, _: None,
}
"""The root of an output rule."""

REDACTED_FIELDS: Final[Mapping[str, Callable[[OutputChange, Reads], Any]]] = {
    **FIELDS,
    "before": lambda output, _: output.hidden(output.before, "before_sensitive"),
    "after": lambda output, _: output.hidden(output.after, "after_sensitive"),
    "config": lambda output, _: output.redacted_config(),
}


# --- ``planned_values``: what a whole plan says of everything that will be there after the apply.
#
# Terraform makes it, as it makes ``resource_changes``, from one list of changes
# (``internal/command/ jsonplan``, ``marshalPlannedValues``): what has a planned value and no change
# is a plan that somebody has taken the changes out of, as tools for graphs and costs do.


class PlannedOutput(msgspec.Struct, gc=False):
    """An output in ``planned_values``, without its value."""

    sensitive: bool | None = None
    type: Raw = ABSENT


class PlannedResource(msgspec.Struct, gc=False):
    """A resource instance in ``planned_values``, without its values."""

    address: Name | None = None
    mode: str = ""
    type: Name = ""
    name: Name = ""
    index: int | Name | None = None


class PlannedModule(msgspec.Struct, gc=False):
    """A module instance in ``planned_values``."""

    address: Name | None = None
    resources: list[PlannedResource] | None = None
    child_modules: list[PlannedModule] | None = None


class _Values(msgspec.Struct, gc=False):
    outputs: dict[str, PlannedOutput] | None = None
    root_module: PlannedModule | None = None


_DECODER: Final[Decoder[_Values | None]] = Decoder(_Values | None)


class Planned:
    """What is planned. Decoded when first asked for, without the values: that part is large."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw

    @cached_property
    def _values(self) -> _Values:
        whole = decode_as(_DECODER, self._raw, "planned_values") if self._raw else None
        return whole or _Values()

    def output(self, name: str) -> PlannedOutput | None:
        """Find an output. Raises PlanError where that part is malformed."""
        return (self._values.outputs or {}).get(name)

    @property
    def present(self) -> bool:
        """Whether the plan has this part at all."""
        return len(self._raw) > len(b"null") or bytes(self._raw) not in (b"", b"null")

    def addresses(self) -> Iterator[str]:
        """Yield the address of every resource instance."""
        stack = [self._values.root_module] if self._values.root_module is not None else []
        while stack:
            module = stack.pop()
            for one in module.resources or ():
                yield one.address or instance_address(
                    module.address or "", one.mode, one.type, one.name, one.index
                )
            stack.extend(module.child_modules or ())


def check_whole(
    planned: Planned, configuration: Configuration, changes: Sequence[Change], *, partial: bool
) -> None:
    """Raise PlanError where something is planned (or configured) that no change speaks of.

    ``changes`` are all changes, the deferred ones among them; ``partial`` says that the plan leaves
    something out. Blocks of the configuration are looked at only where ``planned_values`` is gone,
    which no plan of Terraform lacks: a block may have no instance (``count = 0``), and an instance
    no change (targeting, refreshing alone, destroying).
    """
    changed = {change.address for change in changes if change.deposed is None}
    for address in planned.addresses():
        if address not in changed:
            raise _not_whole(f"{shown(address)} is planned (planned_values)")
    if planned.present or not configuration.present:
        return
    partial = partial or all(change.action is Action.DELETE for change in changes)
    known = {without_keys(change.address) for change in changes}
    for address, optional in managed_blocks(configuration):
        if address not in known and not (known and (optional or partial)):
            raise _not_whole(f"planned_values is missing, and {shown(address)} is configured")


def _not_whole(what: str) -> PlanError:
    return PlanError(
        f"This is not a whole plan: {what} and has no entry in resource_changes.",
        hint="Pass the output of `terraform show -json PLANFILE` as it is, with nothing taken out.",
    )


# --- Actions that an apply invokes: ``action_invocations`` (Terraform 1.14).


class Invocation(msgspec.Struct, PartOfPlan, gc=False):
    """One invocation of an ``action`` block. Satisfies `tfgate.plan.subjects.Subject`."""

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
        """Return the action's arguments, with `UNKNOWN` where they are not known yet."""
        try:
            return merge(self.part("config_values"), self.part("config_unknown"))
        except RecursionError:
            raise too_deep(self._where) from None

    def redacted_values(self) -> Any:
        """Return the arguments with `SENSITIVE` for what must not be shown."""
        values = self.values()
        if not self.config_sensitive:
            values = redact_named(values)
        return redact(values, self.part("config_sensitive"))

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of an action rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(INVOCATION_FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(INVOCATION_REDACTED_FIELDS)}


INVOCATION_FIELDS: Final[Mapping[str, Callable[[Invocation, Reads], Any]]] = {
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

INVOCATION_REDACTED_FIELDS: Final[Mapping[str, Callable[[Invocation, Reads], Any]]] = {
    **INVOCATION_FIELDS,
    "config_values": lambda action, _: action.redacted_values(),
}


ActionInvocation = Invocation
"""Its name outside of this room, where an invocation could be of anything."""
