"""Waivers: which outcomes they silence, and which of them are findings themselves."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import msgspec

from tfgate.engine.outcome import fingerprint
from tfgate.model.decision import Outcome, OutcomeKind
from tfgate.model.glob import compile_glob, glob_matches
from tfgate.model.rule import Enforcement, Scope, Severity

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tfgate.engine.context import Context
    from tfgate.model.waiver import Waiver

EXPIRED = "TFGATE-WAIVER-EXPIRED"
UNKNOWN_RULE = "TFGATE-WAIVER-UNKNOWN-RULE"
NO_REASON = "TFGATE-WAIVER-NO-REASON"
NOT_PERMITTED = "TFGATE-WAIVER-NOT-PERMITTED"
BUILT_IN_RULESET = "tfgate"

_WAIVABLE = frozenset({OutcomeKind.FAIL, OutcomeKind.UNKNOWN})
"""An ``error`` is not waivable: nobody reviewed what the rule would have said."""


class Waivers:
    """The waivers of one evaluation, and what became of each."""

    def __init__(self, context: Context, rule_ids: Collection[str]) -> None:
        self._today = context.now.astimezone(dt.timezone.utc).date()
        self._comment_levels = context.comment_waiver_levels
        self._notice = dt.timedelta(days=context.waiver_notice_days)
        self._rule_ids = rule_ids
        self._all = tuple(context.waivers)
        self._standing = [waiver for waiver in self._all if self._stands(waiver)]
        self._used: set[int] = set()
        self._refused: set[int] = set()

    def _stands(self, waiver: Waiver) -> bool:
        return waiver.expires >= self._today and bool(waiver.reason.strip())

    def apply(self, outcome: Outcome) -> Outcome:
        """Give ``outcome``, waived where a standing waiver covers it."""
        if outcome.outcome not in _WAIVABLE:
            return outcome
        for waiver in self._standing:
            if self._covers(waiver, outcome):
                if not self._permitted(waiver, outcome.enforcement):
                    self._refused.add(id(waiver))
                    continue
                self._used.add(id(waiver))
                return msgspec.structs.replace(
                    outcome, outcome=OutcomeKind.WAIVED, blocks=False, waiver=waiver
                )
        return outcome

    @staticmethod
    def _covers(waiver: Waiver, outcome: Outcome) -> bool:
        return compile_glob(waiver.rule)(outcome.rule) and compile_glob(waiver.address)(
            outcome.address
        )

    def _permitted(self, waiver: Waiver, level: Enforcement) -> bool:
        return waiver.kind != "comment" or level in self._comment_levels

    def findings(self) -> Iterable[Outcome]:
        """Give one advisory finding for each waiver that is wrong in itself."""
        for waiver in self._all:
            if waiver.expires < self._today:
                yield _finding(EXPIRED, waiver, f"expired on {waiver.expires}")
            if not waiver.reason.strip():
                yield _finding(NO_REASON, waiver, "gives no reason, so it waives nothing")
            if not any(glob_matches(waiver.rule, rule) for rule in self._rule_ids):
                yield _finding(UNKNOWN_RULE, waiver, "names a rule that no ruleset in force has")
            if id(waiver) in self._refused:
                yield _finding(
                    NOT_PERMITTED, waiver, "is a comment, and comments may not waive this level"
                )

    def warnings(self) -> Iterable[str]:
        """Announce waivers that waived nothing, that end soon, and that waive far too much."""
        soon = self._today + self._notice
        for waiver in self._standing:
            if id(waiver) not in self._used:
                yield f"{_name(waiver)} waived nothing in this plan."
            if waiver.expires <= soon:
                yield f"{_name(waiver)} ends on {waiver.expires}."
            if names := _wide(waiver):
                yield f"{_name(waiver)} is over-broad: it names no {' and no '.join(names)}."


def _wide(waiver: Waiver) -> list[str]:
    """Give what the waiver leaves open altogether: a glob of nothing but wildcards."""
    parts = {"rule": waiver.rule, "address": waiver.address}
    return [name for name, glob in parts.items() if not glob.strip("*?")]


def _name(waiver: Waiver) -> str:
    return f"The waiver of {waiver.rule} on {waiver.address} ({waiver.source})"


def _finding(rule: str, waiver: Waiver, what: str) -> Outcome:
    message = f"{_name(waiver)} {what}."
    return Outcome(
        rule=rule,
        ruleset=BUILT_IN_RULESET,
        address=waiver.address,
        outcome=OutcomeKind.FAIL,
        title=_TITLES[rule],
        severity=Severity.LOW,
        enforcement=Enforcement.ADVISORY,
        on_unknown=None,
        message=message,
        remediation="Renew the waiver with a reason and a date, or remove it.",
        scope=Scope.RESOURCE,
        location=waiver.location,
        fingerprint=fingerprint(rule, waiver.address, None, message),
    )


_TITLES = {
    EXPIRED: "A waiver has expired",
    NO_REASON: "A waiver gives no reason",
    UNKNOWN_RULE: "A waiver names an unknown rule",
    NOT_PERMITTED: "A comment waives what comments may not waive",
}

__all__ = ["BUILT_IN_RULESET", "Waivers"]
