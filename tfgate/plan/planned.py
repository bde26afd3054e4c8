"""``planned_values``: what a whole plan says of everything that will be there after the apply.

Terraform makes it, as it makes ``resource_changes``, from one list of changes (``internal/command/
jsonplan``, ``marshalPlannedValues``): what has a planned value and no change is a plan that
somebody has taken the changes out of, as tools for graphs and costs do.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from tfgate.errors import PlanError
from tfgate.model.action import Action
from tfgate.model.address import instance_address
from tfgate.plan.configuration import managed_blocks, without_keys
from tfgate.plan.decoding import Decoder, decode_as
from tfgate.plan.text import shown
from tfgate.plan.wire import ABSENT, Name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.plan.change import Change
    from tfgate.plan.configuration import Configuration


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
        return len(self._raw) > 0 and bytes(self._raw) != b"null"

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
