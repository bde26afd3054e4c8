"""Evidence for an auditor: decisions, exceptions and rule changes of a time, and what proves them.

Everything here comes out of records, and names the records it comes from.
"""

from __future__ import annotations

import msgspec


class Ref(msgspec.Struct, frozen=True):
    """A record, so that whoever doubts a figure can look."""

    seq: int
    hash: str
    file: str
    line: int
    """1-based line in the file (uncompressed)."""

    @property
    def anchor(self) -> str:
        """Name of the record in a page: its number alone may stand twice where chains are mixed."""
        return f"r{self.seq}-{self.hash[:8]}"


class PersonRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """A person, as a record names them."""

    name: str
    proven: bool = False
    source: str = ""
    """Proven: the issuer, or the key that signed. Claimed: where the name comes from."""
    subject: str = ""
    """What the issuer calls them."""


class DecisionRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One decision."""

    ref: Ref
    decision_id: str
    time: str
    decision: str
    """``allow``, ``deny`` or ``undecided``."""
    workspace: str
    operator: str
    verified: bool = False
    """Whether who asked was proven."""
    plan_sha256: str = ""
    commit: str = ""
    """Of the configuration that was planned."""
    url: str = ""
    """Of the CI run."""
    counts: dict[str, int] = {}
    """Outcomes per kind, of the rules that the report is about."""
    findings: tuple[str, ...] = ()
    """``outcome rule address`` of each finding of the rules that the report is about."""
    findings_left_out: int = 0
    """Findings that only the evidence has."""
    reasons: tuple[str, ...] = ()
    applied: str = ""
    """``applied``, ``apply failed (1)``, ``not applied``, ``no end recorded``, or empty."""
    exceptions: int = 0
    """Findings that were waived or overridden."""
    break_glass: bool = False
    """Whether something was let through in an emergency."""
    planned: PersonRow | None = None
    """Who had the plan checked in another job, where a receipt says so."""
    evidence_sha256: str = ""
    related: tuple[Ref, ...] = ()
    """Other records about it: begin and end of the apply, obligations, approvals used."""


class DutiesRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who planned, approved and applied, of one apply."""

    ref: Ref
    decision_id: str
    time: str
    workspace: str
    applied: str
    """As in ``DecisionRow``."""
    planned_by: PersonRow
    approved_by: tuple[PersonRow, ...]
    applied_by: PersonRow
    break_glass: bool = False
    same: tuple[str, ...] = ()
    """Which duties may be one person's, in sentences."""


class ExceptionRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One waiver or override, and what it let through."""

    kind: str
    """``waiver`` or ``override``."""
    rules: tuple[str, ...]
    address: str
    """Address (glob) of a waiver; empty for an override."""
    owner: str
    """Who answers for a waiver; who asked for the apply that an override let through."""
    approvers: tuple[str, ...]
    """Who signed an override; a waiver is approved by whoever reviewed the file it stands in."""
    reason: str
    expires: str
    since: str = ""
    """When an override was signed; since when a waiver is in git, else when it was first used."""
    last: str = ""
    """When it was last used."""
    used: int = 0
    """Findings that it let through, in the time of the report."""
    source: str = ""
    """Where a waiver stands; fingerprint of the key of an override."""
    ticket: str = ""
    state: str = ""
    """Of a waiver that is in force now: ``holds``, ``ends soon``, ``expired``, …"""
    refs: tuple[Ref, ...] = ()
    """Decisions that rest on it."""


class RuleChangeRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One change of rules, as the decisions that were made under it have recorded it."""

    ruleset: str
    version: str
    commit: str
    time: str
    """When the change was written: RFC 3339, UTC."""
    authors: tuple[str, ...]
    approvers: tuple[str, ...]
    rules: tuple[str, ...]
    refs: tuple[Ref, ...] = ()
    """The first decision under it, and the last."""
    decisions: int = 0
    """Decisions under it, in the time of the report."""


class RulesetRow(msgspec.Struct, frozen=True, omit_defaults=True):
    """One version of a ruleset that decisions were made under."""

    id: str
    version: str
    digest: str
    source: str
    owners: tuple[str, ...] = ()
    commit: str = ""
    clean: bool | None = None
    decisions: int = 0
    refs: tuple[Ref, ...] = ()
    """The first decision under it, and the last."""


class Integrity(msgspec.Struct, frozen=True, omit_defaults=True):
    """What proving the trail came to."""

    holds: bool
    records: int
    chains: tuple[tuple[int, int, str], ...]
    """First record, last record and hash of the last record, of each chain."""
    files: tuple[tuple[str, str], ...]
    """Each file read, and the SHA-256 (hex) of its bytes."""
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    evidence: int = 0
    """Evidence files that were checked."""
    checkpoints: int = 0
    """Checkpoints by allowed signers that agree with the trail."""
    first_time: str = ""
    last_time: str = ""


class Figure(msgspec.Struct, frozen=True):
    """One number of the summary, with the records behind it."""

    name: str
    value: int
    refs: tuple[Ref, ...] = ()


class AuditReport(msgspec.Struct, frozen=True, omit_defaults=True):
    """All of it."""

    generated: str
    """RFC 3339, UTC."""
    tfgate: str
    """Version that wrote the report."""
    since: str
    """Empty where nothing limits it."""
    until: str
    control: str
    """As asked for: ``soc2:CC8.1``; empty for all rules."""
    workspace: str
    """Glob as asked for; empty for all workspaces."""
    rules: tuple[str, ...]
    """Rules that stand for the control and were evaluated."""
    figures: tuple[Figure, ...]
    decisions: tuple[DecisionRow, ...]
    duties: tuple[DutiesRow, ...]
    exceptions: tuple[ExceptionRow, ...]
    unused: tuple[ExceptionRow, ...]
    """Waivers of the configuration in force that no record of the time has used."""
    changes: tuple[RuleChangeRow, ...]
    rulesets: tuple[RulesetRow, ...]
    integrity: Integrity
    v: int = 1
