"""One evaluation, in a process of its own: what was fetched goes in, a bounded result comes out."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import tarfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import IO, Final

from msgspec.structs import replace

from tfgate._version import __version__
from tfgate.errors import SourceError, TfgateError
from tfgate.exitcodes import ExitCode
from tfgate.gate.check import (
    CheckResult,
    Evaluated,
    evaluate_and_record,
    evaluate_gathered_sources,
    new_decision_id,
    rules_by_id,
)
from tfgate.gate.gather import gather_sources
from tfgate.gate.inputs import PlanInput
from tfgate.gate.record import Recorder
from tfgate.gate.request import Request
from tfgate.gate.verify import Source, verify_decision
from tfgate.model.decision import Decision, Outcome, OutcomeKind
from tfgate.plan import Plan
from tfgate.report import AuditFacts, ReportContext, view
from tfgate.report.escape import clip
from tfgate.report.html import render as render_html
from tfgate.report.markdown import full
from tfgate.server.job import Evaluation, Finding, Job, Stage
from tfgate.server.settings import Policy

ReviewPage = Callable[[Plan, Decision, ReportContext], str]
"""Renders the page of an evaluated plan. Handed in: it belongs to another feature."""

# A configuration version (``tar.gz``), unpacked into its folder alone.


MAX_FILES: Final = 50_000
MAX_DEPTH: Final = 64


class _Limited(io.RawIOBase):
    """Reads at most so many bytes: what a bomb unpacks to, headers included."""

    def __init__(self, inner: IO[bytes], limit: int) -> None:
        self._inner = inner
        self._left = limit
        self._limit = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._left + 1:
            size = self._left + 1
        data = self._inner.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(f"The configuration is larger than {self._limit} bytes.")
        return data


def unpack(archive: IO[bytes], folder: Path, limit: int) -> int:
    """Write the regular files of a ``tar.gz`` below ``folder``; return how many.

    Links, devices and names that lead out are left out: a link may point anywhere, and Terraform
    configurations need none. Raises ``SourceError`` for anything too large or broken.
    """
    count = 0
    try:
        plain = _Limited(gzip.GzipFile(fileobj=archive), limit)  # type: ignore[arg-type] # reads
        with tarfile.open(fileobj=plain, mode="r|") as tar:
            for member in tar:
                path = _place(member.name)
                if not member.isreg() or path is None:
                    continue
                count += 1
                if count > MAX_FILES:
                    raise SourceError(f"The configuration has more than {MAX_FILES} files.")
                _write(tar, member, folder / path)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError):
        raise SourceError("The configuration is not a tar.gz archive, or is cut short.") from None
    except OSError as error:
        raise SourceError(f"The configuration cannot be unpacked: {error.strerror}.") from None
    return count


def _place(name: str) -> PurePosixPath | None:
    """Return where a member goes, ``None`` where that is not below the folder."""
    path = PurePosixPath(name)
    parts = [part for part in path.parts if part != "."]
    odd = path.is_absolute() or ".." in parts or "\0" in name or len(parts) > MAX_DEPTH
    return None if odd or not parts else PurePosixPath(*parts)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = tar.extractfile(member)
    assert source is not None, "regular files have content"
    with path.open("wb") as target:
        while chunk := source.read(1 << 16):
            target.write(chunk)


def working_directory(folder: Path, named: str | None) -> Path:
    """Return the directory of the root module. Raises ``SourceError`` where it is not there."""
    if not named or not named.strip("/"):
        return folder
    path = _place(named.strip("/"))
    if path is None or not (folder / path).is_dir():
        raise SourceError("The workspace's working directory is not in the configuration.")
    return folder / path


_LARGEST_PAGE = 16 * 1024**2


def evaluate(
    job: Job, file: IO[bytes] | None, policy: Policy, env: Mapping[str, str], page: ReviewPage
) -> Evaluation:
    """Evaluate what ``file`` holds. Whatever stands in the way of a decision is a failed task."""
    request = _request(job, policy, env)
    try:
        if job.stage is Stage.PRE_PLAN:
            return _sources(job, file, policy, request)
        if job.stage is Stage.POST_APPLY:
            return _obligations(job, file, policy, request)
        return _plan(file, policy, request, page)
    except TfgateError as error:
        return undecided(str(error))


def plain(text: str, longest: int = 500) -> str:
    """Return a sentence of our own, cut to what a message may have."""
    return clip(text, longest)


def undecided(reason: str) -> Evaluation:
    """Return the result of a task that could not be evaluated: it fails."""
    message = plain(f"tfgate could not decide: {reason}")
    return Evaluation(passed=False, undecided=True, message=message)


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
        proven=job.proven,
        facts=job.facts,
        approvals=policy.table.approvals,
        rules=policy.source_rules if job.stage is Stage.PRE_PLAN else policy.rules,
    )


def _plan(file: IO[bytes] | None, policy: Policy, request: Request, page: ReviewPage) -> Evaluation:
    assert file is not None, "the plan was fetched"
    plan = PlanInput(file.read(), request.plan)
    recorder = Recorder.of(policy.config, request)
    evaluated = evaluate_and_record(request, policy.config, recorder, lambda: plan)
    result = _evaluation(evaluated.result, _review(evaluated, request, page))
    return replace(result, plan_sha256=evaluated.result.decision.plan.json_sha256)


def _evaluation(result: CheckResult, page: str) -> Evaluation:
    decision = result.decision
    findings, left_out = findings_of(decision)
    return Evaluation(
        passed=_is_pass(decision),
        undecided=decision.undecided,
        message=message_of(decision),
        decision_id=result.decision_id,
        obligations=len(decision.obligations),
        findings=findings,
        left_out=left_out,
        page=page if len(page) <= _LARGEST_PAGE else None,
    )


def _review(evaluated: Evaluated, request: Request, page: ReviewPage) -> str:
    result = evaluated.result
    return page(evaluated.gathered.plan, result.decision, _context(result, request))


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


def _sources(job: Job, file: IO[bytes] | None, policy: Policy, request: Request) -> Evaluation:
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
        decision = evaluate_gathered_sources(gathered)
        recorded = recorder.decision(decision_id, decision, gathered)
    code = ExitCode.ALLOWED if _is_pass(decision) else ExitCode.DENIED
    result = CheckResult(
        decision=decision,
        decision_id=decision_id,
        exit_code=code,
        recorded=recorded,
        rules=rules_by_id(gathered),
        plan_name=request.plan,
    )
    return _evaluation(result, render_html(decision, _context(result, request)))


def _obligations(job: Job, file: IO[bytes] | None, policy: Policy, request: Request) -> Evaluation:
    """Check on the state what the plan left open."""
    if job.decision_id is None or file is None:
        return undecided("the state after the apply could not be read.")
    state = Path(job.folder, "state.json")
    data = file.read()
    json.loads(data)
    state.write_bytes(data)
    found = verify_decision(request, job.decision_id, Source(state=state), policy.config)
    code = found.obligations.exit_code
    counts = found.obligations.fields()["counts"]
    counted = ", ".join(f"{number} {word}" for word, number in counts.items() if number)
    return Evaluation(
        passed=code is ExitCode.ALLOWED,
        undecided=code is ExitCode.UNDECIDED,
        decision_id=job.decision_id,
        message=plain(f"Obligations of {job.decision_id} on the state: {counted or 'none'}."),
    )


# The decision as findings of a run task: what blocks first, bounded in number and size.

MAX_FINDINGS: Final = 2_000
_LONGEST: Final = 2_000
_LEVELS: Final = {
    "critical": "error",
    "high": "error",
    "medium": "warning",
    "low": "info",
    "info": "none",
}


def message_of(decision: Decision) -> str:
    """Return the decision in one line of at most 500 characters."""
    return clip(view.headline(decision, view.group(decision)), 500)


def findings_of(decision: Decision) -> tuple[tuple[Finding, ...], int]:
    """Return the findings, and how many there are beyond the limit."""
    order = sorted(decision.outcomes, key=_weight)
    kept = order[:MAX_FINDINGS]
    return tuple(_finding(o, n) for n, o in enumerate(kept)), len(order) - len(kept)


def _weight(outcome: Outcome) -> tuple[bool, bool, int]:
    ranks = list(_LEVELS)
    return (
        not outcome.blocks,
        outcome.outcome is OutcomeKind.WAIVED,
        ranks.index(outcome.severity.value),
    )


def _finding(outcome: Outcome, number: int) -> Finding:
    status, level = _status(outcome)
    where = view.subject(outcome)
    return Finding(
        id=f"{clip(outcome.rule, 200)}#{number}",
        description=clip(f"{where}: {view.problem(outcome)}", 300),
        body="\n\n".join(full(_LONGEST).write((outcome,))),
        status=status,
        severity=outcome.severity.value.capitalize(),
        level=level,
    )


def _status(outcome: Outcome) -> tuple[str, str]:
    """Return the label, and how bad it is."""
    if outcome.blocks:
        return "Denied", "error"
    if outcome.outcome is OutcomeKind.WAIVED:
        return "Waived", "none"
    if outcome.override is not None:
        return ("Break glass", "error") if outcome.override.break_glass else ("Approved", "info")
    if outcome.outcome is OutcomeKind.UNKNOWN:
        return "Not known yet", "warning"
    return "Advisory", _LEVELS[outcome.severity.value]


def _is_pass(decision: Decision) -> bool:
    return decision.allows
