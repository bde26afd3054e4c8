"""The shape of version 1 of the JSON report, apart from the model: what others parse stays put.

Fields may be added within a version; none changes its meaning or goes. Meaning of each field:
``schemas/decision.v1.schema.json``, which a test holds against these types. A field without a value
is left out, and never ``null``.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import Literal, TypeVar

import msgspec

from tfgate.model.decision import NO_PLAN, ClaimValue, Decision
from tfgate.model.text import late
from tfgate.report.escape import dumps
from tfgate.report.interface import ReportContext, exit_code


class Place(msgspec.Struct, frozen=True, omit_defaults=True):
    """A line in a source file."""

    file: str
    line: int
    end_line: int | None = None


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place, with the module calls that lead there."""

    file: str
    line: int
    end_line: int | None = None
    calls: tuple[Place, ...] = ()


class Waiver(msgspec.Struct, frozen=True, omit_defaults=True):
    """The exception that silenced an outcome."""

    rule: str
    address: str
    reason: str
    owner: str
    expires: dt.date
    kind: str
    ticket: str | None = None
    source: str = ""
    location: Location | None = None


class Review(msgspec.Struct, frozen=True, omit_defaults=True):
    """The review that an approval was given by."""

    system: str
    repository: str
    change: int
    id: str
    commit: str
    head: str
    given: str
    teams: tuple[str, ...] = ()
    code_owner: bool = False


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """One approval that an override rests on."""

    approver: str
    principals: tuple[str, ...]
    key: str
    digest: str
    reason: str
    approved: dt.datetime
    expires: dt.datetime
    issuer: str = ""
    subject: str = ""
    source: str = ""
    where: str = ""
    review: Review | None = None


class Override(msgspec.Struct, frozen=True, omit_defaults=True):
    """Why an outcome that would deny does not."""

    approvals: tuple[Approval, ...]
    break_glass: bool = False


class Outcome(msgspec.Struct, frozen=True, omit_defaults=True):
    """One rule on one subject. A ``pass`` has the first fields only, and ``deposed``."""

    rule: str
    address: str
    outcome: str
    blocks: bool | None = None
    ruleset: str | None = None
    title: str = ""
    severity: str | None = None
    enforcement: str | None = None
    on_unknown: str | None = None
    message: str = ""
    remediation: str | None = None
    scope: str | None = None
    type: str | None = None
    action: str | None = None
    deposed: str | None = None
    item: int | None = None
    location: Location | None = None
    attribute: str | None = None
    controls: dict[str, tuple[str, ...]] = {}
    references: tuple[str, ...] = ()
    waiver: Waiver | None = None
    override: Override | None = None
    fingerprint: str = ""


class Obligation(msgspec.Struct, frozen=True, omit_defaults=True):
    """An unknown outcome that must be checked after the apply."""

    rule: str
    address: str
    deposed: str | None = None
    item: int | None = None
    attribute: str | None = None
    fingerprint: str = ""


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """The plan that was evaluated."""

    json_sha256: str
    file_sha256: str | None = None
    format_version: str = ""
    terraform_version: str | None = None
    timestamp: str | None = None
    complete: bool | None = None
    applyable: bool | None = None
    counts: dict[str, int] = {}


class Sources(msgspec.Struct, frozen=True):
    """The sources that rules of scope ``source`` were evaluated on."""

    root: str
    files: int
    sha256: str


class Workspace(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where the apply goes."""

    name: str
    source: str
    backend: str | None = None
    identity: dict[str, str] = {}
    config_sha256: str | None = None
    """Of all settings of the backend but secrets."""


class Operator(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asks for the apply; a proven one with what proves it."""

    name: str
    source: str
    verified: bool
    issuer: str | None = None
    subject: str | None = None
    claims: dict[str, ClaimValue] = {}
    token_id: str | None = None
    key_id: str | None = None


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """The CI run and commit."""

    system: str | None = None
    url: str | None = None
    id: str | None = None
    commit: str | None = None
    dirty: bool | None = None
    repository: str | None = None


class Ruleset(msgspec.Struct, frozen=True, omit_defaults=True):
    """A ruleset that took part."""

    id: str
    version: str
    title: str
    digest: str
    source: str
    rules: int
    selected: int
    owners: tuple[str, ...] = ()
    commit: str | None = None


class Data(msgspec.Struct, frozen=True, omit_defaults=True):
    """A data file that rules read."""

    ruleset: str
    name: str
    sha256: str
    source: str = ""


class Summary(msgspec.Struct, frozen=True, rename={"passed": "pass"}):
    """Numbers of outcomes by kind, and of those that deny."""

    passed: int
    fail: int
    unknown: int
    error: int
    waived: int
    blocking: int


class Report(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The whole report."""

    version: Literal[1]
    tfgate_version: str
    decision: Literal["allow", "deny"]
    exit_code: int
    undecided: bool
    break_glass: bool = False
    reasons: tuple[str, ...]
    decision_id: str | None = None
    plan: Plan | None = None
    sources: Sources | None = None
    workspace: Workspace
    operator: Operator
    run: Run | None = None
    rulesets: tuple[Ruleset, ...]
    data: tuple[Data, ...] = ()
    summary: Summary
    warnings: tuple[str, ...]
    obligations: list[Obligation]
    outcomes: list[Outcome]


_Shape = TypeVar("_Shape")

_DEPOSED = late(r"(?P<address>.+) \(deposed (?P<key>[^()\s]+)\)", re.DOTALL)
"""How ``Decision.passed`` writes a deposed object (no live address ends in a bracket)."""


def render(decision: Decision, context: ReportContext) -> str:
    """Return the report as JSON text, indented by two. Values are data, and stand as they are."""
    return dumps(report_of(decision, context))


def report_of(decision: Decision, context: ReportContext) -> Report:
    """Return the report as typed values."""
    return Report(
        version=1,
        tfgate_version=context.tfgate_version,
        decision=decision.verdict.value,
        exit_code=exit_code(decision, context),
        undecided=decision.undecided,
        break_glass=bool(decision.broken_glass),
        reasons=decision.reasons,
        decision_id=context.decision_id,
        plan=None if decision.plan == NO_PLAN else _like(decision.plan, Plan),
        sources=None if decision.sources is None else _like(decision.sources, Sources),
        workspace=_like(decision.workspace, Workspace),
        operator=_like(decision.operator, Operator),
        run=None if decision.run is None else _like(decision.run, Run),
        rulesets=tuple(_like(ruleset, Ruleset) for ruleset in decision.rulesets),
        data=tuple(_like(file, Data) for file in decision.data),
        summary=_summary(decision),
        warnings=decision.warnings,
        obligations=[_like(outcome, Obligation) for outcome in decision.obligations],
        outcomes=_outcomes(decision),
    )


def _summary(decision: Decision) -> Summary:
    counts = decision.counts()
    counts["passed"] = counts.pop("pass")
    return Summary(blocking=sum(outcome.blocks for outcome in decision.outcomes), **counts)


def _outcomes(decision: Decision) -> list[Outcome]:
    """Return passes and findings in one list, sorted by rule, address, deposed key and item."""
    outcomes = [_like(outcome, Outcome) for outcome in decision.outcomes]
    for rule, addresses in decision.passed.items():
        outcomes.extend(_passed(rule, address) for address in addresses)
    outcomes.sort(key=_order)
    return outcomes


def _order(outcome: Outcome) -> tuple[str, str, str, int, str]:
    item = -1 if outcome.item is None else outcome.item
    return outcome.rule, outcome.address, outcome.deposed or "", item, outcome.outcome


def _passed(rule: str, address: str) -> Outcome:
    if address.endswith(")") and (found := _DEPOSED.fullmatch(address)):
        return Outcome(rule, found["address"], "pass", deposed=found["key"])
    return Outcome(rule, address, "pass")


def _like(value: object, shape: type[_Shape]) -> _Shape:
    """Copy the fields that ``shape`` has, by name; whatever else the model grows stays out."""
    return msgspec.convert(value, shape, from_attributes=True, strict=False)
