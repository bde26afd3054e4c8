"""``tfgate waivers import``: skip comments of other tools → waivers, as far as a rule is known."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from tfgate.errors import RulesetError, UsageError
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.waivers import foreign_skips
from tfgate.model.address import split_modules
from tfgate.model.decision import Waiver
from tfgate.ruleset.files import Unreadable, read_toml
from tfgate.ruleset.sources import shipped_folder
from tfgate.ruleset.toml_text import toml_string as toml_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.hcl.sources import Declared
    from tfgate.hcl.waivers import ForeignSkip

MAPPING = "foreign.toml"
"""Beside the shipped rulesets: tool → check → rule."""


_LONGEST = 2_000
"""Characters that a waiver's reason may have."""


@dataclass(frozen=True)
class Imported:
    """What came of the comments."""

    waivers: tuple[Waiver, ...]
    left: tuple[str, ...]
    """One sentence for each that no waiver was made of."""

    def toml(self) -> str:
        """Write a waiver file."""
        return "\n".join(_table(waiver) for waiver in self.waivers)


def import_waivers(
    root: Path, data_dir: Path | None, *, owner: str, expires: dt.date, today: dt.date
) -> Imported:
    """Read the skip comments below ``root``; ``owner`` and ``expires`` are for all of them.

    A comment that ends earlier keeps its end. Raises ``UsageError`` where there is nothing to read.
    """
    if not root.is_dir():
        raise UsageError(f"{root} is not a directory.")
    index = SourceIndex.build(root, data_dir=data_dir)
    known = _mapping()
    waivers: dict[tuple[str, str], Waiver] = {}
    skips = foreign_skips(index)
    left = [problem.render() for problem in index.problems]
    for skip in skips:
        problem, rule = _problem(skip, known, today), _rule(skip, known)
        if problem is not None or rule is None or skip.address is None:
            left.append(f"{skip.location}: {_written(skip)}: {problem}")
            continue
        address = _with_instances(index, skip.address)
        waivers.setdefault((rule, address), _waiver(skip, rule, address, owner, expires))
    return Imported(tuple(waivers.values()), tuple(dict.fromkeys(left)))


def _mapping() -> Mapping[str, Mapping[str, str]]:
    try:
        file = read_toml(shipped_folder() / MAPPING, MAPPING)
    except Unreadable as error:
        raise RulesetError([error.problem]) from None
    return msgspec.convert(file.table, dict[str, dict[str, str]])


def _rule(skip: ForeignSkip, known: Mapping[str, Mapping[str, str]]) -> str | None:
    if skip.tool == "checkov":
        return known["checkov"].get(skip.id)
    # trivy takes the number without its prefix as well.
    return known["aqua"].get(skip.id) or known["aqua"].get(f"AVD-{skip.id}")


def _problem(
    skip: ForeignSkip, known: Mapping[str, Mapping[str, str]], today: dt.date
) -> str | None:
    if skip.address is None:
        return "it belongs to no block"
    if skip.workspace is not None:
        return "it is for one workspace alone, which a waiver cannot say"
    ends = _date(skip.expires)
    if skip.expires is not None and ends is None:
        return "its last day is no date"
    if ends is not None and ends < today:
        return f"it expired on {ends}"
    if _rule(skip, known) is None:
        return "no rule of tfgate is known to ask the same"
    return None


def _date(written: str | None) -> dt.date | None:
    try:
        return None if written is None else dt.date.fromisoformat(written)
    except ValueError:
        return None


def _written(skip: ForeignSkip) -> str:
    sign = "skip=" if skip.tool == "checkov" else "ignore:"
    return f"{skip.tool}:{sign}{skip.id}"


def _waiver(skip: ForeignSkip, rule: str, address: str, owner: str, expires: dt.date) -> Waiver:
    reason = skip.reason[:_LONGEST] or f"imported from {_written(skip)}, which gives no reason"
    ends = _date(skip.expires)
    return Waiver(
        rule=rule,
        address=address,
        reason=reason,
        owner=owner,
        expires=expires if ends is None else min(ends, expires),
        source=f"{skip.location}: {_written(skip)}",
    )


def _with_instances(index: SourceIndex, address: str) -> str:
    """Return a glob that covers what the block makes: ``[*]`` where it has count or for_each."""
    calls, rest = split_modules(address.removesuffix(".*"))
    steps = []
    for depth, name in enumerate(calls):
        node = index.module(calls[:depth])
        call = None if node is None else node.source.calls.get(name)
        steps.append(f"module.{name}{_index([call] if call else ())}")
    node = index.module(calls)
    declared = () if node is None else node.source.declared.get(rest, ())
    whole = ".".join([*steps, f"{rest}{_index(declared)}"])
    return f"{whole}.*" if address.endswith(".*") else whole


def _index(declared: Sequence[Declared]) -> str:
    repeated = any(
        one.file.expression(one.block, name) is not None
        for one in declared
        for name in ("count", "for_each")
    )
    return "[*]" if repeated else ""


def _table(waiver: Waiver) -> str:
    return "\n".join(_lines(waiver)) + "\n"


def _lines(waiver: Waiver) -> Iterator[str]:
    yield f"# {_quoted(waiver.source)[1:-1]}"
    yield "[[waivers]]"
    for name in ("rule", "address", "reason", "owner"):
        yield f"{name} = {_quoted(getattr(waiver, name))}"
    yield f"expires = {waiver.expires.isoformat()}"


def _quoted(text: str) -> str:
    """Write a string of TOML, a question mark for what is no character."""
    return toml_text(text.encode("utf-8", "replace").decode())
