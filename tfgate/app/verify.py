"""``tfgate verify``: what a decision left open, checked later, perhaps on another machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfgate.app.gather import gather_without_plan, load_config
from tfgate.app.inputs import read_plan_input
from tfgate.app.obligations import Obligations, check_on_plan, check_on_state, obligations_in
from tfgate.app.record import Recorder, audit_paths
from tfgate.audit.evidence import read_evidence
from tfgate.audit.search import show
from tfgate.errors import AuditError, TfgateError, UsageError
from tfgate.opening import read_file
from tfgate.plan.digest import Digest
from tfgate.terraform import find_terraform

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.app.gather import Surroundings
    from tfgate.app.request import Request
    from tfgate.engine.recheck import Obligation
    from tfgate.ruleset import Effective, GateConfig


@dataclass(frozen=True)
class Source:
    """Where the facts of the decision are."""

    evidence: Path | None = None
    """Directory of evidence files, or one evidence file; ``None`` for the one in force."""
    plan: str | None = None
    """The plan of the decision, for rules that look at more than the state has."""
    state: Path | None = None
    """Output of ``terraform show -json``; ``None`` has Terraform asked."""


@dataclass(frozen=True)
class Verified:
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
    try:
        return read_file(source.state)
    except OSError as error:
        raise UsageError(f"The state {source.state} cannot be read: {error.strerror}.") from None


def _warnings(fields: Mapping[str, Any], files: Sequence[str]) -> Iterator[str]:
    recorded = [file["sha256"] for file in fields.get("configuration") or ()]
    if recorded != list(files):
        yield (
            "The configuration is not the one of the decision: levels and parameters may differ, "
            "and the rules were evaluated with those of now."
        )
