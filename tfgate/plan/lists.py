"""The lists of a plan: resource changes, drift, deferred changes, outputs, actions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from tfgate.errors import PlanError
from tfgate.model.address import instance_address
from tfgate.plan.change import Body, Change, Name, action_named
from tfgate.plan.decoding import Decoder, decode_as, wrong_shape
from tfgate.plan.other_changes import Invocation, OutputChange
from tfgate.plan.repeated import check_entries, check_tree, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.change import Context
    from tfgate.plan.other_changes import Planned
    from tfgate.plan.plan import Top


class Deferred(msgspec.Struct, gc=False):
    """An entry of ``deferred_changes``."""

    resource_change: Change
    reason: str = "unknown"


class DeferredInvocation(msgspec.Struct, gc=False):
    """An entry of ``deferred_action_invocations``."""

    action_invocation: Invocation
    reason: str = "unknown"


_CHANGES: Final[Decoder[list[Change] | None]] = Decoder(list[Change] | None)
_RAWS: Final[Decoder[list[Raw]]] = Decoder(list[Raw])
_DEFERRED: Final[Decoder[list[Deferred] | None]] = Decoder(list[Deferred] | None)
_OUTPUTS: Final[Decoder[dict[str, Body] | None]] = Decoder(dict[Name, Body] | None)
_INVOCATIONS: Final[Decoder[list[Invocation] | None]] = Decoder(list[Invocation] | None)
_DEFERRED_INVOCATIONS: Final[Decoder[list[DeferredInvocation] | None]] = Decoder(
    list[DeferredInvocation] | None
)


def resource_changes(top: Top, context: Context) -> list[Change]:
    """Return ``resource_changes``."""
    changes = top.resource_changes or []
    _settle_all(changes, context)
    check_addresses(changes, context)
    return changes


def drift(raw: Raw, context: Context) -> list[Change]:
    """Decode ``resource_drift``.

    Terraform 1.0 left the index out together with the address: entries without both are of some
    instance of their resource, and several may be of one resource.
    """
    changes = (raw and decode_as(_CHANGES, raw, context.section)) or []
    if changes:
        raws: list[Raw] = decode_as(_RAWS, raw, context.section)
        check_entries(changes, raws, context.section)
    named = [change for change in changes if change.address or change.index is not None]
    _settle_all(changes, context)
    check_addresses(named, context)
    return changes


def deferred(raw: Raw, context: Context) -> list[Change]:
    """Decode ``deferred_changes`` into changes with a `Change.deferred_reason`."""
    entries = (raw and decode_as(_DEFERRED, raw, context.section)) or []
    if entries:
        check_tree(raw, context.section, levels=4)
    for position, entry in enumerate(entries):
        settle(entry.resource_change, position, context.deferred(entry.reason))
    changes = [entry.resource_change for entry in entries]
    _check_actions(changes)
    check_addresses(changes, context)
    return changes


def outputs(raw: Raw, planned: Planned, context: Context) -> dict[str, OutputChange]:
    """Decode ``output_changes``."""
    bodies = (raw and decode_as(_OUTPUTS, raw, context.section)) or {}
    if bodies:
        check_tree(raw, context.section, levels=2)
    changes = {
        name: OutputChange(name, body, planned, context.configuration, by_name=context.by_name)
        for name, body in bodies.items()
    }
    for change in changes.values():
        _check_action(change.actions, f"{shown(change.where)}.actions")
    return changes


def invocations(raw: Raw) -> list[Invocation]:
    """Decode ``action_invocations``."""
    found = (raw and decode_as(_INVOCATIONS, raw, "action_invocations")) or []
    for position, invocation in enumerate(found):
        invocation._where = f"action_invocations[{position}]"
        invocation._reason = None
    return found


def deferred_invocations(raw: Raw) -> list[Invocation]:
    """Decode ``deferred_action_invocations``."""
    section = "deferred_action_invocations"
    found = (raw and decode_as(_DEFERRED_INVOCATIONS, raw, section)) or []
    for position, entry in enumerate(found):
        entry.action_invocation._where = f"{section}[{position}].action_invocation"
        entry.action_invocation._reason = entry.reason
    return [entry.action_invocation for entry in found]


def _settle_all(changes: Sequence[Change], context: Context) -> None:
    """Return changes what they share, and refuse unknown actions."""
    for position, change in enumerate(changes):
        settle(change, position, context)
    _check_actions(changes)


def settle(change: Change, position: int, context: Context) -> None:
    """Put a decoded change in its place, and spell what is absent in one way."""
    change._context = context
    change.position = position
    change.mode = change.mode or "managed"
    change.deposed = change.deposed or None
    if not change.address:
        change.address = _made_address(change)


def _made_address(change: Change) -> str:
    if not (change.type and change.name):
        where = change.where.removesuffix(".change")
        raise wrong_shape("an address, or a type and a name to make it of", where)
    return instance_address(
        change.module_address, change.mode, change.type, change.name, change.index
    )


def _check_actions(changes: Sequence[Change]) -> None:
    """Refuse unknown actions."""
    for actions in {change.body.actions for change in changes}:
        first = next(change for change in changes if change.body.actions == actions)
        _check_action(actions, f"{first.where}.actions")


def _check_action(actions: tuple[str, ...], where: str) -> None:
    try:
        action_named(actions)
    except ValueError:
        raise PlanError(
            "these words name no action that this tfgate knows.",
            where=where,
            hint="Plans have create, read, update, delete, no-op, forget, or a replacing pair.",
        ) from None


def check_addresses(changes: Sequence[Change], context: Context) -> None:
    """Refuse repeated addresses."""
    if len({change.address for change in changes}) == len(changes):
        return
    seen: dict[tuple[str, str | None], int] = {}
    for change in changes:
        key = (change.address, change.deposed)
        if key in seen:
            raise PlanError(
                f"{shown(change.address)} stands in {context.section}[{seen[key]}] as well.",
                where=f"{context.section}[{change.position}].address",
                hint="No plan of Terraform has an object twice: make the plan JSON again.",
            )
        seen[key] = change.position
