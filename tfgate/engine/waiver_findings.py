"""What is wrong with waivers, as findings of their own: advisory, since they silence nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from tfgate.engine.outcome import BUILT_IN_RULESET, fingerprint
from tfgate.model.decision import Outcome, OutcomeKind
from tfgate.model.rule import Enforcement, Scope, Severity

if TYPE_CHECKING:
    from tfgate.hcl.waivers import WaiverProblem
    from tfgate.model.location import Location
    from tfgate.model.waiver import Waiver

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
    "expired": EXPIRED,
    "unattached": UNATTACHED,
    "downloaded": NOT_PERMITTED,
    "too-many": NOT_PERMITTED,
    "not-whole": NOT_PERMITTED,
}


def named(waiver: Waiver) -> str:
    """Name a waiver in a sentence."""
    return f"The waiver of {waiver.rule} on {waiver.address} ({waiver.source})"


def waiver_finding(rule: str, waiver: Waiver, what: str) -> Outcome:
    """Say what is wrong with a waiver that could be read."""
    return _finding(rule, waiver.address, f"{named(waiver)} {what}.", waiver.location)


def problem_finding(problem: WaiverProblem) -> Outcome:
    """Say what is wrong with a comment that was meant to waive."""
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
