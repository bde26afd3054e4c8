"""``tfgate verify``: what a decision left open, checked later, perhaps on another machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from tfgate.audit.decision import MAX_FINDINGS, MAX_TEXT, read_evidence
from tfgate.audit.search import show
from tfgate.engine.context import Context
from tfgate.engine.recheck import Checked, Obligation, Result, recheck
from tfgate.errors import AuditError, TfgateError, UsageError, explained
from tfgate.exitcodes import ExitCode
from tfgate.gate.gather import Surroundings, gather_without_plan, load_config
from tfgate.gate.inputs import read_plan_input
from tfgate.gate.record import Recorder, audit_paths
from tfgate.gate.request import Request
from tfgate.model import Frozen
from tfgate.model.decision import Decision, OutcomeKind
from tfgate.model.rule import OnUnknown, Scope
from tfgate.opening import read_file
from tfgate.plan import read_plan
from tfgate.plan.applied import as_applied, from_state, read_state
from tfgate.plan.reading import Digest
from tfgate.ruleset import Effective, GateConfig, Ruleset
from tfgate.terraform import find_terraform


class Obligations(Frozen, frozen=True):
    """What became of every obligation of a decision."""

    checked: tuple[Checked, ...]
    problem: str | None = None
    """Why none of them could be looked at, where that is so."""

    def of(self, result: Result) -> list[Checked]:
        """Return those with this result."""
        return [one for one in self.checked if one.result is result]

    def without_met(self, reason: str) -> Obligations:
        """Call nothing met where what was evaluated may not be what the apply was to make."""
        met = {"result": Result.UNRESOLVED, "message": reason}
        return Obligations(
            tuple(
                msgspec.structs.replace(one, **met) if one.result is Result.MET else one
                for one in self.checked
            )
        )

    @property
    def exit_code(self) -> ExitCode:
        """0 where nothing that counts is broken or open; 1 for broken; 3 for unresolved."""
        counting = [one for one in self.checked if one.blocks]
        if any(one.result is Result.BROKEN for one in counting):
            return ExitCode.DENIED
        return ExitCode.UNDECIDED if counting else ExitCode.ALLOWED

    def fields(self) -> dict[str, Any]:
        """Return what the record says, those that do not hold first."""
        counts = {result.value: len(self.of(result)) for result in Result}
        kept = sorted(self.checked, key=lambda one: one.result is Result.MET)[:MAX_FINDINGS]
        return {
            "counts": counts,
            "results": [
                {**msgspec.to_builtins(one), "message": one.message[:MAX_TEXT]} for one in kept
            ],
            "results_truncated": len(self.checked) - len(kept),
            "problem": self.problem,
        }


def obligations_of(decision: Decision) -> tuple[Obligation, ...]:
    """Return the obligations that a decision leaves, one a rule and subject."""
    return tuple(
        dict.fromkeys(
            Obligation(found.rule, found.address, found.deposed, found.scope, found.action)
            for found in decision.obligations
        )
    )


def obligations_in(evidence: dict[str, Any]) -> tuple[Obligation, ...]:
    """Return the obligations in an evidence file, which leaves none out."""
    return tuple(
        Obligation(
            rule=str(found["rule"]),
            address=str(found["address"]),
            deposed=found.get("deposed"),
            scope=Scope(found.get("scope", Scope.RESOURCE.value)),
            action=found.get("action"),
        )
        for found in evidence.get("findings") or ()
        if found.get("outcome") == OutcomeKind.UNKNOWN.value
        and found.get("on_unknown") == OnUnknown.VERIFY.value
    )


def check_on_plan(
    plan_json: bytes,
    state_json: bytes,
    rulesets: Sequence[Ruleset],
    context: Context,
    obligations: Iterable[Obligation],
) -> Obligations:
    """Evaluate the obligations on the plan with what the state says in the place of the unknown."""
    plan = read_plan(as_applied(plan_json, read_state(state_json)), name="the state")
    return Obligations(recheck(plan, rulesets, context, obligations))


def check_on_state(
    state_json: bytes,
    rulesets: Sequence[Ruleset],
    context: Context,
    obligations: Sequence[Obligation],
) -> Obligations:
    """The same without the plan: rules that look at more than the state has stay unresolved."""
    actions = {
        one.address: one.action or "create" for one in obligations if one.scope is Scope.RESOURCE
    }
    outputs = [
        one.address.removeprefix("output.") for one in obligations if one.scope is Scope.OUTPUT
    ]
    made = from_state(read_state(state_json), actions, outputs)
    plan = read_plan(made, name="the state")
    return Obligations(recheck(plan, rulesets, context, obligations, whole=False))


def unresolved(
    obligations: Iterable[Obligation], rulesets: Sequence[Ruleset], context: Context, problem: str
) -> Obligations:
    """Say that none of the obligations could be looked at."""
    empty = read_plan(from_state(read_state(b'{"format_version":"1.0"}'), {}, ()))
    checked = recheck(empty, rulesets, context, obligations)
    return Obligations(
        tuple(msgspec.structs.replace(one, message=problem) for one in checked), problem
    )


class Source(Frozen, frozen=True):
    """Where the facts of the decision are."""

    evidence: Path | None = None
    """Directory of evidence files, or one evidence file; ``None`` for the one in force."""
    plan: str | None = None
    """The plan of the decision, for rules that look at more than the state has."""
    state: Path | None = None
    """Output of ``terraform show -json``; ``None`` has Terraform asked."""


class Verified(Frozen, frozen=True):
    """What came out."""

    decision_id: str
    obligations: Obligations
    warnings: tuple[str, ...]


def verify_decision(
    request: Request, decision_id: str, source: Source, config: GateConfig | None = None
) -> Verified:
    """Check the obligations of a decision on the state as it is now, and record the result.

    Raises ``AuditError`` where the decision or its evidence is not found, and ``TfgateError``
    where the rules are not those of the decision. ``config`` is for callers that have read it.
    """
    config = config or load_config(request)
    log, evidence_directory = audit_paths(config, request.env)
    shown = show([log], decision_id)
    decision = next((hit.record for hit in shown.hits if hit.record.event == "decision"), None)
    if decision is None:
        raise AuditError(f"The trail {log} has no decision {shown.decision_id}, only later events.")
    evidence = _evidence(decision.fields, source.evidence or evidence_directory)
    around = gather_without_plan(request, config)
    _check_same(decision.fields, evidence, around)
    wanted = obligations_in(evidence)
    found = _check(request, source, evidence, around, wanted) if wanted else Obligations(())
    about = {
        "workspace": around.workspace.name,
        "operator": around.operator.name,
        "plan_sha256": decision.fields.get("plan_sha256"),
    }
    Recorder.of(config, request).append(
        "obligations", shown.decision_id, {**about, **found.fields(), "later": True}
    )
    warnings = tuple(_warnings(decision.fields, [file.sha256 for file in config.files]))
    return Verified(shown.decision_id, found, warnings)


def _evidence(fields: Mapping[str, Any], place: Path) -> dict[str, Any]:
    digest = fields.get("evidence_sha256")
    if not isinstance(digest, str):
        raise AuditError("The record of the decision names no evidence.")
    # A single file that was carried over is found as if its folder were the directory.
    directory = place.parent.parent if place.is_file() else place
    evidence = read_evidence(directory, digest)
    if not isinstance(evidence, dict):
        raise AuditError(f"The evidence {digest} is not of a decision.")
    return evidence


def _check_same(
    fields: Mapping[str, Any], evidence: Mapping[str, Any], around: Surroundings
) -> None:
    """Refuse to check by other rules, or on another workspace's state."""
    if fields.get("workspace") != around.workspace.name:
        raise TfgateError(
            f"The decision is about the workspace {fields.get('workspace')}, and "
            f"{around.workspace.name} is the one in use (from {around.workspace.source}).",
            hint="Select that workspace, or name it with --workspace.",
        )
    in_force = {ruleset.id: ruleset.digest for ruleset in around.effective.rulesets}
    for ruleset in evidence.get("rulesets") or ():
        now = in_force.get(ruleset["id"])
        if now != ruleset["digest"]:
            what = "is not in force here" if now is None else f"is now {now}"
            raise TfgateError(
                f"The decision was made by the ruleset {ruleset['id']} {ruleset['version']} "
                f"({ruleset['digest']}), which {what}.",
                hint="Check out the rulesets as they were, and verify again.",
            )
    _check_data(fields, around.effective)


def _check_data(fields: Mapping[str, Any], effective: Effective) -> None:
    now = {
        (ruleset, name): file.sha256
        for ruleset, files in effective.data.items()
        for name, file in files.items()
    }
    for entry in fields.get("data") or ():
        if now.get((entry["ruleset"], entry["name"])) != entry["sha256"]:
            raise TfgateError(
                f"The data file {entry['name']} of the ruleset {entry['ruleset']} is not the one "
                "that the decision rests on.",
                hint="Give the file as it was, and verify again.",
            )


def _check(
    request: Request,
    source: Source,
    evidence: Mapping[str, Any],
    around: Surroundings,
    wanted: Sequence[Obligation],
) -> Obligations:
    state = _state(request, source)
    rulesets, context = around.effective.rulesets, around.context
    if source.plan is None:
        return check_on_state(state, rulesets, context, wanted)
    plan = read_plan_input(source.plan, env=request.env, cwd=request.directory)
    facts = evidence["plan"]
    if facts["json_sha256"] != Digest(plan.data).hex() and (
        plan.plan_file_sha256 is None or facts.get("file_sha256") != plan.plan_file_sha256
    ):
        raise UsageError(f"{source.plan} is not the plan that the decision is about.")
    return check_on_plan(plan.data, state, rulesets, context, wanted)


def _state(request: Request, source: Source) -> bytes:
    if source.state is None:
        return find_terraform(request.env).show_state(request.directory)
    with explained(f"The state {source.state} cannot be read", UsageError):
        return read_file(source.state)


def _warnings(fields: Mapping[str, Any], files: Sequence[str]) -> Iterator[str]:
    recorded = [file["sha256"] for file in fields.get("configuration") or ()]
    if recorded != list(files):
        yield (
            "The configuration is not the one of the decision: levels and parameters may differ, "
            "and the rules were evaluated with those of now."
        )
