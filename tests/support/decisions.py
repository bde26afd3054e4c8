"""Decisions of every kind, made by hand: what reports, records and pages are tested with."""

from __future__ import annotations

import datetime as dt
import hashlib
from typing import Any

import msgspec

from tfgate.model.address import Location
from tfgate.model.decision import (
    Approval,
    Decision,
    Operator,
    Outcome,
    OutcomeKind,
    Override,
    PlanFacts,
    Review,
    RulesetFacts,
    Run,
    Verdict,
    Waiver,
    Workspace,
)
from tfgate.model.rule import Enforcement, OnUnknown, Rule, Severity
from tfgate.report import AuditFacts, ReportContext

SOFT, HARD, ADVISORY = (
    Enforcement.SOFT_MANDATORY,
    Enforcement.HARD_MANDATORY,
    Enforcement.ADVISORY,
)

HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil.example\x07link\r\n::error file=a.tf,line=1::owned\n"
    "##[error]owned ##vso[task.complete result=Succeeded] \u202egnirts\u202c \u200binvisible "
    "<script>alert(1)</script> <img src=x onerror=alert(1)> [click](javascript:alert(1)) "
    "@octocat #1 GH-1 https://evil.example www.evil.example a@evil.example ```\n| a | b |\n"
    "`code` **bold** _it_ {{7*7}} ${7*7} {0} %0A %3A ]]> \x00 \x7f \x9b31m [red]markup[/red] "
    'failures": [ 12 failures FAIL'
)
"""A value that tries to break out of every format there is."""

HOSTILE_ADDRESS = 'aws_route53_failover.fail["</td>\n::error::x\x1b[2J`|@octocat"]'


NOTHING_SELECTED = (
    "No rule was evaluated on this plan: check the rulesets and their match, or pass --allow-empty."
)


def outcome(
    rule: str = "ACME-EC2-003",
    address: str = "aws_instance.web",
    kind: OutcomeKind = OutcomeKind.FAIL,
    **fields: Any,
) -> Outcome:
    """One finding; ``blocks`` follows from kind and level unless given."""
    fields.setdefault("ruleset", "acme-baseline")
    fields.setdefault("title", "Instances use an allowed type")
    fields.setdefault("enforcement", HARD)
    fields.setdefault("message", f"{address} uses m5.24xlarge")
    fields.setdefault("blocks", _blocks(kind, fields))
    key = "\0".join([rule, address, fields.get("deposed") or "", fields["message"]])
    digest = hashlib.sha256(key.encode("utf-8", "backslashreplace")).hexdigest()
    fields.setdefault("fingerprint", digest)
    return Outcome(rule=rule, address=address, outcome=kind, **fields)


def _blocks(kind: OutcomeKind, fields: dict[str, Any]) -> bool:
    if kind is OutcomeKind.ERROR:
        return True
    if kind is OutcomeKind.UNKNOWN:
        return fields.get("on_unknown") is OnUnknown.DENY
    return kind is OutcomeKind.FAIL and fields["enforcement"] is not ADVISORY


def decision(
    *outcomes: Outcome, passed: dict[str, tuple[str, ...]] | None = None, **fields: Any
) -> Decision:
    """A decision over ``outcomes``; deny exactly where one of them blocks, unless given."""
    ordered = sorted(outcomes, key=lambda o: (o.rule, o.address, o.deposed or "", o.item or 0))
    blocking = [o for o in ordered if o.blocks]
    rules = dict.fromkeys((o.rule, o.enforcement) for o in blocking)
    values: dict[str, Any] = {
        "verdict": Verdict.DENY if blocking else Verdict.ALLOW,
        "reasons": tuple(f"{rule} ({level}) failed." for rule, level in rules),
        "rulesets": RULESETS,
        "plan": PLAN,
        "workspace": WORKSPACE,
        "operator": OPERATOR,
    }
    values.update(fields)
    return Decision(outcomes=tuple(ordered), passed=PASSED if passed is None else passed, **values)


def context(**fields: Any) -> ReportContext:
    """The circumstances of a report, all fixed."""
    values: dict[str, Any] = {
        "tfgate_version": "1.2.3",
        "decision_id": "01JF3Z6Q9XKQ4",
        "audit": AuditFacts(path="~/.local/state/tfgate/audit.jsonl", seq=42, hash="ab" * 32),
        "now": dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.timezone.utc),
        "rules": {rule.id: rule for rule in RULES},
    }
    values.update(fields)
    return ReportContext(**values)


PASSED: dict[str, tuple[str, ...]] = {
    "ACME-EC2-003": ("aws_instance.api", 'module.web.aws_instance.app["green"]'),
    "CORE-DEL-001": ("aws_db_instance.main", "aws_s3_bucket.logs (deposed 0f3a9b2c)"),
}
RULESETS = (
    RulesetFacts(
        id="acme-baseline",
        version="1.4.0",
        title="Acme baseline",
        digest="sha256:" + "1f" * 32,
        source="./policy",
        owners=("platform-security@acme.example",),
        rules=12,
        selected=5,
        commit="9fceb02d0ae598e95dc970b74767f19372d61af8",
    ),
    RulesetFacts(
        id="core",
        version="1.0.0",
        title="Core",
        digest="sha256:" + "2e" * 32,
        source="tfgate:core",
        rules=10,
        selected=4,
    ),
)
PLAN = PlanFacts(
    json_sha256="c0" * 32,
    file_sha256="d1" * 32,
    format_version="1.2",
    terraform_version="1.9.5",
    timestamp="2026-11-24T09:29:11Z",
    complete=True,
    applyable=True,
    counts={"create": 3, "update": 1, "replace": 1, "delete": 0, "no-op": 8, "drift": 1},
)
WORKSPACE = Workspace(
    name="prod",
    source="environment",
    backend="s3",
    identity={"bucket": "acme-state", "key": "net/terraform.tfstate"},
)
OPERATOR = Operator(name="alice", source="github", verified=True)
RUN = Run(
    system="github",
    url="https://github.com/acme/infra/actions/runs/77",
    id="77",
    commit="6dcb09b5b57875f334f61aebed695e2e4193db5e",
    dirty=False,
    repository="https://github.com/acme/infra",
)
LOCATION = Location("main.tf", 12, end_line=20)
DEEP = Location(
    "modules/web/instances/main.tf",
    40,
    end_line=52,
    calls=(Location("main.tf", 7), Location("modules/web/main.tf", 3)),
)
REMEDIATION = "Pick one of the allowed types, or ask for a waiver."
CONTROLS: dict[str, tuple[str, ...]] = {"soc2": ("CC8.1",), "iso27001": ("A.8.9",)}
REFERENCES = ("https://docs.acme.example/ec2-types",)
RULES = (
    Rule(
        id="ACME-EC2-003",
        title="Instances use an allowed type",
        severity=Severity.MEDIUM,
        enforcement=SOFT,
        message="{address} uses {after.instance_type}",
        require="contains($params.allowed_instance_types, after.instance_type)",
        description="Large instances are expensive.\nOnly the listed types may be started.",
        remediation=REMEDIATION,
        controls=CONTROLS,
        references=REFERENCES,
        owners=("platform-security@acme.example",),
    ),
)
FULL: dict[str, Any] = {
    "severity": Severity.MEDIUM,
    "type": "aws_instance",
    "action": "create",
    "attribute": "instance_type",
    "remediation": REMEDIATION,
    "controls": CONTROLS,
    "references": REFERENCES,
}
WAIVER = Waiver(
    rule="ACME-EC2-*",
    address="module.load_test.*",
    reason="load test until the end of January",
    owner="team-load@acme.example",
    expires=dt.date(2027, 1, 31),
    ticket="OPS-123",
    source="tfgate.toml: waivers[0]",
)
COMMENT_WAIVER = Waiver(
    rule="ACME-EC2-003",
    address="aws_instance.bench",
    reason="benchmark",
    owner="team-load",
    expires=dt.date(2026, 12, 31),
    source="bench.tf:3",
    location=Location("bench.tf", 3),
    kind="comment",
)


APPROVAL = Approval(
    approver="alice@acme.example",
    principals=("alice@acme.example", "alice"),
    key="SHA256:rjXPPzepDVFk9JWHlX5mhZeJ5MLpT2+EGQ6rjWHu1mo",
    digest="ab" * 32,
    reason="load test until Friday",
    approved=dt.datetime(2026, 11, 24, 8, 0, tzinfo=dt.timezone.utc),
    expires=dt.datetime(2026, 11, 25, 8, 0, tzinfo=dt.timezone.utc),
)
SECOND = msgspec.structs.replace(
    APPROVAL,
    approver="bob@acme.example",
    principals=("bob@acme.example",),
    reason="seen",
    issuer="https://github.com",
    subject="583231",
    source="github",
    where="https://github.com/acme/infra/pull/7#pullrequestreview-80",
    review=Review(
        system="github",
        repository="acme/infra",
        change=7,
        id="80",
        commit="ab" * 20,
        head="ab" * 20,
        given="2026-11-24T07:59:00Z",
        teams=("acme/platform",),
    ),
)
HOSTILE_APPROVAL = msgspec.structs.replace(
    APPROVAL, approver="bob@acme.example", principals=("bob@acme.example",), reason=HOSTILE
)


def _hard() -> Decision:
    return decision(
        outcome(
            "CORE-DEL-001",
            "aws_db_instance.main",
            ruleset="core",
            title="Stateful resources are not deleted",
            severity=Severity.CRITICAL,
            message="aws_db_instance.main will be replaced, and its data lost",
            action="replace",
            type="aws_db_instance",
            location=Location("db.tf", 3),
            remediation="Keep the object, or move it with a moved block.",
        ),
        outcome(address="aws_instance.web", enforcement=SOFT, location=LOCATION, **FULL),
        run=RUN,
    )


def _unknown(on_unknown: OnUnknown) -> Decision:
    return decision(
        outcome(
            kind=OutcomeKind.UNKNOWN,
            on_unknown=on_unknown,
            enforcement=HARD if on_unknown is OnUnknown.DENY else SOFT,
            message="aws_instance.web uses (known after apply)",
            location=LOCATION,
            **FULL,
        )
    )


def _chains() -> Decision:
    addresses = [
        f'module.web.module.instances["{zone}"].aws_instance.app[{n}]'
        for zone in "ab"
        for n in (0, 1)
    ]
    return decision(
        *(outcome(address=a, enforcement=SOFT, location=DEEP, **FULL) for a in addresses)
    )


def _items() -> Decision:
    return decision(
        *(
            outcome(
                "AWS-NET-001",
                "aws_security_group.web",
                title="No port is open to the world",
                severity=Severity.HIGH,
                message=f"aws_security_group.web opens port {port} to 0.0.0.0/0",
                item=number,
                location=Location("sg.tf", 5),
            )
            for number, port in enumerate((22, 3389, 22))
        ),
        outcome(
            "CORE-DEL-001",
            "aws_s3_bucket.logs",
            title="Stateful resources are not deleted",
            deposed="0f3a9b2c",
            action="delete",
            message="aws_s3_bucket.logs will be deleted",
        ),
    )


def _hostile() -> Decision:
    where = Location("a\n::error::<b>.tf", 1, calls=(Location("x\x1b[0m,y:z.tf", 2),))
    waiver = Waiver("R*", "*", HOSTILE, "@octocat", dt.date(2027, 1, 1), source=HOSTILE)
    fields: dict[str, Any] = {
        "title": HOSTILE,
        "message": HOSTILE,
        "remediation": HOSTILE,
        "location": where,
        "type": HOSTILE,
        "action": "create",
        "attribute": HOSTILE,
        "ruleset": HOSTILE,
        "controls": {HOSTILE: (HOSTILE,)},
        "references": (HOSTILE, "javascript:alert(1)", "https://ok.example/a?b=<c>"),
    }
    return decision(
        outcome("RULE\x1b[31m`|<b>", HOSTILE_ADDRESS, **fields),
        outcome("RULE-2", HOSTILE_ADDRESS, enforcement=ADVISORY, **fields),
        outcome(
            "RULE-3", HOSTILE_ADDRESS, OutcomeKind.UNKNOWN, on_unknown=OnUnknown.VERIFY, **fields
        ),
        outcome("RULE-4", HOSTILE_ADDRESS, OutcomeKind.WAIVED, waiver=waiver, **fields),
        outcome("RULE-5", "lone\ud800surrogate", OutcomeKind.ERROR, message="\ud800"),
        passed={HOSTILE: (HOSTILE_ADDRESS,)},
        warnings=(HOSTILE,),
        reasons=(HOSTILE,),
        workspace=Workspace(HOSTILE, HOSTILE, backend=HOSTILE, identity={HOSTILE: HOSTILE}),
        operator=Operator(HOSTILE, HOSTILE),
        rulesets=(RulesetFacts(HOSTILE, HOSTILE, HOSTILE, HOSTILE, HOSTILE, owners=(HOSTILE,)),),
    )


def hostile_allow() -> Decision:
    """A decision that allows, with everything hostile in it but nothing that blocks."""
    denied = _hostile()
    kept = [o for o in denied.outcomes if not o.blocks]
    return decision(
        *kept,
        passed=denied.passed,
        warnings=denied.warnings,
        reasons=(),
        workspace=denied.workspace,
        operator=denied.operator,
        rulesets=denied.rulesets,
    )


def many(number: int = 900) -> Decision:
    """A decision with ``number`` findings that block, of ten rules, and as many advisory ones."""
    long = "module.platform.module.cluster_of_many_instances"
    blocking = (
        outcome(
            f"ACME-{n % 10:03}",
            f'{long}.aws_instance.node["{n:05}"]',
            enforcement=SOFT,
            location=DEEP,
            **FULL,
        )
        for n in range(number)
    )
    advisory = (
        outcome(f"TAG-{n % 3:03}", f"{long}.aws_subnet.s[{n}]", enforcement=ADVISORY, **FULL)
        for n in range(number)
    )
    return decision(*blocking, *advisory)


CASES: dict[str, Decision] = {
    "allow-clean": decision(),
    "allow-advisory": decision(
        outcome(enforcement=ADVISORY, location=LOCATION, **FULL),
        warnings=("The plan's format version 1.9 is newer than 1.2, the newest that is known.",),
    ),
    "allow-unknown-verify": _unknown(OnUnknown.VERIFY),
    "allow-unknown-tolerated": _unknown(OnUnknown.ALLOW),
    "allow-waived": decision(
        outcome(
            address="module.load_test.aws_instance.big[0]",
            kind=OutcomeKind.WAIVED,
            enforcement=SOFT,
            waiver=WAIVER,
            location=LOCATION,
            **FULL,
        ),
        outcome(
            address="aws_instance.bench",
            kind=OutcomeKind.WAIVED,
            enforcement=SOFT,
            waiver=COMMENT_WAIVER,
            location=Location("bench.tf", 4),
            **FULL,
        ),
    ),
    "allow-approved": decision(
        outcome(
            enforcement=SOFT,
            blocks=False,
            override=Override((APPROVAL, HOSTILE_APPROVAL)),
            location=LOCATION,
            **FULL,
        )
    ),
    "allow-break-glass": decision(
        outcome(
            blocks=False,
            override=Override((APPROVAL, SECOND), break_glass=True),
            location=LOCATION,
            **FULL,
        ),
        reasons=(
            (
                "BREAK GLASS: ACME-EC2-003 (hard-mandatory) on aws_instance.web let through by "
                "alice@acme.example (load test until Friday) and bob@acme.example (seen)."
            ),
        ),
    ),
    "allow-nothing-selected": decision(passed={}, rulesets=()),
    "allow-hostile": hostile_allow(),
    "deny-hard-and-soft": _hard(),
    "deny-soft": decision(outcome(enforcement=SOFT, location=LOCATION, **FULL)),
    "deny-unknown": _unknown(OnUnknown.DENY),
    "deny-error": decision(
        outcome(
            kind=OutcomeKind.ERROR,
            message="column 14: contains() takes an array or a string, and got null",
            **FULL,
        )
    ),
    "deny-chains": _chains(),
    "deny-items-deposed-no-location": _items(),
    "deny-hostile": _hostile(),
    "deny-many": many(30),
    "undecided-nothing-selected": decision(
        verdict=Verdict.DENY,
        undecided=True,
        passed={},
        reasons=(NOTHING_SELECTED,),
    ),
    "undecided-errored-plan": decision(
        outcome(enforcement=SOFT, location=LOCATION, **FULL),
        verdict=Verdict.DENY,
        undecided=True,
        reasons=("The plan errored and is not whole: run terraform plan again.",),
    ),
}
"""Every kind of decision, by a name that says what it is."""
