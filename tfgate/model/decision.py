"""What the engine returns: the outcome of every rule on every subject, and the verdict."""

from __future__ import annotations

import datetime as dt
from typing import Any, Literal

import msgspec

from tfgate.exitcodes import ExitCode
from tfgate.model import Word
from tfgate.model.address import Location
from tfgate.model.rule import Enforcement, OnUnknown, Scope, Severity

ClaimValue = str | bool | int | float | tuple[str, ...]
"""What a record keeps of one claim: control characters are replaced, texts are cut."""


class Operator(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asked for the apply, how we know, and whether it was proven."""

    name: str
    source: str
    """Claimed: ``flag``, ``environment``, ``github``, ``gitlab``, …, ``git``, ``os``. Proven: the
    name of the issuer in ``[[identity.issuers]]``, or ``run-task``, ``ssh``."""
    verified: bool = False
    """Whether it was proven: docs/identity.md says what that means for each source."""
    issuer: str | None = None
    """Who vouches for it: the token's ``iss``. This and what follows is there for a proven one."""
    subject: str | None = None
    """Whom the issuer vouches for: the token's ``sub``. With ``issuer`` it names one identity."""
    claims: dict[str, ClaimValue] = {}
    """Claims of the token that the configuration names (``claims``), by their paths."""
    token_id: str | None = None
    """The token's ``jti``: the same in two records means the same token."""
    key_id: str | None = None
    """Key that signed it."""


class Workspace(msgspec.Struct, frozen=True, omit_defaults=True):
    """The workspace an apply changes, with the identity of its state but none of its secrets."""

    name: str
    source: str
    """``plan file`` where the plan itself says it, and the state with it; otherwise it is claimed:
    ``flag``, ``environment``, ``.terraform/environment``, ``backend``, ``default``."""
    backend: str | None = None
    """Type of the backend: ``s3``, ``remote``, ``cloud``, ``local``, …"""
    identity: dict[str, str] = {}
    """What names the state: ``{"bucket": …, "key": …}``, ``{"organization": …, …}``."""
    config_sha256: str | None = None
    """SHA-256 (hex) of all settings of the backend but secrets, and of its type; ``None`` where it
    has none. Two states that are named alike in ``identity`` differ here."""


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """The CI run and commit that a decision belongs to."""

    system: str | None = None
    """``github``, ``gitlab``, …"""
    url: str | None = None
    id: str | None = None
    commit: str | None = None
    """Commit of the configuration that was planned."""
    dirty: bool | None = None
    """Whether the checkout had uncommitted changes."""
    repository: str | None = None
    details: dict[str, str] = {}
    """What else the CI system says of the change: ``{"pull_author": …, "project": …}``."""


class Review(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True
):
    """A review of a pull request or merge request, as its system showed it."""

    system: Literal["github", "gitlab"]
    repository: str
    """``acme/infra``."""
    change: int
    """Number of the pull request."""
    id: str
    """Of the review."""
    commit: str
    """The commit that was planned."""
    head: str
    """The commit that was reviewed: the same, or the one that was merged into it."""
    given: str
    """When, as the system writes it."""
    teams: tuple[str, ...] = ()
    """Of those that were asked for, the ones that the reviewer is in."""
    code_owner: bool = False


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """One approval that was used: its signature is good, and it fits the decision."""

    approver: str
    """The first of ``principals``."""
    principals: tuple[str, ...]
    """Every name that the allowed signers file gives to the key."""
    key: str
    """Fingerprint of the key, as ``ssh-keygen -l`` writes it: ``SHA256:…``."""
    digest: str
    """SHA-256 (hex) of the statement that was signed."""
    reason: str
    approved: dt.datetime
    expires: dt.datetime
    signers_sha256: str = ""
    """SHA-256 (hex) of the allowed signers file that lets the key approve."""
    issuer: str = ""
    """Whose word it is who approved, where the key is not the approver's own."""
    subject: str = ""
    """What that issuer calls the approver."""
    roles: tuple[str, ...] = ()
    """Roles that the holder of the key knows the approver to have."""
    source: str = ""
    """How it was proven who approved (``browser``, ``github``, ``gitlab``); empty for the
    approver's own key."""
    where: str = ""
    """URL of where the answer was given."""
    review: Review | None = None
    """The review that it was given by."""

    @property
    def person(self) -> tuple[str, ...]:
        """Everything that tells the approver from others; two that share one are one person."""
        own = f"{self.issuer} {self.subject}" if self.subject else self.key
        return (*self.principals, own)

    @property
    def marks(self) -> tuple[str, ...]:
        """What the globs of the configuration find the approver by.

        That is names, and ``role:…`` and ``team:…``, which no name can pass for.
        """
        names = (name for name in self.person if not name.startswith(("role:", "team:")))
        roles = (f"role:{role}" for role in self.roles)
        teams = () if self.review is None else self.review.teams
        return (*names, *roles, *(f"team:{team}" for team in teams))


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an outcome that would deny does not: enough people have approved it."""

    approvals: tuple[Approval, ...]
    break_glass: bool = False
    """Whether it was let through in an emergency, by two people who may do that."""


class Waiver(msgspec.Struct, frozen=True, omit_defaults=True):
    """One exception to one rule (or rule glob) on one address (or address glob)."""

    rule: str
    address: str
    reason: str
    owner: str
    expires: dt.date
    """The last day on which it holds, in UTC."""
    ticket: str | None = None
    source: str = ""
    """Where it stands: ``tfgate.toml: waivers[2]`` or ``main.tf:12``."""
    location: Location | None = None
    kind: str = "file"
    """``file`` (``tfgate.toml``, a waiver file) or ``comment`` (on a block in HCL)."""


class OutcomeKind(Word):
    """Of one rule on one subject."""

    PASS = "pass"  # noqa: S105 - an outcome, not a password
    FAIL = "fail"
    UNKNOWN = "unknown"
    ERROR = "error"
    WAIVED = "waived"


class Verdict(Word):
    """Of one plan."""

    ALLOW = "allow"
    DENY = "deny"


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule on one subject. Everything in it is safe to show: no sensitive value is in it."""

    rule: str
    """Rule id."""
    ruleset: str
    """Ruleset id."""
    address: str
    """Address of the subject; ``plan`` for the plan, ``output.NAME``, ``provider.NAME``, …"""
    outcome: OutcomeKind
    title: str = ""
    severity: Severity = Severity.MEDIUM
    enforcement: Enforcement = Enforcement.HARD_MANDATORY
    """The level in force, after overrides of the configuration."""
    on_unknown: OnUnknown | None = None
    """What an unknown outcome does here; set on ``unknown`` alone."""
    blocks: bool = False
    """Whether this outcome by itself denies the plan."""
    message: str = ""
    remediation: str | None = None
    scope: Scope = Scope.RESOURCE
    type: str | None = None
    """Resource type, where the subject has one."""
    action: str | None = None
    deposed: str | None = None
    item: int | None = None
    """Number of the element, from 0, where a ``deny`` list gave several findings."""
    location: Location | None = None
    attribute: str | None = None
    """Dotted path of the attribute the finding is about, where one is known."""
    controls: dict[str, tuple[str, ...]] = {}
    references: tuple[str, ...] = ()
    waiver: Waiver | None = None
    override: Override | None = None
    """Set where the outcome would deny, and approvals let it through; ``blocks`` is false then."""
    fingerprint: str = ""
    """Stable over re-plans: SHA-256 (hex) of rule id, address, deposed key and message."""

    @property
    def is_obligation(self) -> bool:
        """Whether it is let through on the condition that it is checked after the apply."""
        return self.outcome is OutcomeKind.UNKNOWN and self.on_unknown is OnUnknown.VERIFY


class RulesetFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which ruleset took part, pinned by digest."""

    id: str
    version: str
    title: str
    digest: str
    """``sha256:…`` over the ruleset's files."""
    source: str
    """As configured: ``tfgate:core``, ``./policy``, …"""
    owners: tuple[str, ...] = ()
    rules: int = 0
    """How many rules it has."""
    selected: int = 0
    """How many of them were evaluated at least once on this plan."""
    commit: str | None = None


class DataFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which data file the rules of a ruleset read."""

    ruleset: str
    name: str
    sha256: str
    """SHA-256 (hex) of its bytes."""
    source: str = ""
    """Who named it: ``ruleset``, ``configuration`` or ``flag``."""


class PlanFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which plan was evaluated."""

    json_sha256: str
    """SHA-256 (hex) of the plan JSON as read."""
    file_sha256: str | None = None
    """SHA-256 (hex) of the binary plan file, where it was one."""
    format_version: str = ""
    terraform_version: str | None = None
    timestamp: str | None = None
    complete: bool | None = None
    applyable: bool | None = None
    counts: dict[str, int] = {}
    """Changes per action, and ``import``, ``move``, ``drift``, ``deferred``."""


NO_PLAN = PlanFacts(json_sha256="")
"""Stands where sources were evaluated without a plan: no plan has an empty digest."""


class SourceFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which sources rules of scope ``source`` were evaluated on."""

    root: str
    """Directory of the root module, as a user would write it."""
    files: int
    """How many files of it, and of the modules that are not downloaded, were read."""
    sha256: str
    """SHA-256 (hex) over the names and contents of these files."""


class Decision(msgspec.Struct, frozen=True, omit_defaults=True):
    """``allow`` or ``deny`` for one plan, with everything it rests on."""

    verdict: Verdict
    reasons: tuple[str, ...]
    """Why, in sentences; empty for a plain allow."""
    outcomes: tuple[Outcome, ...]
    """Findings: every outcome that is not ``pass``, sorted by rule, address, deposed key, item."""
    passed: dict[str, tuple[str, ...]]
    """Rule id → sorted addresses it passed on (a deposed object is ``address (deposed KEY)``)."""
    rulesets: tuple[RulesetFacts, ...]
    plan: PlanFacts
    workspace: Workspace
    operator: Operator
    run: Run | None = None
    warnings: tuple[str, ...] = ()
    """What a person should know and what decides nothing: an unused waiver, a newer format."""
    sources: SourceFacts | None = None
    """The sources that were evaluated; without a plan, ``plan`` is ``NO_PLAN``."""
    data: tuple[DataFacts, ...] = ()
    """The data files that the rules read, by ruleset and name."""
    undecided: bool = False
    """True where the deny means "could not decide" (no rule was evaluated): exit code 3."""

    def counts(self) -> dict[str, int]:
        """Number of outcomes per kind, ``pass`` included."""
        counts = {kind.value: 0 for kind in OutcomeKind}
        for outcome in self.outcomes:
            counts[outcome.outcome.value] += 1
        counts["pass"] = sum(len(addresses) for addresses in self.passed.values())
        return counts

    @property
    def allows(self) -> bool:
        """Whether the plan may be applied."""
        return self.verdict is Verdict.ALLOW and not self.undecided

    @property
    def exit_code(self) -> ExitCode:
        """The exit code of the decision: no other place decides one."""
        if self.undecided:
            return ExitCode.UNDECIDED
        return ExitCode.ALLOWED if self.allows else ExitCode.DENIED

    @property
    def findings(self) -> tuple[Outcome, ...]:
        """Every outcome that is not ``pass``."""
        return self.outcomes

    @property
    def approvals(self) -> tuple[Approval, ...]:
        """Every approval that some outcome rests on, in the order of the outcomes."""
        used = (o.override.approvals for o in self.outcomes if o.override is not None)
        return tuple(dict.fromkeys(approval for group in used for approval in group))

    @property
    def broken_glass(self) -> tuple[Outcome, ...]:
        """What was let through in an emergency."""
        return tuple(o for o in self.outcomes if o.override is not None and o.override.break_glass)

    @property
    def obligations(self) -> tuple[Outcome, ...]:
        """Unknown outcomes let through on the condition that they are checked after the apply."""
        return tuple(outcome for outcome in self.outcomes if outcome.is_obligation)


Facts = dict[str, Any]
"""What ``context(name)`` gives: plain JSON values by name."""
