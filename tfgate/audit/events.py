"""Every event that tfgate records, with its members, and what others call the same.

The published schema (``tfgate schema record``), the reference page and the OpenTelemetry sink are
made from this; docs/reference/audit-record.md says how records hang together.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import msgspec

from tfgate.audit.checkpoint import Statement
from tfgate.engine.recheck import Checked
from tfgate.model.decision import (
    Approval,
    DataFacts,
    Operator,
    Outcome,
    PlanFacts,
    Review,
    RulesetFacts,
    Run,
    SourceFacts,
    Workspace,
)

if TYPE_CHECKING:
    from tfgate.audit.record import Record


class Approvals(msgspec.Struct, frozen=True, omit_defaults=True):
    """The change that one or more rules had last."""

    commit: str
    time: str
    authors: tuple[str, ...]
    approvers: tuple[str, ...] = ()
    landed: str | None = None
    rules: tuple[str, ...] = ()
    on_branch: bool | None = None


class RecordedRuleset(RulesetFacts, frozen=True, omit_defaults=True):
    """A ruleset as it was evaluated, and where it comes from."""

    clean: bool | None = None
    uncommitted: tuple[str, ...] = ()
    branch: str | None = None
    changes: tuple[Approvals, ...] = ()
    problem: str | None = None
    approvers: tuple[str, ...] = ()


class RecordedFile(msgspec.Struct, frozen=True):
    """A file of the configuration."""

    file: str
    sha256: str


class RecordedData(DataFacts, frozen=True, omit_defaults=True):
    """A data file that rules of a ruleset read."""


class Approved(msgspec.Struct, frozen=True):
    """A finding that an approval let through."""

    rule: str
    address: str
    fingerprint: str


class Program(msgspec.Struct, frozen=True):
    """Which Terraform ran."""

    kind: str
    command: str
    version: str | None


class MadeByPlan(msgspec.Struct, frozen=True, tag_field="reported_by", tag="plan"):
    """Changes as far as the plan and the exit code show."""

    planned: dict[str, int]
    complete: bool


class MadeByTerraform(msgspec.Struct, frozen=True, tag_field="reported_by", tag="terraform"):
    """Changes as Terraform reported them."""

    summary: dict[str, int | str] | None
    applied: list[dict[str, str]]
    failed: list[dict[str, str]]
    left_out: int


Sha256 = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
Count = Annotated[int, msgspec.Meta(ge=0)]
Allowed = Literal["allow", "deny"]


class Member(msgspec.Struct, frozen=True):
    """A member of a record."""

    type: Any
    text: str
    otel: str | None = None
    """Attribute of the OpenTelemetry log record; ``None``: it is in the body alone."""
    ocsf: str | None = None
    """Attribute of the OCSF event."""
    always: bool = True
    """Whether every record of the event has it, if only as null."""


class Ocsf(msgspec.Struct, frozen=True):
    """A class of https://schema.ocsf.io and an activity in it."""

    class_uid: int
    class_name: str
    activity_id: int
    activity: str


class Event(msgspec.Struct, frozen=True):
    """What happened."""

    text: str
    ocsf: Ocsf
    members: dict[str, Member]


CHAIN: Final[dict[str, Member]] = {
    "v": Member(Literal[1], "Version of the format", None, "metadata.log_version"),
    "seq": Member(Count, "Number in the chain, from 0", "tfgate.record.seq", "metadata.sequence"),
    "prev": Member(Sha256, "`hash` of the record before", "tfgate.record.prev"),
    "hash": Member(
        Sha256, "SHA-256 of the record without this member", "log.record.uid", "metadata.uid"
    ),
    "time": Member(
        Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")],
        "When it was written",
        "Timestamp",
        "time",
    ),
    "event": Member(
        Annotated[str, msgspec.Meta(min_length=1)],
        "What happened",
        "EventName",
        "metadata.event_code",
    ),
}
"""Members of every record."""

_ID = Member(str, "Decision that it belongs to", "tfgate.decision.id", "metadata.correlation_uid")
_WORKSPACE = Member(str, "Workspace", "tfgate.workspace", "resources[].name")
_OPERATOR = Member(str, "Who ran it", "user.name", "actor.user.name")
_PROOF = Member(
    Operator,
    "How the operator was named, and whether it was proven",
    "tfgate.operator.*, user.id",
    "actor.user.uid, actor.idp.name",
)
_PLAN_SHA256 = Member(
    Sha256 | None, "Of the plan file, or of plan JSON where there was no file",
    "tfgate.plan.sha256", "resources[].uid",
)  # fmt: skip
_VERDICT = Member(Allowed, "`allow` or `deny`", "tfgate.decision.verdict", "action_id")
_REASON = Member(str, "Why", "tfgate.reason", "status_detail")
_ABOUT = {
    "decision_id": _ID,
    "workspace": _WORKSPACE,
    "operator": _OPERATOR,
    "plan_sha256": _PLAN_SHA256,
}
_RECEIPT = Member(
    Sha256, "Of what was signed as the receipt", "tfgate.receipt.sha256", "entity.uid"
)
_SIGNERS = Member(Sha256, "Of the allowed signers file that names the key")
_EXIT = Member(int | None, "Exit code; null where it never began", "process.exit.code", "exit_code")
_SIGNALS = Member(list[int], "Numbers of the signals that came meanwhile", always=False)
_DURATION = Member(
    Count, "How long it took, in milliseconds", "tfgate.duration_ms", "duration", always=False
)
_ARGUMENTS = Member(list[str], "Arguments, values left out", "tfgate.arguments", "process.cmd_line")
_COMMAND = Member(str, "Command of Terraform", "tfgate.command", "process.name")
_TRUNCATED = "How many more there are, which the record leaves out"


_FINDING = Ocsf(2003, "Compliance Finding", 1, "Create")
_LATER_FINDING = Ocsf(2003, "Compliance Finding", 2, "Update")
_LAUNCH = Ocsf(1007, "Process Activity", 1, "Launch")
_TERMINATE = Ocsf(1007, "Process Activity", 2, "Terminate")
_LOG = Ocsf(1008, "Event Log Activity", 99, "Other")

_OUTCOMES = {
    "counts": Member(
        dict[str, Count], "Number of outcomes of each kind", "tfgate.outcomes.*",
        "compliance.status_id",
    ),
    "rules": Member(dict[str, dict[str, Count]], "Per rule: number of outcomes of each kind"),
    "findings": Member(
        list[Outcome], "Every outcome that is not `pass`, those that deny first",
        None, "compliance.checks",
    ),
    "findings_total": Member(Count, "How many there are", "tfgate.findings"),
    "findings_truncated": Member(Count, _TRUNCATED),
    "rule_controls": Member(
        dict[str, dict[str, list[str]]], "Per rule, the controls it stands for",
        None, "compliance.control",
    ),
}  # fmt: skip

_DECISION = {
    **_ABOUT,
    "decision": _VERDICT,
    "undecided": Member(bool, "Whether the deny means \"could not decide\"", "tfgate.undecided"),
    "reasons": Member(list[str], "Why, in sentences", "tfgate.reasons", "status_detail"),
    "workspace_facts": Member(Workspace, "How the workspace was named, and what its state is"),
    "operator_facts": _PROOF,
    "plan": Member(PlanFacts | None, "The plan; null where sources were evaluated without one"),
    "sources": Member(SourceFacts | None, "What rules of scope source were evaluated on"),
    "run": Member(Run | None, "CI run and commit of the configuration", "cicd.*, vcs.*"),
    "overrides": Member(list[Approval], "Approvals that let something through"),
    "rulesets": Member(
        list[RecordedRuleset], "Rulesets as they were evaluated", "tfgate.rulesets", "policy"
    ),
    **_OUTCOMES,
    "warnings": Member(list[str], "What a person should know and what decided nothing"),
    "warnings_truncated": Member(Count, _TRUNCATED),
    "versions": Member(
        dict[str, str | None], "Of tfgate, Terraform and Python", "tfgate.versions.*",
        "metadata.product.version",
    ),
    "configuration": Member(list[RecordedFile], "Files of the configuration"),
    "data": Member(list[RecordedData], "Data files of the rulesets"),
    "input": Member(str, "Name of the plan"),
    "evidence_sha256": Member(Sha256, "Of the evidence file", "tfgate.evidence.sha256"),
    "archive_sha256": Member(Sha256, "Of the archived plan", always=False),
    "archive_problem": Member(str, "Why the plan was not archived", always=False),
}  # fmt: skip

EVENTS: Final[dict[str, Event]] = {
    "decision": Event("A plan, or sources, were evaluated", _FINDING, _DECISION),
    "undecided": Event("No decision could be made", _FINDING, {
        "decision_id": _ID,
        "error": Member(str, "Why", "error.message", "status_detail"),
        "error_type": Member(str, "Kind of error", "error.type", "status_code"),
        "plan": Member(str | None, "Name of the plan"),
        "versions": Member(dict[str, str], "Of tfgate", "tfgate.versions.*"),
    }),
    "not_delivered": Event(
        "What allows something did not reach the sink that must have it, so nothing was allowed",
        _LOG, {
        "decision_id": _ID,
        "record": Member(Count, "Number of the record that allows it"),
        "reason": _REASON,
    }),
    "receipt_issued": Event(
        "A receipt was signed",
        Ocsf(3004, "Entity Management", 1, "Create"),
        {**_ABOUT, "receipt_sha256": _RECEIPT, "decision": _VERDICT},
    ),
    "receipt_used": Event(
        "An apply is about to begin on a receipt; stands once for each receipt",
        Ocsf(3004, "Entity Management", 10, "Activate"), {
        **_ABOUT,
        "receipt_sha256": _RECEIPT,
        "receipt_decision_id": Member(str, "Decision of the receipt"),
        "receipt_record": Member(Sha256, "`hash` of that decision's record"),
        "receipt_operator": Member(str, "Who had it decided"),
        "signer": Member(str, "Whose key signed it"),
        "key": Member(str, "Fingerprint of that key"),
        "signers_sha256": _SIGNERS,
    }),
    "break_glass": Event(
        "Two people let through what no approval lets through; stands behind the decision",
        _LATER_FINDING, {
        **_ABOUT,
        "approvers": Member(list[str], "Who they are", "tfgate.approver", "actor.user.name"),
        "approvals": Member(list[Approval], "What they signed"),
        "reason": _REASON,
        "findings": Member(list[Approved], "What they let through"),
    }),
    "approval_used": Event("An apply is about to begin that rests on an approval", _LATER_FINDING, {
        **_ABOUT,
        "approver": Member(str, "Who approved", "tfgate.approver", "actor.user.name"),
        "principals": Member(list[str], "Every name of the approver's key"),
        "key": Member(str, "Fingerprint of that key"),
        "digest": Member(Sha256, "SHA-256 of what was signed"),
        "reason": _REASON,
        "approved": Member(dt.datetime, "When it was signed"),
        "expires": Member(dt.datetime, "Until when it holds"),
        "signers_sha256": _SIGNERS,
        "issuer": Member(str, "Whose word it is who approved, where a server signed", always=False),
        "subject": Member(str, "What that issuer calls the approver", always=False),
        "roles": Member(list[str], "Roles that the server knows of the approver", always=False),
        "source": Member(
            str, "How it was proven who approved: `browser`, `github`, `gitlab`", always=False
        ),
        "where": Member(str, "URL of where the answer was given", always=False),
        "review": Member(Review, "The review that it was given by", always=False),
        "findings": Member(list[Approved], "What it let through"),
    }),
    "apply_started": Event(
        "The gate is about to apply",
        _LAUNCH,
        {**_ABOUT, "arguments": _ARGUMENTS, "terraform": Member(Program, "What is run")},
    ),
    "apply_finished": Event("The apply has ended", _TERMINATE, {
        **_ABOUT,
        "exit_code": _EXIT,
        "reason": Member(str, "Why it never began", "tfgate.reason", "status_detail", False),
        "signals": _SIGNALS,
        "duration_ms": _DURATION,
        "changes": Member(MadeByPlan | MadeByTerraform, "What was changed", always=False),
        "plan_unchanged": Member(bool, "Whether the plan file is still the same", always=False),
    }),
    "apply_cancelled": Event(
        "An allowed plan was not applied", _LATER_FINDING, {**_ABOUT, "reason": _REASON}
    ),
    "obligations": Event(
        "What was let through as unknown was evaluated on the new state", _LATER_FINDING, {
        **_ABOUT,
        "counts": Member(dict[str, Count], "Number of each result: `met`, `broken`, `unresolved`",
            "tfgate.obligations.*", "compliance.status_id"),
        "results": Member(list[Checked], "Each of them", None, "compliance.checks"),
        "results_truncated": Member(Count, _TRUNCATED),
        "problem": Member(str | None, "Why none could be looked at", "tfgate.reason"),
        "later": Member(bool, "Whether `tfgate verify` did it", always=False),
    }),
    "command": Event("A command without a plan is about to run, or was denied", _LAUNCH, {
        "decision_id": _ID,
        "workspace": _WORKSPACE,
        "operator": _OPERATOR,
        "operator_facts": msgspec.structs.replace(_PROOF, always=False),
        "command": _COMMAND,
        "arguments": _ARGUMENTS,
        "decision": _VERDICT,
    }),
    "command_finished": Event("It has ended", _TERMINATE, {
        "decision_id": _ID,
        "workspace": _WORKSPACE,
        "operator": _OPERATOR,
        "operator_facts": msgspec.structs.replace(_PROOF, always=False),
        "command": _COMMAND,
        "arguments": _ARGUMENTS,
        "exit_code": _EXIT,
        "signals": _SIGNALS,
        "duration_ms": _DURATION,
    }),
    "recovered": Event(
        "A writer was cut short, and the next one took its unfinished line out", _LOG, {
        "reason": _REASON,
        "file": Member(str, "Where the line stood", None, "file.name"),
        "after_seq": Member(int | None, "Number of the record before it"),
        "fragment_length": Member(Count, "Bytes that were taken out"),
        "fragment_sha256": Member(Sha256, "Of them"),
        "fragment_base64": Member(str, "They, or their two ends"),
        "fragment_truncated": Member(bool, "Whether those are the ends alone"),
    }),
    "rotated": Event(
        "First record of a new file", Ocsf(1008, "Event Log Activity", 5, "Rotate"), {
        "previous_file": Member(str, "Name of the file before", None, "file.name"),
        "previous_last_seq": Member(Count, "Number of its last record"),
        "reason": _REASON,
    }),
    "checkpoint": Event("The state of the trail was signed", _LOG, {
        "statement": Member(Statement, "What was signed"),
        "signature": Member(str, "Its SSH signature"),
        "file": Member(str, "Name of the file that holds it", None, "file.name"),
    }),
    "checkpoint_failed": Event(
        "The state of the trail could not be signed", _LOG, {"reason": _REASON}
    ),
}  # fmt: skip
"""By the name that stands in the record's member ``event``."""


_BAD: Final = frozenset(
    {
        "undecided",
        "not_delivered",
        "break_glass",
        "recovered",
        "checkpoint_failed",
        "apply_cancelled",
    }
)


def is_bad(event: str, fields: dict[str, Any]) -> bool:
    """Whether somebody should look: a denial, a failure, a gap."""
    counts = fields.get("counts")
    open_ones = (
        event == "obligations"
        and isinstance(counts, dict)
        and (counts.get("broken") or counts.get("unresolved"))
    )
    return (
        event in _BAD
        or fields.get("decision") == "deny"
        or fields.get("exit_code", 0) != 0
        or bool(open_ones)
    )


RUN: Final = {
    "id": "cicd.pipeline.run.id",
    "url": "cicd.pipeline.run.url.full",
    "commit": "vcs.ref.head.revision",
    "repository": "vcs.repository.name",
}
"""Members of ``run`` by their names in OpenTelemetry's conventions."""
PROOF: Final = {
    "source": "tfgate.operator.source",
    "verified": "tfgate.operator.verified",
    "issuer": "tfgate.operator.issuer",
    "subject": "user.id",
    "token_id": "tfgate.operator.token_id",
}
"""The same of ``operator_facts``."""


def attributes(record: Record) -> dict[str, Any]:
    """Return each attribute of the log record with its value: text, a number, a list of texts."""
    named: dict[str, Any] = {
        _named("seq"): record.seq,
        _named("prev"): record.prev,
        _named("hash"): record.hash,
    }
    event = EVENTS.get(record.event)  # one of a later version has its body
    for name, member in {} if event is None else event.members.items():
        value = record.fields.get(name)
        if member.otel is not None and value is not None:
            named.update(_attributes(name, member.otel, value))
    return named


def _named(member: str) -> str:
    name = CHAIN[member].otel
    assert name is not None, "members of the chain have one"
    return name


def _attributes(name: str, otel: str, value: Any) -> Iterator[tuple[str, Any]]:
    if parts := {"run": RUN, "operator_facts": PROOF}.get(name):
        for key, attribute in parts.items():
            if value.get(key):
                yield attribute, value[key]
    elif name == "rulesets":
        yield otel, [f"{each['id']}@{each['version']}" for each in value]
    elif otel.endswith(".*"):
        for key, one in value.items():
            if one is not None:
                yield f"{otel[:-1]}{key}", one
    else:
        yield otel, value
