"""Which waivers cover an outcome, found without asking every waiver about every outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.model.address import block_covers, config_address
from tfgate.model.glob import compile_glob, glob_matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.model.waiver import Waiver

    Entry = tuple[int, Waiver]


def covers(waiver: Waiver, address: str) -> bool:
    """Say whether a waiver covers an address: a comment its block's instances, a file its glob."""
    if waiver.kind == "comment":
        return block_covers(waiver.address, address)
    return compile_glob(waiver.address)(address)


class Covering:
    """Waivers by the rules and the addresses that they name."""

    def __init__(self, waivers: Iterable[Waiver]) -> None:
        self._by_rule: dict[str, _Places] = {}
        self._everywhere = _Places()
        for entry in enumerate(waivers):
            self._by_rule.setdefault(entry[1].rule, _Places()).add(entry)
            self._everywhere.add(entry)
        self._of_rule: dict[str, list[_Places]] = {}

    def of(self, rule: str, address: str) -> list[Waiver]:
        """Give those that name this rule and cover this address, in their order."""
        return _in_order(self._naming(rule), address)

    def names(self, rule: str) -> bool:
        """Say whether there are any that name this rule."""
        return bool(self._naming(rule))

    def _naming(self, rule: str) -> list[_Places]:
        places = self._of_rule.get(rule)
        if places is None:
            globs = self._by_rule.items()
            places = [found for glob, found in globs if glob_matches(glob, rule)]
            self._of_rule[rule] = places
        return places

    def at(self, address: str) -> list[Waiver]:
        """Give those that cover this address, whatever rule they name, in their order."""
        return _in_order([self._everywhere], address)


def _in_order(places: list[_Places], address: str) -> list[Waiver]:
    near = [entry for place in places for entry in place.near(address)]
    if len(near) > 1:
        near.sort()
    return [waiver for _, waiver in near if covers(waiver, address)]


class _Places:
    """Waivers by address: the few that may cover one are found by how theirs begins."""

    def __init__(self) -> None:
        self._blocks: dict[str, list[Entry]] = {}
        """Comments, by the config address or the module that they cover."""
        self._globs: dict[int, dict[str, list[Entry]]] = {}
        """Others, by the length of what stands before the first wild character, and by that."""

    def add(self, entry: Entry) -> None:
        waiver = entry[1]
        if waiver.kind == "comment":
            found = self._blocks.setdefault(waiver.address.removesuffix(".*"), [])
        else:
            beginning = waiver.address.replace("?", "*").partition("*")[0]
            found = self._globs.setdefault(len(beginning), {}).setdefault(beginning, [])
        found.append(entry)

    def near(self, address: str) -> Iterator[Entry]:
        """Give all that cover an address, and some that do not."""
        for length, by_beginning in self._globs.items():
            yield from by_beginning.get(address[:length], ())
        if self._blocks:
            yield from self._around(config_address(address))

    def _around(self, address: str) -> Iterator[Entry]:
        end = len(address)
        while end >= 0:
            yield from self._blocks.get(address[:end], ())
            end = address.rfind(".", 0, end)
