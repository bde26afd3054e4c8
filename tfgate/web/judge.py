"""One judgement, in a process of its own."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import IO, TYPE_CHECKING

from msgspec.structs import replace

from tfgate._version import __version__
from tfgate.app.check import CheckResult, judge_and_record, new_decision_id, rules_by_id
from tfgate.app.gather import gather_sources
from tfgate.app.inputs import PlanInput
from tfgate.app.record import Recorder
from tfgate.app.request import Request
from tfgate.app.review import lay_out
from tfgate.app.source_check import judge_sources
from tfgate.app.verify import Source, verify_decision
from tfgate.errors import TfgateError
from tfgate.exitcodes import ExitCode
from tfgate.report import AuditFacts, ReportContext, render
from tfgate.report.review_html import render as render_review
from tfgate.web.archive import unpack, working_directory
from tfgate.web.findings import findings_of, is_pass, message_of, plain
from tfgate.web.job import Job, Judgement
from tfgate.web.payload import Stage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.app.check import Judged
    from tfgate.web.policies import Policy

_LARGEST_PAGE = 16 * 1024**2


def judge(job: Job, file: IO[bytes] | None, policy: Policy, env: Mapping[str, str]) -> Judgement:
    """Judge what ``file`` holds. Whatever stands in the way of a decision is a failed task."""
    request = _request(job, policy, env)
    try:
        if job.stage is Stage.PRE_PLAN:
            return _sources(job, file, policy, request)
        if job.stage is Stage.POST_APPLY:
            return _obligations(job, file, policy, request)
        return _plan(file, policy, request)
    except TfgateError as error:
        return undecided(str(error))


def undecided(reason: str) -> Judgement:
    """Give the judgement that says that none could be made: it fails the task."""
    message = plain(f"tfgate could not decide: {reason}")
    return Judgement(passed=False, undecided=True, message=message)


def _request(job: Job, policy: Policy, env: Mapping[str, str]) -> Request:
    known = {"TFC_RUN_ID": job.run_id}
    if job.commit:
        known["TFC_CONFIGURATION_VERSION_GIT_COMMIT_SHA"] = job.commit
    folder = Path(job.folder)
    return Request(
        plan=f"run {job.run_id}",
        env={**env, **known},
        cwd=folder,
        root=folder,
        now=dt.datetime.fromtimestamp(job.now, dt.timezone.utc),
        workspace=job.workspace,
        operator=job.operator,
        facts=job.facts,
        approvals=policy.table.approvals,
        rules=policy.source_rules if job.stage is Stage.PRE_PLAN else policy.rules,
    )


def _plan(file: IO[bytes] | None, policy: Policy, request: Request) -> Judgement:
    assert file is not None, "the plan was fetched"
    plan = PlanInput(file.read(), request.plan)
    recorder = Recorder.of(policy.config, request)
    judged = judge_and_record(request, policy.config, recorder, lambda: plan)
    result = _judgement(judged.result, _review(judged, request))
    return replace(result, plan_sha256=judged.result.decision.plan.json_sha256)


def _judgement(result: CheckResult, page: str) -> Judgement:
    decision = result.decision
    findings, left_out = findings_of(decision)
    return Judgement(
        passed=is_pass(decision),
        undecided=decision.undecided,
        message=message_of(decision),
        decision_id=result.decision_id,
        obligations=len(decision.obligations),
        findings=findings,
        left_out=left_out,
        page=page if len(page) <= _LARGEST_PAGE else None,
    )


def _review(judged: Judged, request: Request) -> str:
    result = judged.result
    laid_out = lay_out(
        judged.gathered.plan, result.decision, result.rules, plan_name=result.plan_name
    )
    return render_review(laid_out, _context(result, request))


def _context(result: CheckResult, request: Request) -> ReportContext:
    recorded = result.recorded
    return ReportContext(
        tfgate_version=__version__,
        now=request.now,
        decision_id=result.decision_id,
        rules=result.rules,
        plan_name=result.plan_name,
        audit=None
        if recorded is None
        else AuditFacts(path=recorded.trail.name, seq=recorded.seq, hash=recorded.hash),
    )


def _sources(job: Job, file: IO[bytes] | None, policy: Policy, request: Request) -> Judgement:
    if file is None:
        return undecided("the request names no configuration to download.")
    folder = Path(job.folder)
    if unpack(file, folder, job.configuration_bytes) == 0:
        return undecided("the configuration is empty.")
    root = working_directory(folder, job.working_directory)
    request = replace(request, root=root)
    recorder = Recorder.of(policy.config, request)
    decision_id = new_decision_id(request.now)
    with recorder.due(decision_id):
        gathered = gather_sources(request, policy.config)
        decision = judge_sources(gathered)
        recorded = recorder.decision(decision_id, decision, gathered)
    code = ExitCode.ALLOWED if is_pass(decision) else ExitCode.DENIED
    result = CheckResult(
        decision=decision,
        decision_id=decision_id,
        exit_code=code,
        recorded=recorded,
        rules=rules_by_id(gathered),
        plan_name=request.plan,
    )
    return _judgement(result, render("html", decision, _context(result, request)))


def _obligations(job: Job, file: IO[bytes] | None, policy: Policy, request: Request) -> Judgement:
    """Check on the state what the plan left open."""
    if job.decision_id is None or file is None:
        return undecided("the state after the apply could not be had.")
    state = Path(job.folder, "state.json")
    data = file.read()
    json.loads(data)
    state.write_bytes(data)
    found = verify_decision(request, job.decision_id, Source(state=state), policy.config)
    code = found.obligations.exit_code
    counts = found.obligations.fields()["counts"]
    told = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    return Judgement(
        passed=code is ExitCode.ALLOWED,
        undecided=code is ExitCode.UNDECIDED,
        decision_id=job.decision_id,
        message=plain(f"Obligations of {job.decision_id} on the state: {told or 'none'}."),
    )
