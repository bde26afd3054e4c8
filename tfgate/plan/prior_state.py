"""``prior_state``: the state that the plan starts from, after Terraform has refreshed it.

A data source that could be read while the plan was made stands here alone: ``resource_changes``
has those that wait for the apply. The part is large, and is decoded for who asks: the values of
managed resources never are.
"""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec import Raw

from tfgate.model.action import Action
from tfgate.model.address import instance_address
from tfgate.model.text import any_glob
from tfgate.plan.change import ABSENT, Body, Change, Name, action_named
from tfgate.plan.decoding import Decoder, decode_as, too_deep
from tfgate.plan.lists import check_addresses, settle
from tfgate.plan.repeated import check_keys, shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from tfgate.plan.change import Context

_READ: Final = (Action.READ.value,)
_DATA: Final = re.compile(rb'"data"')
_ESCAPED: Final = re.compile(rb"\\u00(?:2[dD]|3[0-9]|[4-7])")
"""A character of a name as an escape. Terraform writes none; a name may be written with it."""


class Entry(msgspec.Struct, gc=False):
    """A resource instance as a state has it."""

    address: Name | None = None
    mode: str = ""
    type: Name = ""
    name: Name = ""
    index: int | Name | None = None
    provider_name: Name | None = None
    deposed_key: Name | None = None
    values: Raw = ABSENT
    sensitive_values: Raw = ABSENT

    def address_in(self, module: str) -> str:
        """Return its address, made of its parts where the state does not have all of it.

        Terraform 0.12 leaves module and key out.
        """
        given = self.address or ""
        if given.startswith(module) and given and (self.index is None or given.endswith("]")):
            return given
        return instance_address(module, self.mode, self.type, self.name, self.index)


_OBJECT: Final[Decoder[dict[str, Raw] | None]] = Decoder(dict[str, Raw] | None)
_LIST: Final[Decoder[list[Raw] | None]] = Decoder(list[Raw] | None)
_ENTRY: Final[Decoder[Entry]] = Decoder(Entry)
_NAME: Final[Decoder[Name | None]] = Decoder(Name | None)
_NOTHING: Final = Raw(b"null")


class PriorState:
    """The state before the apply. Raises PlanError where that part is malformed."""

    def __init__(self, raw: Raw, context: Context) -> None:
        self._raw = raw
        self._context = context

    def may_hold(self, types: Collection[str] | None) -> bool:
        """Whether data sources of these type globs (None for all) may be here: decodes nothing."""
        text = memoryview(self._raw)  # it may be large: no copy is made
        if not _DATA.search(text):
            return _ESCAPED.search(text) is not None
        if types is None or any("*" in name or "?" in name for name in types):
            return True
        names = (re.compile(re.escape(f'"{name}"').encode()) for name in types)
        return any(name.search(text) for name in names) or _ESCAPED.search(text) is not None

    def data_sources(
        self, types: Collection[str] | None, others: Iterable[Change], first: int
    ) -> list[Change]:
        """Return the data sources of these type globs as changes whose action is ``read``.

        Those among ``others``, the changes of the plan, are left out: they will be read again.
        Their numbers begin with ``first``.
        """
        if not self.may_hold(types):
            return []
        action_named(_READ)  # one more spelling that changes may have
        matches = any_glob(tuple(types or ()))
        elsewhere = {change.address for change in others if change.mode == "data"}
        found: list[Change] = []
        for module, entry in self._data:
            address = entry.address_in(module)
            if matches(entry.type) and address not in elsewhere:
                change = _change(module, address, entry)
                settle(change, first + len(found), self._context)
                found.append(change)
        check_addresses(found, self._context)
        return found

    @cached_property
    def managed(self) -> frozenset[str]:
        """The addresses of managed resources, deposed objects left out."""
        return frozenset(
            entry.address_in(module)
            for module, entry in self._entries(data=False)
            if entry.deposed_key is None
        )

    @cached_property
    def _data(self) -> Sequence[tuple[str, Entry]]:
        return [*self._entries(data=True)]

    def _entries(self, *, data: bool) -> Iterator[tuple[str, Entry]]:
        """Yield the entries of a mode, with the address of the module they stand in."""
        for module, raw in self._resources():
            text = bytes(raw)
            if data and b'"data"' not in text and not _ESCAPED.search(text):
                continue
            entry = decode_as(_ENTRY, raw, "prior_state")
            if (entry.mode == "data") is data and entry.mode in ("", "managed", "data"):
                if data:
                    _parts(raw, f"prior_state({shown(entry.address_in(module))})")
                yield module, entry

    def _resources(self) -> Iterator[tuple[str, Raw]]:
        """Yield every resource instance undecoded, the outermost modules first."""
        if not self._raw:
            return
        values = _parts(self._raw, "prior_state").get("values", _NOTHING)
        stack = [(_parts(values, "prior_state.values").get("root_module", _NOTHING), 0)]
        while stack:
            raw, depth = stack.pop()
            if depth > _DEEPEST:
                raise too_deep("prior_state")
            module = _parts(raw, "prior_state.values")
            where = "prior_state.values.address"
            address = decode_as(_NAME, module.get("address", _NOTHING), where) or ""
            for part in _list(module.get("resources", _NOTHING)):
                yield address, part
            inner = reversed(_list(module.get("child_modules", _NOTHING)))
            stack.extend((part, depth + 1) for part in inner)


_DEEPEST: Final = 100
"""Modules inside each other."""


def _parts(raw: Raw, where: str) -> dict[str, Raw]:
    """Take an object apart, no key of which may be there twice."""
    parts = decode_as(_OBJECT, raw, where)
    if not parts:
        return {}
    check_keys(bytes(raw), parts, where)
    return parts


def _list(raw: Raw) -> list[Raw]:
    return decode_as(_LIST, raw, "prior_state.values") or []


def _change(module: str, address: str, entry: Entry) -> Change:
    body = Body(
        actions=_READ,
        before=_NOTHING,
        after=entry.values,
        after_unknown=Raw(b"{}"),
        before_sensitive=Raw(b"false"),
        after_sensitive=entry.sensitive_values,
    )
    return Change(
        address=address,
        _module=module or None,
        mode="data",
        type=entry.type,
        name=entry.name,
        index=entry.index,
        _provider=entry.provider_name,
        body=body,
    )


# --- How many resources there are, before the apply and after it.


_COMES: Final = frozenset({Action.CREATE})
_GOES: Final = frozenset({Action.DELETE, Action.FORGET})


def count_resources(prior: PriorState, changes: Iterable[Change]) -> tuple[int, int]:
    """Count the instances of managed resources before the apply, and after it.

    The plan of a part (with ``-target``) has no change for the rest, and a plan that somebody has
    shortened may have no ``prior_state``: each speaks for what the other does not have.
    """
    before, after = set(prior.managed), set(prior.managed)
    for change in changes:
        if change.mode != "managed" or change.deposed is not None:
            continue
        address = change.address
        for there in (before, after):
            there.discard(change.previous_address or "")
            there.add(address)
        if change.action in _COMES or change.is_import:
            before.discard(address)
        if change.action in _GOES:
            after.discard(address)
    return len(before), len(after)
