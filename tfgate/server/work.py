"""The two steps of a task: evaluate it, and answer. Each may be done again after a crash."""

from __future__ import annotations

import random
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from tfgate.errors import TfgateError
from tfgate.server.client import DOUBTFUL, Client, Fetched, fetch_state
from tfgate.server.evaluation import undecided
from tfgate.server.evaluation_host import Evaluators, Host
from tfgate.server.job import Evaluation, Finding, Job, Stage
from tfgate.server.monitoring import Log, Metrics, about
from tfgate.server.peers import PeerError
from tfgate.server.secrets import Links
from tfgate.server.settings import Settings, choose
from tfgate.server.store import ABANDONED, ANSWERED, OPEN, Earlier, Store, Task

# Bodies of answers: JSON:API documents that stay below the limit.

RUNNING, PASSED, FAILED = "running", "passed", "failed"


def status_body(status: str, message: str, url: str | None = None) -> bytes:
    """Return a body with a status and nothing else."""
    return msgspec.json.encode({"data": _data(status, message, url)})


def _data(status: str, message: str, url: str | None) -> dict[str, Any]:
    attributes = {"status": status, "message": message}
    if url is not None:
        attributes["url"] = url
    return {"type": "task-results", "attributes": attributes}


def outcomes_body(
    message: str, url: str | None, findings: Sequence[Finding], *, most: int, limit: int
) -> bytes:
    """Return a ``running`` body with an outcome for each finding, in at most ``limit`` bytes.

    Findings that do not fit are counted in a last outcome.
    """
    data = _data(RUNNING, message, url)
    size = len(msgspec.json.encode(data)) + 2_000
    taken: list[dict[str, Any]] = []
    for finding in findings[:most]:
        outcome = _outcome(finding, url)
        size += len(msgspec.json.encode(outcome)) + 1
        if size > limit:
            break
        taken.append(outcome)
    left = len(findings) - len(taken)
    if left:
        taken.append(_rest(left, url))
    data["relationships"] = {"outcomes": {"data": taken}}
    return msgspec.json.encode({"data": data})


def _outcome(finding: Finding, url: str | None) -> dict[str, Any]:
    tags = {
        "Status": [{"label": finding.status, "level": finding.level}],
        "Severity": [{"label": finding.severity, "level": finding.level}],
    }
    attributes = {
        "outcome-id": finding.id,
        "description": finding.description,
        "body": finding.body,
        "tags": tags,
    }
    if url is not None:
        attributes["url"] = url
    return {"type": "task-result-outcomes", "attributes": attributes}


def _rest(number: int, url: str | None) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "outcome-id": "tfgate-more",
        "description": f"{number} more findings are on the page of the decision.",
        "tags": {"Status": [{"label": "More", "level": "info"}]},
    }
    if url is not None:
        attributes["url"] = url
    return {"type": "task-result-outcomes", "attributes": attributes}


# No heartbeat after the final answer: what is sent about one task is sent one at a time.


class Sending:
    """Knows what this server is sending. A final answer waits for a heartbeat under way."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._final: set[str] = set()
        self._beating: set[str] = set()

    @contextmanager
    def final(self, key: str) -> Iterator[None]:
        """Hold back heartbeats of the task."""
        with self._change:
            self._final.add(key)
            self._change.wait_for(lambda: key not in self._beating)
        try:
            yield
        finally:
            with self._change:
                self._final.discard(key)

    @contextmanager
    def heartbeat(self, key: str) -> Iterator[bool]:
        """Yield whether a heartbeat may be sent now."""
        with self._change:
            free = key not in self._final and key not in self._beating
            if free:
                self._beating.add(key)
        try:
            yield free
        finally:
            if free:
                with self._change:
                    self._beating.discard(key)
                    self._change.notify_all()


_SHORTEST: Final = 0.5
_LONGEST: Final = 30.0


@dataclass
class Work:
    """Everything that a task needs, on this server."""

    settings: Settings
    store: Store
    client: Client
    evaluators: Evaluators
    links: Links
    metrics: Metrics
    log: Log
    folder: Path
    """Where jobs have their private folders."""
    sending: Sending = field(default_factory=Sending)
    stopping: threading.Event = field(default_factory=threading.Event)

    def evaluate(self, key: str) -> bool:
        """Evaluate a task and store the result; whether there is anything to answer."""
        if self.store.state(key) != OPEN:
            return False
        self.store.take(key)
        try:
            task = self.store.read(key)
        except TfgateError as error:
            # The token cannot be read, so no answer can be sent.
            self.log.error("abandoned", task=key, error=str(error))
            self.store.close(key, ABANDONED)
            return False
        if task is None or task.evaluated:
            return task is not None
        log = about(self.log, key, task.request)
        began = time.monotonic()
        evaluation = self._evaluation(task, log)
        self.metrics.evaluated.observe(time.monotonic() - began)
        self.store.evaluated(key, evaluation)
        log.info(
            "judged",
            passed=evaluation.passed,
            undecided=evaluation.undecided,
            decision_id=evaluation.decision_id,
            findings=len(evaluation.findings) + evaluation.left_out,
        )
        return True

    def _evaluation(self, task: Task, log: Log) -> Evaluation:
        try:
            return self._fetch_and_evaluate(task)
        except TfgateError as error:
            return undecided(str(error))
        except Exception as error:
            # An answer is due whatever happened. The text may hold a value of the plan.
            log.error("unexpected", error=type(error).__name__)
            return undecided(f"an unexpected {type(error).__name__} in tfgate.")

    def _fetch_and_evaluate(self, task: Task) -> Evaluation:
        host = self.evaluators.host
        policy = self._policy(host, task)
        if policy is None:
            return undecided("no [[policy]] of this server is for this workspace.")
        before = self._before(task)
        if task.request.stage is Stage.POST_APPLY:
            if before is None:
                return undecided("no earlier stage of this run was evaluated here.")
            if not before.obligations:
                return Evaluation(passed=True, message="The plan left nothing open to check.")
        fetched = self._fetch(task)
        folder = Path(tempfile.mkdtemp(prefix="job-", dir=self.folder))
        try:
            decision_id = None if before is None else before.decision_id
            job = self._job(task, policy, folder, decision_id)
            evaluation = self._hosted(job, fetched, host)
        finally:
            if fetched is not None:
                fetched.file.close()
            shutil.rmtree(folder, ignore_errors=True)
        return _compared(task, evaluation, before.plan_sha256 if before else None)

    def _hosted(self, job: Job, fetched: Fetched | None, host: Host) -> Evaluation:
        file = None if fetched is None else fetched.file
        if not host.alive() and self.evaluators.revive():
            host = self.evaluators.host
        return self.evaluators.evaluate(job, file, host)

    def _policy(self, host: Host, task: Task) -> int | None:
        request = task.request
        return choose(
            host.settings.policy,
            request.organization_name,
            request.project_name,
            request.workspace_name,
        )

    def _before(self, task: Task) -> Earlier | None:
        stages = {
            Stage.PRE_APPLY: ("post_plan",),
            Stage.POST_APPLY: ("post_plan", "pre_apply"),
        }.get(task.request.stage)
        return None if stages is None else self.store.earlier(task.request.run_id, stages)

    def _fetch(self, task: Task) -> Fetched | None:
        """Fetch what is to be evaluated; what is not there yet is asked for again for minutes."""
        request, token, limits = task.request, task.token or "", self.settings.limits
        end = time.monotonic() + limits.fetch_minutes * 60
        wait, doubtful = _SHORTEST, 0
        while True:
            try:
                if request.stage is Stage.POST_APPLY:
                    return fetch_state(self.client, request, token, limits.plan_bytes)
                if request.stage is not Stage.PRE_PLAN:
                    url = request.plan_json_api_url or ""
                    return self.client.fetch(url, token, limits.plan_bytes, "the plan")
                archive = request.configuration_version_download_url
                if archive is None:
                    return None
                limit = limits.configuration_bytes
                return self.client.fetch(archive, token, limit, "the configuration")
            except PeerError as error:
                doubtful += error.status in DOUBTFUL
                if not error.again or doubtful > 4 or time.monotonic() + wait > end:
                    raise
            self._wait(wait)
            wait = min(wait * 2, 10.0)

    def _job(self, task: Task, policy: int, folder: Path, decision_id: str | None) -> Job:
        request, limits = task.request, self.settings.limits
        facts = {
            "run_id": request.run_id,
            "stage": request.stage.value,
            "organization": request.organization_name,
            "project": request.project_name,
            "workspace_id": request.workspace_id,
            "is_speculative": request.is_speculative,
            "vcs_branch": request.vcs_branch,
        }
        return Job(
            policy=policy,
            stage=request.stage,
            workspace=request.workspace_name,
            operator=request.run_created_by or "unknown",
            folder=str(folder),
            now=time.time(),
            run_id=request.run_id,
            facts=facts,
            working_directory=request.workspace_working_directory,
            commit=request.vcs_commit_hash,
            decision_id=decision_id,
            configuration_bytes=limits.configuration_bytes,
            seconds=limits.judge_seconds,
            memory_bytes=limits.judge_memory_bytes,
            proven=None if self.settings.hcp.unsigned else request.proves(),
        )

    def answer(self, key: str) -> str:
        """Send the final answer until it is taken; return the state that the task is in then."""
        task = self.store.read(key)
        if task is None or task.state != OPEN:
            return ANSWERED
        log = about(self.log, key, task.request)
        with self.sending.final(key):
            state = self._answer(task, log)
            # At once: between the two lies the only moment in which a crash makes the answer be
            # sent twice.
            self.store.close(key, state)
        status = ABANDONED if state == ABANDONED else _status(task)
        self.metrics.answers.labels(task.request.stage.value, status).inc()
        self.metrics.answered.observe(max(0.0, self.store.now() - task.accepted_at))
        log.info("answered", status=status)
        return state

    def _answer(self, task: Task, log: Log) -> str:
        end = task.accepted_at + self.settings.limits.answer_minutes * 60
        url = self.links.make(task.id, self.store.now())
        if task.request.takes_outcomes and task.findings:
            self._outcomes(task, url, log)
        body = status_body(_status(task), task.message, url)
        wait = _SHORTEST
        for attempt in range(1, 10_000):
            try:
                self.client.send(task.request.task_result_callback_url, task.token or "", body)
            except PeerError as error:
                late = self.store.now() + wait > end
                hopeless = not error.again or (error.status in DOUBTFUL and attempt >= 5)
                log.warning("answer", error=str(error), attempt=attempt)
                if hopeless or late:
                    return ABANDONED
            else:
                return ANSWERED
            self._wait(wait * random.uniform(0.75, 1.25))  # noqa: S311 - spreads retries
            wait = min(wait * 2, _LONGEST)
        return ABANDONED

    def _outcomes(self, task: Task, url: str, log: Log) -> None:
        """Send the findings; the verdict is sent whether these are taken or not."""
        limits = self.settings.limits
        body = outcomes_body(
            task.message, url, task.findings, most=limits.outcomes, limit=limits.answer_bytes
        )
        for attempt in range(3):
            try:
                self.client.send(task.request.task_result_callback_url, task.token or "", body)
            except PeerError as error:  # noqa: PERF203 - a retry
                log.warning("outcomes", error=str(error), attempt=attempt + 1)
                if not error.again:
                    return
                self._wait(_SHORTEST * 2**attempt)
            else:
                return

    def beat(self, key: str) -> None:
        """Send the heartbeat of a task, unless its answer is on its way."""
        with self.sending.heartbeat(key) as free:
            task = self.store.read(key) if free else None
            if task is None or task.state != OPEN:
                return
            word = "answering" if task.evaluated else "evaluating"
            try:
                self.client.send(
                    task.request.task_result_callback_url,
                    task.token or "",
                    status_body(RUNNING, f"tfgate is {word} this run."),
                )
                self.metrics.heartbeats.labels("taken").inc()
            except PeerError as error:
                self.metrics.heartbeats.labels("failed").inc()
                about(self.log, key, task.request).warning("heartbeat", error=str(error))
            self.store.beaten(key)

    def _wait(self, seconds: float) -> None:
        """Wait; while the server stops, for ever: the step is done again by the next one."""
        if self.stopping.wait(seconds):
            threading.Event().wait()


def _status(task: Task) -> str:
    return PASSED if task.passed else FAILED


def _compared(task: Task, evaluation: Evaluation, earlier: str | None) -> Evaluation:
    """Add a note where the plan before the apply is not the one evaluated after planning."""
    if task.request.stage is not Stage.PRE_APPLY or evaluation.plan_sha256 in (None, earlier):
        return evaluation
    if earlier is None:
        note = "This run's plan was not evaluated at post_plan."
    else:
        note = "The plan is not the one that was evaluated at post_plan; it was evaluated again."
    return replace(evaluation, message=f"{evaluation.message} {note}")
