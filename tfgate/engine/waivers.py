"""Waivers: which outcomes they silence, and which of them are findings themselves."""

from __future__ import annotations

import datetime as dt
from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from tfgate.engine.decide import BUILT_IN_RULESET, fingerprint
from tfgate.model.address import block_covers, config_address
from tfgate.model.decision import Outcome, OutcomeKind
from tfgate.model.rule import Enforcement, Scope, Severity
from tfgate.model.text import compile_glob, glob_matches

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfgate.engine.bound import BoundRule, Tally
    from tfgate.engine.context import Context
    from tfgate.hcl.waivers import WaiverProblem
    from tfgate.model.address import Location
    from tfgate.model.decision import Waiver
    from tfgate.plan import Plan

    Entry = tuple[int, Waiver]


# --- What is wrong with waivers, as findings of their own: advisory, since they silence nothing.


EXPIRED: Final = "TFGATE-WAIVER-EXPIRED"
UNKNOWN_RULE: Final = "TFGATE-WAIVER-UNKNOWN-RULE"
NO_REASON: Final = "TFGATE-WAIVER-NO-REASON"
NOT_PERMITTED: Final = "TFGATE-WAIVER-NOT-PERMITTED"
UNCOMMITTED: Final = "TFGATE-WAIVER-UNCOMMITTED"
GLOB: Final = "TFGATE-WAIVER-GLOB"
UNUSED: Final = "TFGATE-WAIVER-UNUSED"
MALFORMED: Final = "TFGATE-WAIVER-MALFORMED"
UNATTACHED: Final = "TFGATE-WAIVER-UNATTACHED"

_TITLES: Final = {
    EXPIRED: "A waiver has expired",
    NO_REASON: "A waiver gives no reason",
    UNKNOWN_RULE: "A waiver names an unknown rule",
    NOT_PERMITTED: "A comment waives what comments may not waive",
    UNCOMMITTED: "A comment waives that is not known to have been committed before",
    GLOB: "A comment waives rules by a glob",
    UNUSED: "A comment waives nothing",
    MALFORMED: "A waiver in a comment cannot be read",
    UNATTACHED: "A waiver in a comment belongs to no block",
}
_REMEDIES: Final = {
    UNUSED: "Remove the comment.",
    UNKNOWN_RULE: "Name a rule of the rulesets in use (tfgate rules list), or remove the waiver.",
    GLOB: "Name each rule, or waive in the waiver file.",
    NOT_PERMITTED: "Waive in the waiver file, where the gate's owners review it.",
    UNCOMMITTED: (
        "Commit the comment, plan again, and have that plan checked; or waive in the waiver file."
    ),
    UNATTACHED: "Put the comment inside its block, or on the line above it.",
    MALFORMED: (
        'Write: tfgate:waive RULE reason="why" expires=2027-01-31 owner=team ticket=optional'
    ),
}
_RENEW: Final = "Renew the waiver with a reason and a date, or remove it."
_OF_PROBLEM: Final = {
    "missing-reason": NO_REASON,
    "unattached": UNATTACHED,
    "downloaded": NOT_PERMITTED,
    "too-many": NOT_PERMITTED,
    "not-whole": NOT_PERMITTED,
}


def named(waiver: Waiver) -> str:
    """Name a waiver in a sentence."""
    return f"The waiver of {waiver.rule} on {waiver.address} ({waiver.source})"


def waiver_finding(rule: str, waiver: Waiver, what: str) -> Outcome:
    """Return what is wrong with a waiver that could be read."""
    return _finding(rule, waiver.address, f"{named(waiver)} {what}.", waiver.location)


def problem_finding(problem: WaiverProblem) -> Outcome:
    """Return what is wrong with a comment that was meant to waive."""
    rule = _OF_PROBLEM.get(problem.kind.value, MALFORMED)
    found = _finding(rule, problem.location.file, problem.message, problem.location)
    # Two comments of one file may be wrong in the same way.
    name = fingerprint(rule, str(problem.location), None, problem.message)
    return replace(found, fingerprint=name)


def _finding(rule: str, address: str, message: str, location: Location | None) -> Outcome:
    return Outcome(
        rule=rule,
        ruleset=BUILT_IN_RULESET,
        address=address,
        outcome=OutcomeKind.FAIL,
        title=_TITLES[rule],
        severity=Severity.LOW,
        enforcement=Enforcement.ADVISORY,
        on_unknown=None,
        message=message,
        remediation=_REMEDIES.get(rule, _RENEW),
        scope=Scope.RESOURCE,
        location=location,
        fingerprint=fingerprint(rule, address, None, message),
    )


_WAIVABLE = frozenset({OutcomeKind.FAIL, OutcomeKind.UNKNOWN})
"""An ``error`` is not waivable: nobody reviewed what the rule would have said."""

PLACES: Final = 1_000_000
"""Places, of blocks that several modules use, for which waivers are looked for: thousands of blocks
in thousands of modules are more than anybody waives."""


class Looked:
    """What an evaluation has looked at, for waivers that waived nothing."""

    def __init__(
        self, tallies: Sequence[Tally], plan: Plan | None, waivers: Sequence[Waiver]
    ) -> None:
        self._tallies = tallies
        self._plan = plan
        self._waivers = waivers
        self._named: dict[str, list[BoundRule]] = {}

    def at(self, waiver: Waiver) -> bool | None:
        """Whether a waiver had its chance: ``False`` if it may have one in another plan.

        ``None`` where there is no such rule, which is a finding already, or where only sources were
        evaluated and it is none on them.
        """
        rules = self.rules(waiver.rule)
        if not rules:
            return None
        if any(rule.rule.scope is Scope.SOURCE for rule in rules):
            return True
        if self._plan is None:
            return None
        return id(waiver) in self._passed or id(waiver) not in self._planned

    def rules(self, glob: str) -> list[BoundRule]:
        """Return the rules that a waiver names."""
        found = self._named.get(glob)
        if found is None:
            every = (tally.rule for tally in self._tallies)
            found = [rule for rule in every if glob_matches(glob, rule.rule.id)]
            self._named[glob] = found
        return found

    @cached_property
    def _covering(self) -> Covering:
        return Covering(self._waivers)

    @cached_property
    def _passed(self) -> set[int]:
        """The ids of waivers that cover what a rule they name passed on."""
        return {
            id(waiver)
            for tally in self._tallies
            if self._covering.names(tally.rule.rule.id)
            for one in tally.passed
            for waiver in self._covering.of(tally.rule.rule.id, one.address)
        }

    @cached_property
    def _planned(self) -> set[int]:
        """The ids of waivers that cover what the plan changes."""
        changes = () if self._plan is None else self._plan.changes
        return {id(waiver) for change in changes for waiver in self._covering.at(change.address)}


class Waivers:
    """The waivers of one evaluation, and what became of each."""

    def __init__(self, context: Context) -> None:
        self._today = context.now.astimezone(dt.timezone.utc).date()
        self._comment_levels = context.comment_waiver_levels
        self._doubts = context.comment_doubts
        self._comment_globs = context.comment_waiver_globs
        self._notice = dt.timedelta(days=context.waiver_notice_days)
        self._problems = context.waiver_problems
        self._all = tuple(context.waivers)
        self._standing = [waiver for waiver in self._all if self._stands(waiver)]
        self._used: set[tuple[str, str]] = set()
        self._refused: dict[int, tuple[str, str]] = {}
        self._left = PLACES

    @cached_property
    def _covering(self) -> Covering:
        return Covering(self._standing)

    def _stands(self, waiver: Waiver) -> bool:
        whole = waiver.expires >= self._today and bool(waiver.reason.strip())
        return whole and not self._is_refused_glob(waiver)

    def _is_refused_glob(self, waiver: Waiver) -> bool:
        is_glob = "*" in waiver.rule or "?" in waiver.rule
        return waiver.kind == "comment" and is_glob and not self._comment_globs

    def apply(self, outcome: Outcome, addresses: Sequence[str] = ()) -> Outcome:
        """Return ``outcome``, waived where a standing waiver covers it.

        ``addresses`` are those it speaks of, where these are several: each must be covered.
        """
        if not self._standing or outcome.outcome not in _WAIVABLE:
            return outcome
        if not self._covering.names(outcome.rule):
            return outcome
        if len(addresses) > 1:
            self._left -= len(addresses)
            if self._left < 0:
                return outcome
        found = [self._for(outcome, one) for one in addresses or (outcome.address,)]
        waivers = [waiver for waiver in found if waiver is not None]
        if len(waivers) < len(found):
            return outcome
        self._used.update(map(_key, waivers))
        return msgspec.structs.replace(
            outcome, outcome=OutcomeKind.WAIVED, blocks=False, waiver=waivers[0]
        )

    def _for(self, outcome: Outcome, address: str) -> Waiver | None:
        for waiver in self._covering.of(outcome.rule, address):
            refused = self._refusal(waiver, outcome.enforcement)
            if refused is None:
                return waiver
            self._refused[id(waiver)] = refused
        return None

    def _refusal(self, waiver: Waiver, level: Enforcement) -> tuple[str, str] | None:
        """Return why a comment may not waive this level, as finding and clause."""
        if waiver.kind != "comment":
            return None
        if level not in self._comment_levels:
            return NOT_PERMITTED, "is a comment, and comments may not waive this level"
        doubt = self._doubt(waiver)
        if level is Enforcement.ADVISORY or doubt is None:
            return None
        return UNCOMMITTED, f"is a comment that waives advisory rules alone: its file {doubt}"

    def _doubt(self, waiver: Waiver) -> str | None:
        """Return, in a clause, why a comment waives advisory rules alone, or ``None``."""
        place = waiver.location
        return None if place is None else self._doubts.get(place.file)

    def findings(self, looked: Looked) -> Iterable[Outcome]:
        """Return one advisory finding for each thing that is wrong with a waiver in itself."""
        for problem in self._problems:
            yield problem_finding(problem)
        for waiver in self._all:
            if waiver.expires < self._today:
                yield waiver_finding(EXPIRED, waiver, f"expired on {waiver.expires}")
            if not waiver.reason.strip():
                yield waiver_finding(NO_REASON, waiver, "gives no reason, so it waives nothing")
            if not looked.rules(waiver.rule):
                what = "names a rule that no ruleset in force has"
                yield waiver_finding(UNKNOWN_RULE, waiver, what)
            elif self._is_refused_glob(waiver):
                what = "is a comment that names rules by a glob, which the gate does not allow"
                yield waiver_finding(GLOB, waiver, what)
            elif id(waiver) in self._refused:
                rule, what = self._refused[id(waiver)]
                yield waiver_finding(rule, waiver, what)
            elif self._is_stale(waiver) and looked.at(waiver) is True:
                yield waiver_finding(UNUSED, waiver, "waived nothing: what it waives holds")

    def _is_stale(self, waiver: Waiver) -> bool:
        """Of a comment, which stands beside what it waives, one expects that it waives it."""
        return (
            waiver.kind == "comment"
            and _key(waiver) not in self._used
            and waiver.expires >= self._today
        )

    def warnings(self, looked: Looked) -> Iterable[str]:
        """Announce waivers that waived nothing, that end soon, and that waive far too much."""
        soon = self._today + self._notice
        if self._left < 0:
            yield (
                "Waivers were not looked for any further: blocks of modules that are called very "
                f"often fail in more than {PLACES:,} places."
            )
        for waiver in self._standing:
            if _key(waiver) not in self._used and self._is_worth_a_word(waiver, looked):
                yield f"{named(waiver)} waived nothing in this plan."
            if waiver.expires <= soon:
                yield f"{named(waiver)} ends on {waiver.expires}."
            if names := _wide(waiver):
                yield f"{named(waiver)} is over-broad: it names no {' and no '.join(names)}."

    @staticmethod
    def _is_worth_a_word(waiver: Waiver, looked: Looked) -> bool:
        chance = looked.at(waiver)
        return chance is not None and (waiver.kind != "comment" or chance is False)


def _key(waiver: Waiver) -> tuple[str, str]:
    """Name a waiver: a comment in a module that is called twice is one."""
    return waiver.rule, waiver.source or waiver.address


def _wide(waiver: Waiver) -> list[str]:
    """Return what the waiver leaves open altogether: a glob of nothing but wildcards."""
    parts = {"rule": waiver.rule, "address": waiver.address}
    return [name for name, glob in parts.items() if not glob.strip("*?")]


# --- Which waivers cover an outcome, found without asking every waiver about every outcome.


def covers(waiver: Waiver, address: str) -> bool:
    """Whether a waiver covers an address: a comment its block's instances, a file its glob."""
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
        """Return those that name this rule and cover this address, in their order."""
        return _in_order(self._naming(rule), address)

    def names(self, rule: str) -> bool:
        """Whether there are any that name this rule."""
        return bool(self._naming(rule))

    def _naming(self, rule: str) -> list[_Places]:
        places = self._of_rule.get(rule)
        if places is None:
            globs = self._by_rule.items()
            places = [found for glob, found in globs if glob_matches(glob, rule)]
            self._of_rule[rule] = places
        return places

    def at(self, address: str) -> list[Waiver]:
        """Return those that cover this address, whatever rule they name, in their order."""
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
        """Return all that cover an address, and some that do not."""
        for length, by_beginning in self._globs.items():
            yield from by_beginning.get(address[:length], ())
        if self._blocks:
            yield from self._around(config_address(address))

    def _around(self, address: str) -> Iterator[Entry]:
        end = len(address)
        while end >= 0:
            yield from self._blocks.get(address[:end], ())
            end = address.rfind(".", 0, end)
