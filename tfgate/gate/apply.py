"""``tfgate apply``: what was evaluated is what is applied."""

from __future__ import annotations

import contextlib
import datetime as dt
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec.structs import replace

from tfgate.errors import CommandFailedError, TerraformError, TfgateError, UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.check import (
    CheckResult,
    Evaluated,
    evaluate_and_record,
    new_decision_id,
)
from tfgate.gate.gather import load_config
from tfgate.gate.inputs import PlanInput, read_file, show_plan_file
from tfgate.gate.plan_copy import Interrupted, Interrupts, PlanPlace, plan_place
from tfgate.gate.record import Recorder
from tfgate.gate.request import Request
from tfgate.gate.terraform_apply import Applied, TerraformApply
from tfgate.model import Frozen
from tfgate.model.decision import Decision
from tfgate.model.text import clean
from tfgate.ruleset import GateConfig
from tfgate.terraform import Terraform
from tfgate.terraform.arguments import ApplyArguments
from tfgate.terraform.planfile import plan_file_kind
from tfgate.terraform.runner import Finished


class Grant(Frozen, frozen=True):
    """Whether a plan may be applied, and what is to be recorded of the reason."""

    allowed: bool
    exit_code: ExitCode = ExitCode.ALLOWED
    """What the command ends with where it is not allowed."""
    notes: tuple[str, ...] = ()
    """Sentences for the person: which approval was used, why a receipt was refused."""
    records: tuple[tuple[str, dict[str, Any]], ...] = ()
    """``(event, fields)`` to record before the apply begins: ``approval_used``, …"""


Authority = Callable[["Evaluated", str, "dt.datetime"], Grant]
"""Decides from the decision, the hash of the plan file and the time whether it goes through.

It is asked once, after the decision is on record and before anything is shown, asked or applied.
Raises ``TfgateError`` where it cannot decide: nothing is applied then.
"""


def decision_alone(evaluated: Evaluated, plan_sha256: str, now: dt.datetime) -> Grant:
    """Let through what the decision allows, unless the configuration asks for a receipt as well."""
    grant = decided(evaluated)
    if grant.allowed and evaluated.gathered.config.receipts.required:
        note = "This gate applies only what has a receipt: see --receipt (receipts.required)."
        return Grant(allowed=False, exit_code=ExitCode.DENIED, notes=(note,))
    return grant


def decided(evaluated: Evaluated) -> Grant:
    """Return whether the decision by itself allows the apply, and which approvals it rests on."""
    decision = evaluated.result.decision
    return Grant(
        allowed=decision.allows,
        exit_code=decision.exit_code,
        records=tuple(used_records(decision)),
    )


def used_records(decision: Decision) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the ``approval_used`` events of a decision that rests on approvals."""
    for approval in decision.approvals:
        findings = [
            {"rule": each.rule, "address": each.address, "fingerprint": each.fingerprint}
            for each in decision.outcomes
            if each.override is not None and approval in each.override.approvals
        ]
        yield "approval_used", {**msgspec.to_builtins(approval), "findings": findings}


def plan_bytes(job: ApplyJob, place: PlanPlace) -> bytes:
    """Return the bytes of the plan file, read once; without one, plan into ``place`` first.

    Raises ``UsageError`` for a file that is no plan file, and ``CommandFailedError`` where
    ``terraform plan`` fails.
    """
    named = job.arguments.plan_file
    if named is None:
        return _plan(job, place)
    # Terraform reads the name in the directory that -chdir gives.
    data = read_file(str(job.request.directory / named), what="plan")
    if plan_file_kind(data) is None:
        raise UsageError(
            f"{named} is no plan file, so it cannot be applied.",
            hint=f"Make one with `{job.terraform.kind} plan -out=FILE`; plan JSON is for "
            "tfgate check.",
        )
    return data


def _plan(job: ApplyJob, place: PlanPlace) -> bytes:
    """Run ``terraform plan -out`` as the person would, and return what it wrote."""
    path = place.blank()
    arguments = [*job.arguments.global_options, "plan", *job.arguments.plan()]
    arguments += [*_plain(job), f"-out={path}"]
    # Otherwise Terraform ends with the advice to apply the file that is in the private place.
    env = {**job.request.env, "TF_IN_AUTOMATION": job.request.env.get("TF_IN_AUTOMATION") or "1"}
    finished = _run(job, arguments, env)
    if finished.exit_code != 0:
        raise CommandFailedError(
            f"`{job.terraform.kind} plan` failed with exit code {finished.exit_code}: "
            "there is nothing to evaluate, and nothing was applied."
        )
    data = place.take(path)
    if not data:
        raise TerraformError(f"`{job.terraform.kind} plan` left no plan file.")
    return data


def show_to_person(job: ApplyJob, copy: Path) -> None:
    """Print the plan as Terraform does. Raises ``CommandFailedError`` where that fails."""
    finished = _run(
        job, [*job.arguments.global_options, "show", *_plain(job), str(copy)], dict(job.request.env)
    )
    if finished.exit_code != 0:
        raise CommandFailedError(
            f"`{job.terraform.kind} show` failed with exit code {finished.exit_code}: "
            "nothing was applied."
        )


def _plain(job: ApplyJob) -> list[str]:
    """Terraform colours whatever it prints to, without an option that forbids it."""
    return [] if job.console.can_color and not job.arguments.on("no-color") else ["-no-color"]


def _run(job: ApplyJob, arguments: list[str], env: dict[str, str]) -> Finished:
    finished = job.terraform.run(arguments, job.request.cwd, env=env)
    if finished.interrupted:
        raise Interrupted(finished.signals[0])
    if finished.exit_code == 128 + signal.SIGINT:
        raise Interrupted(signal.SIGINT)
    return finished


_NAMES_A_STATE = ("state", "state-out")
"""Options that have the ``local`` backend write another file than the plan names."""


class Console(Protocol):
    """The person, as far as an apply needs one."""

    @property
    def can_ask(self) -> bool:
        """Whether there is a terminal to ask on."""

    @property
    def can_color(self) -> bool:
        """Whether Terraform's own output may be in colour."""

    def verdict(self, result: CheckResult) -> None:
        """Show the decision."""

    def say(self, text: str) -> None:
        """Show a sentence."""

    def ask(self, question: str) -> str:
        """Return what the person types; an empty text where nothing comes."""

    def output(self, data: bytes) -> None:
        """Pass on a piece of what Terraform prints with ``-json``."""


class ApplyJob(Frozen, frozen=True):
    """What is to be applied, and how."""

    request: Request
    """``plan`` is the name of the plan in reports; ``env`` has no ``TF_CLI_ARGS`` left."""
    arguments: ApplyArguments
    terraform: Terraform
    console: Console
    clock: Callable[[], dt.datetime]
    drop_in: bool = False
    """Whether ``terraform apply`` was called and this stands in for it: it asks when Terraform
    would, on whatever standard input is, and ends as Terraform does."""
    authority: Authority = decision_alone


class ApplyResult(Frozen, frozen=True):
    """How it ended."""

    exit_code: int
    result: CheckResult
    applied: Applied | None = None
    """``None`` where nothing was applied."""


def apply(job: ApplyJob) -> ApplyResult:
    """Evaluate a private copy of the plan, record the decision, and apply that copy if it may be.

    Raises ``TfgateError`` where nothing was applied and no decision says why.
    """
    _check_asking(job)
    config = load_config(job.request)
    recorder = Recorder.of(config, job.request, job.clock)
    try:
        with Interrupts() as interrupts, contextlib.ExitStack() as stack:
            with recorder.due(new_decision_id(job.request.now)):
                place = stack.enter_context(plan_place(interrupts, job.request.env))
            return _Gate(job, config, recorder, interrupts, place).run()
    except Interrupted:
        raise TfgateError("Interrupted: nothing was applied.") from None


def _check_asking(job: ApplyJob) -> None:
    """Refuse to begin what could not be ended: a question that nobody can answer."""
    arguments = job.arguments
    if arguments.on("auto-approve"):
        return
    if arguments.on("json") and not (job.drop_in and arguments.plan_file):
        raise UsageError(
            "Nobody can be asked with -json.",
            hint="Add -auto-approve: what the gate denies is not applied either way.",
        )
    if not job.drop_in and not job.console.can_ask:
        raise UsageError(
            "There is no terminal to ask on whether to apply.",
            hint="Add -auto-approve: what the gate denies is not applied either way.",
        )


@dataclass
class _Gate:
    job: ApplyJob
    config: GateConfig
    recorder: Recorder
    interrupts: Interrupts
    place: PlanPlace
    copy: Path | None = None

    def run(self) -> ApplyResult:
        """Take the plan through the gate, phase by phase."""
        evaluated = self._evaluate()
        assert self.copy is not None, "the plan was evaluated, so there is a copy"
        phase = TerraformApply(self.job, self.recorder, self.interrupts, evaluated, self.copy)
        try:
            grant = self._authorised(evaluated)
            if not grant.allowed:
                if grant.notes:  # the decision itself says no more than this
                    phase.cancelled(" ".join(grant.notes))
                self._report(evaluated, grant)
                return ApplyResult(grant.exit_code, evaluated.result)
            if not self._confirmed(evaluated, grant):
                phase.cancelled("the person did not type yes")
                self.job.console.say("Apply cancelled: nothing was applied.")
                return ApplyResult(ExitCode.DENIED, evaluated.result)
        except Interrupted:
            phase.cancelled("interrupted before the apply")
            raise
        applied = phase.run(grant)
        return ApplyResult(applied.exit_code, evaluated.result, applied)

    def _evaluate(self) -> Evaluated:
        return evaluate_and_record(self.job.request, self.config, self.recorder, self._read)

    def _read(self) -> PlanInput:
        """Get the plan file, keep a copy that is out of everybody's reach, and show that."""
        data = plan_bytes(self.job, self.place)
        self.copy = self.place.keep(data)
        read = show_plan_file(
            data,
            self.copy,
            name=self.job.request.plan,
            terraform=self.job.terraform,
            cwd=self.job.request.directory,
        )
        given = {name: self.job.arguments.value(name) for name in _NAMES_A_STATE}
        named = {f"-{name}": clean(value) for name, value in given.items() if value}
        return replace(read, state_options=named)

    def _authorised(self, evaluated: Evaluated) -> Grant:
        plan_sha256 = evaluated.gathered.input.plan_file_sha256
        assert plan_sha256 is not None, "a plan file was shown"
        return self.job.authority(evaluated, plan_sha256, self.job.clock())

    def _report(self, evaluated: Evaluated, grant: Grant) -> None:
        self.job.console.verdict(evaluated.result)
        for note in grant.notes:
            self.job.console.say(note)

    def _confirmed(self, evaluated: Evaluated, grant: Grant) -> bool:
        """Show the plan where nobody has seen it, then the verdict; ask where that is due."""
        job = self.job
        asks = self._asks(evaluated)
        if asks and job.arguments.plan_file is not None:
            assert self.copy is not None, "the plan was evaluated, so there is a copy"
            show_to_person(job, self.copy)
        self._report(evaluated, grant)
        if not asks:
            return True
        question = f"Apply these changes in the workspace {evaluated.gathered.workspace.name}?"
        return job.console.ask(question).strip() == "yes"

    def _asks(self, evaluated: Evaluated) -> bool:
        arguments = self.job.arguments
        if arguments.on("auto-approve") or (self.job.drop_in and arguments.plan_file is not None):
            return False
        # Terraform does not ask either where there is nothing to do; before 1.7 it does not say so.
        return evaluated.gathered.plan.applyable is not False
