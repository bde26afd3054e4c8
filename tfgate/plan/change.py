"""One entry of ``resource_changes``, ``resource_drift`` or ``deferred_changes``."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
from msgspec import Raw

from tfgate.model.action import Action, action_of
from tfgate.model.address import config_address
from tfgate.plan import values
from tfgate.plan.decoding import decode_value, wrong_shape
from tfgate.plan.reads import PartOfPlan
from tfgate.query.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfgate.plan.configuration import Call, Configuration
    from tfgate.plan.reads import Reads


# --- What every part of one plan shares.


class Context:
    """Facts of the plan that its changes need, without a way back to the changes themselves.

    (A way back would be a cycle, and changes are kept out of the garbage collector's sight.)
    """

    __slots__ = ("by_name", "configuration", "reason", "section")

    def __init__(
        self,
        section: str,
        configuration: Configuration,
        *,
        by_name: bool,
        reason: str | None = None,
    ) -> None:
        self.section = section
        """The list that the change stands in: ``resource_changes``, …"""
        self.configuration = configuration
        self.by_name = by_name
        """Whether the format is so old that marks miss what a provider's schema says."""
        self.reason = reason
        """Why a change was deferred; None for all that were not."""

    def deferred(self, reason: str) -> Context:
        """The same for a change deferred for this reason."""
        return Context(self.section, self.configuration, by_name=self.by_name, reason=reason)


# --- Changes as msgspec structs: what is decoded at once, and what stays bytes.
#
# Follows the JSON Output Format (developer.hashicorp.com/terraform/internals/json-format) and,
# where that page is silent, Terraform's ``internal/command/jsonplan``. Unknown properties are
# ignored, as the format asks of readers. Whatever may be large or secret is a `msgspec.Raw`: a view
# into the plan's bytes that costs nothing until somebody decodes it.


LONGEST_NAME: Final = 16_384
"""Characters of the longest address, type, name or key: it stands in every finding, in every report
and in the record. Terraform's own are below 1,000, unless somebody wishes otherwise."""
Name = Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]

ABSENT: Final = Raw(b"")
"""Stands for a property that the plan does not have (null would be ``b"null"``)."""


class Body(msgspec.Struct, gc=False, omit_defaults=True):
    """A "change representation": the ``change`` of a resource, or an output's whole entry.

    Encoding one again gives the bytes it was read from, unless those had white space, escapes,
    another order, unknown or repeated keys (`tfgate.plan.repeated` relies on it).
    """

    actions: tuple[str, ...]
    before: Raw = ABSENT
    after: Raw = ABSENT
    after_unknown: Raw = ABSENT
    before_sensitive: Raw = ABSENT
    after_sensitive: Raw = ABSENT
    replace_paths: Raw = ABSENT
    importing: Raw = ABSENT
    generated_config: Raw = ABSENT
    before_identity: Raw = ABSENT
    after_identity: Raw = ABSENT


class Entry(msgspec.Struct, gc=False, omit_defaults=True, kw_only=True, eq=False):
    """A resource change as the format has it, the fields in the order Terraform writes them."""

    address: Name = ""
    """Some plans of Terraform 1.0 have drift without it (hashicorp/terraform 28975); the reader
    makes it from the parts then."""
    previous_address: Name | None = None
    _module: Name | None = msgspec.field(default=None, name="module_address")
    mode: str = ""
    type: Name = ""
    name: Name = ""
    index: int | Name | None = None
    """The ``count`` or ``for_each`` key of the instance."""
    index_unknown: bool | None = None
    """True for a deferred instance whose key is not known yet."""
    _provider: Name | None = msgspec.field(default=None, name="provider_name")
    deposed: Name | None = None
    body: Body = msgspec.field(name="change")
    action_reason: Name | None = None


_TRUE: Final = b"true"
_ACTIONS: dict[tuple[str, ...], Action] = {}
"""The few spellings of actions met so far: looked up some ten thousand times a plan."""


def action_named(actions: tuple[str, ...]) -> Action:
    """Name the action that ``actions`` spells; raises ValueError for none."""
    action = _ACTIONS.get(actions)
    if action is None:
        action = action_of(actions)
        _ACTIONS[actions] = action
    return action


class Change(Entry, PartOfPlan, gc=False, omit_defaults=True, eq=False):
    """What the apply does (or, as drift, what happened) to one resource instance.

    Satisfies `tfgate.plan.subjects.Subject`. Values are decoded when asked for, by `document`.
    """

    # Both are set by the reader, whatever a plan has under these names.
    _context: Context | None = msgspec.field(default=None, name="(context)")
    position: int = msgspec.field(default=-1, name="(position)")
    """Number in its list, from 0."""

    @property
    def module_address(self) -> str:
        """Address of the module instance, ``""`` for the root module."""
        return self._module or ""

    @property
    def provider_name(self) -> str:
        """Full name of the provider, as ``registry.terraform.io/hashicorp/aws``."""
        return self._provider or ""

    @property
    def actions(self) -> tuple[str, ...]:
        """The words of the format: ``("delete", "create")``."""
        return self.body.actions

    @property
    def action(self) -> Action:
        """The one word for them: ``replace``."""
        return _ACTIONS[self.body.actions]

    @property
    def deferred_reason(self) -> str | None:
        """Why it was deferred; None for a change that was not."""
        return self.context.reason

    @property
    def context(self) -> Context:
        """What the change shares with the others of its plan."""
        assert self._context is not None, "the reader sets it"
        return self._context

    @property
    def where(self) -> str:
        """JSON path of the ``change`` object, for errors."""
        if self.context.section == "prior_state":
            return f"prior_state({self.address})"
        inner = ".resource_change" if self.context.reason is not None else ""
        return f"{self.context.section}[{self.position}]{inner}.change"

    @property
    def has_unknown(self) -> bool:
        """Whether anything may be known only after the apply. False is certain."""
        return _TRUE in bytes(self.body.after_unknown)

    @property
    def has_sensitive(self) -> bool:
        """Whether anything may be sensitive. False is certain, as far as the plan has marks."""
        body = self.body
        if self.context.by_name or not body.after_sensitive or not body.before_sensitive:
            return True
        return _TRUE in bytes(body.after_sensitive) or _TRUE in bytes(body.before_sensitive)

    @property
    def replace_paths(self) -> list[Any]:
        """Paths of the attributes that force the replacement, each a list of keys and indexes."""
        return self._part("replace_paths", list, "a list") or []

    @property
    def importing(self) -> dict[str, Any] | None:
        """``{"id": …}``, ``{"identity": {…}}`` or ``{"unknown": true}``; None if not imported."""
        value: dict[str, Any] | None = self._part("importing", dict, "an object")
        return value

    @property
    def generated_config(self) -> str | None:
        """HCL that Terraform generated for an imported resource."""
        value: str | None = self._part("generated_config", str, "a string")
        return value

    def _part(self, name: str, kind: type, expected: str) -> Any:
        """Decode a part that is of one kind or null. Raises ``PlanError`` for another."""
        where = f"{self.where}.{name}"
        value = decode_value(getattr(self.body, name), where)
        if value is not None and not isinstance(value, kind):
            raise wrong_shape(f"{expected} or null", where)
        return value

    @property
    def is_import(self) -> bool:
        """Whether the change imports the object; costs no decoding."""
        raw = self.body.importing
        return raw is not ABSENT and bytes(raw) != b"null"

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of a resource rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(REDACTED_FIELDS)}


def _call(change: Change) -> Call | None:
    """The call of the module that the change stands in; None in the root, or where it is gone."""
    return change.context.configuration.calls.get(config_address(change.module_address))


def _of_call(change: Change, name: str) -> Any:
    if not change.context.configuration.present:
        return UNKNOWN if change.module_address else None
    call = _call(change)
    return None if call is None else getattr(call, name)


def _variables(change: Change, reads: Reads, *, redacted: bool = False) -> Any:
    values_of = change.context.configuration.known_values.variables
    wanted = reads.below("module_variables").fields
    return values_of(change.module_address, wanted, redacted=redacted)


def _identity(change: Change, side: str) -> Any:
    return decode_value(getattr(change.body, side), f"{change.where}.{side}")


FIELDS: Final[Mapping[str, Callable[[Change, Reads], Any]]] = {
    "address": lambda change, _: change.address,
    "config_address": lambda change, _: config_address(change.address),
    "previous_address": lambda change, _: change.previous_address,
    "module_address": lambda change, _: change.module_address,
    "module_config_address": lambda change, _: config_address(change.module_address),
    "module_source": lambda change, _: _of_call(change, "source"),
    "module_version": lambda change, _: _of_call(change, "version_constraint"),
    "module_variables": _variables,
    "mode": lambda change, _: change.mode,
    "type": lambda change, _: change.type,
    "name": lambda change, _: change.name,
    "index": lambda change, _: change.index,
    "provider_name": lambda change, _: change.provider_name,
    "deposed": lambda change, _: change.deposed,
    "action": lambda change, _: change.action.value,
    "actions": lambda change, _: list(change.actions),
    "action_reason": lambda change, _: change.action_reason,
    "replace_paths": lambda change, _: change.replace_paths,
    "importing": lambda change, _: change.importing,
    "deferred_reason": lambda change, _: change.deferred_reason,
    "before_identity": lambda change, _: _identity(change, "before_identity"),
    "after_identity": lambda change, _: _identity(change, "after_identity"),
    "before": values.before,
    "after": values.after,
    "config": lambda change, reads: change.context.configuration.block(
        change, reads.below("config")
    ),
    "source": lambda _change, _: None,
}
"""The root of a resource rule. ``source`` is null here: the engine knows the HCL."""

REDACTED_FIELDS: Final[Mapping[str, Callable[[Change, Reads], Any]]] = {
    **FIELDS,
    "module_variables": partial(_variables, redacted=True),
    "before": values.redacted_before,
    "after": values.redacted_after,
    "config": lambda change, reads: change.context.configuration.redacted_block(
        change, reads.below("config")
    ),
}
