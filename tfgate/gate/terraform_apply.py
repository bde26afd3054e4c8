"""The apply itself: recorded before it begins, run, recorded when it has ended, checked."""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.writer import AlreadyRecordedError
from tfgate.errors import AuditError, NotDeliveredError, TfgateError
from tfgate.exitcodes import ExitCode
from tfgate.gate.plan_copy import Interrupted, is_unchanged
from tfgate.gate.verify import check_on_plan, obligations_of, unresolved
from tfgate.model import Frozen
from tfgate.terraform.arguments import takes_variables

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.gate.apply import ApplyJob, Grant
    from tfgate.gate.check import Evaluated
    from tfgate.gate.plan_copy import Interrupts
    from tfgate.gate.record import Recorder
    from tfgate.gate.verify import Obligations
    from tfgate.terraform.runner import Finished


MOST = 1_000
"""Addresses kept of each kind; the rest is counted."""
_LONGEST_LINE = 1 << 20
_WANTED = (b'"apply_complete"', b'"apply_errored"', b'"change_summary"')
_SUMMARY = ("add", "change", "import", "remove", "operation")


class Progress:
    """Which resources were made and which failed, as Terraform says with ``-json``.

    One JSON object a line (developer.hashicorp.com/terraform/internals/machine-readable-ui), which
    come in pieces of any size.
    """

    def __init__(self) -> None:
        self._rest = b""
        self._applied: list[dict[str, str]] = []
        self._failed: list[dict[str, str]] = []
        self._left_out = 0
        self._summary: dict[str, Any] | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next piece. What is not understood is passed over: it decides nothing."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        for line in lines:
            if any(word in line for word in _WANTED):
                self._take(line)

    def facts(self) -> dict[str, Any]:
        """Return what is known so far, for the record."""
        return {
            "reported_by": "terraform",
            "summary": self._summary,
            "applied": self._applied,
            "failed": self._failed,
            "left_out": self._left_out,
        }

    def _take(self, line: bytes) -> None:
        try:
            event = msgspec.json.decode(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict):
            return
        if event.get("type") == "change_summary":
            self._summarise(event.get("changes"))
        elif event.get("type") == "apply_complete":
            self._note(self._applied, event.get("hook"))
        elif event.get("type") == "apply_errored":
            self._note(self._failed, event.get("hook"))

    def _summarise(self, changes: Any) -> None:
        """Keep the last summary: the plan has one as well, with another ``operation``."""
        if isinstance(changes, dict):
            kept = {name: changes[name] for name in _SUMMARY if name in changes}
            self._summary = {n: v for n, v in kept.items() if isinstance(v, int | str)}

    def _note(self, place: list[dict[str, str]], hook: Any) -> None:
        resource = hook.get("resource") if isinstance(hook, dict) else None
        address = resource.get("addr") if isinstance(resource, dict) else None
        if not isinstance(address, str):
            return
        if len(place) >= MOST:
            self._left_out += 1
        else:
            place.append({"address": address, "action": str(hook.get("action", ""))})


class Applied(Frozen, frozen=True):
    """How the apply ended."""

    terraform_exit_code: int
    exit_code: int
    obligations: Obligations | None = None


@dataclass
class TerraformApply:
    """The last phase of one job, and the records of it."""

    job: ApplyJob
    recorder: Recorder
    interrupts: Interrupts
    evaluated: Evaluated
    copy: Path

    def __post_init__(self) -> None:
        self.progress = Progress() if self.job.arguments.on("json") else None

    def cancelled(self, reason: str) -> None:
        """Record that an allowed plan was not applied. The first failure stays the reason."""
        try:
            self._record("apply_cancelled", {"reason": reason})
        except AuditError:
            return

    def run(self, grant: Grant) -> Applied:
        """Apply the copy; a signal meanwhile is Terraform's to answer, and never leaves a gap.

        Raises ``AuditError`` where the start cannot be recorded (nothing is applied then) or the
        end cannot, and ``TfgateError`` where the copy is no longer what was evaluated.
        """
        with self.interrupts.held():
            self._begin(grant)
            if self.interrupts.noted:
                self._record("apply_finished", {"exit_code": None, "reason": "not started"})
                raise Interrupted(self.interrupts.noted[0])
            finished = self._terraform()
            obligations = self._obligations(finished)
        return Applied(
            terraform_exit_code=finished.exit_code,
            exit_code=self._exit_code(finished, obligations),
            obligations=obligations,
        )

    def _begin(self, grant: Grant) -> None:
        plan_sha256 = self.evaluated.gathered.input.plan_file_sha256 or ""
        if not is_unchanged(self.copy, plan_sha256):
            self.cancelled("the private copy of the plan was changed")
            raise TfgateError(
                "The private copy of the plan was changed after evaluation: nothing was applied.",
                hint="Find out which process of this user wrote to it.",
            )
        self._use(grant)
        terraform = self.job.terraform
        about = {
            "arguments": self.job.arguments.shown,
            "terraform": {
                "kind": terraform.kind,
                "command": terraform.command[-1] if terraform.embedded else terraform.command[0],
                "version": self.evaluated.result.decision.plan.terraform_version,
            },
        }
        try:
            self._record("apply_started", about, allows=True)
        except NotDeliveredError:
            self._record("apply_finished", {"exit_code": None, "reason": "not started"})
            raise

    def _use(self, grant: Grant) -> None:
        """Record what lets the plan through. What another apply has used first is used up."""
        try:
            for event, fields in grant.records:
                self._record(event, fields)
        except AlreadyRecordedError as error:
            self.cancelled("the receipt was used by another apply")
            raise AuditError(
                "The receipt was used by another apply meanwhile: nothing was applied.",
                hint=f"It is the decision {error.record.get('decision_id')}; check the plan again.",
            ) from None

    def _terraform(self) -> Finished:
        job = self.job
        version = self.evaluated.result.decision.plan.terraform_version
        variables = takes_variables(job.terraform.kind, version)
        arguments = [*job.arguments.global_options, "apply"]
        arguments += job.arguments.apply(variables=variables)
        if not job.arguments.on("no-color") and not job.console.can_color:
            arguments.append("-no-color")
        begun = time.monotonic()
        try:
            finished = job.terraform.run(
                [*arguments, str(self.copy)],
                job.request.cwd,
                on_stdout=None if self.progress is None else self._take,
                env=job.request.env,
            )
        except TfgateError as error:
            self._record("apply_finished", {"exit_code": None, "reason": str(error)})
            raise
        self._finished(finished, time.monotonic() - begun)
        return finished

    def _take(self, piece: bytes) -> None:
        assert self.progress is not None, "it is given to Terraform with -json alone"
        self.progress.feed(piece)
        # Whoever read this may be gone; Terraform must not be left alone for that.
        with contextlib.suppress(OSError):
            self.job.console.output(piece)

    def _finished(self, finished: Finished, seconds: float) -> None:
        plan_sha256 = self.evaluated.gathered.input.plan_file_sha256 or ""
        fields = {
            "exit_code": finished.exit_code,
            "signals": list(finished.signals),
            "duration_ms": round(seconds * 1000),
            "changes": self._changes(finished),
            "plan_unchanged": is_unchanged(self.copy, plan_sha256),
        }
        try:
            self._record("apply_finished", fields)
        except AuditError as error:
            raise AuditError(
                f"The apply ended with exit code {finished.exit_code}, and that could not be "
                f"recorded: {error.message}",
                hint="`tfgate audit verify` shows it as an apply without an end.",
            ) from None

    def _changes(self, finished: Finished) -> dict[str, Any]:
        """Say what is known of the changes made, and how.

        Without ``-json`` Terraform reports to a person alone. Where it succeeded it made all of the
        plan; where it failed, it is not known here how much of it.
        """
        if self.progress is not None:
            return self.progress.facts()
        return {
            "reported_by": "plan",
            "planned": self.evaluated.result.decision.plan.counts,
            "complete": finished.exit_code == 0,
        }

    def _obligations(self, finished: Finished) -> Obligations | None:
        """Check what was let through unknown, and record it."""
        if not self.evaluated.result.decision.obligations:
            return None
        wanted = obligations_of(self.evaluated.result.decision)
        gathered = self.evaluated.gathered
        rulesets, context = gathered.effective.rulesets, gathered.context
        if finished.interrupted:
            problem = "The apply was interrupted: check later with `tfgate verify`."
            found = unresolved(wanted, rulesets, context, problem)
        else:
            try:
                arguments = self.job.arguments
                written = arguments.value("state-out") or arguments.value("state")
                state = self.job.terraform.show_state(self.job.request.directory, written)
                found = check_on_plan(gathered.input.data, state, rulesets, context, wanted)
                if finished.exit_code != 0:
                    found = found.without_met("The apply failed, so it may be as it was before.")
            except TfgateError as error:
                found = unresolved(wanted, rulesets, context, str(error))
        self._record("obligations", found.fields())
        return found

    def _exit_code(self, finished: Finished, obligations: Obligations | None) -> int:
        if finished.exit_code != 0:
            failed = int(ExitCode.TERRAFORM_FAILED)
            return finished.exit_code if self.job.drop_in else failed
        return int(ExitCode.ALLOWED if obligations is None else obligations.exit_code)

    def _record(self, event: str, fields: dict[str, Any], *, allows: bool = False) -> None:
        result, gathered = self.evaluated.result, self.evaluated.gathered
        about = {
            "workspace": gathered.workspace.name,
            "operator": gathered.operator.name,
            "plan_sha256": gathered.input.plan_file_sha256,
        }
        self.recorder.append(event, result.decision_id, {**about, **fields}, allows=allows)
