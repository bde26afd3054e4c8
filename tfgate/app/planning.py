"""Where the plan comes from: the file that was named, or ``terraform plan``."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from tfgate.app.inputs import read_file
from tfgate.app.interrupts import Interrupted
from tfgate.errors import CommandFailedError, TerraformError, UsageError
from tfgate.terraform.planfile import plan_file_kind

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.app.apply import ApplyJob
    from tfgate.app.plan_copy import PlanPlace
    from tfgate.terraform.foreground import Finished


def plan_bytes(job: ApplyJob, place: PlanPlace) -> bytes:
    """Give the bytes of the plan file, read once; without one, plan into ``place`` first.

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
    """Run ``terraform plan -out`` as the person would, and give what it wrote."""
    path = place.blank()
    arguments = [*job.arguments.global_options, "plan", *job.arguments.plan()]
    arguments += [*_plain(job), f"-out={path}"]
    # Otherwise Terraform ends with the advice to apply the file that is in the private place.
    env = {**job.request.env, "TF_IN_AUTOMATION": job.request.env.get("TF_IN_AUTOMATION") or "1"}
    finished = _run(job, arguments, env)
    if finished.exit_code != 0:
        raise CommandFailedError(
            f"`{job.terraform.kind} plan` failed with exit code {finished.exit_code}: "
            "there is nothing to judge, and nothing was applied."
        )
    data = place.take(path)
    if not data:
        raise TerraformError(f"`{job.terraform.kind} plan` left no plan file.")
    return data


def show_to_person(job: ApplyJob, copy: Path) -> None:
    """Print the plan as Terraform does. Raises ``CommandFailedError`` where that fails."""
    finished = _run(
        job,
        [*job.arguments.global_options, "show", *_plain(job), str(copy)],
        dict(job.request.env),
    )
    if finished.exit_code != 0:
        raise CommandFailedError(
            f"`{job.terraform.kind} show` failed with exit code {finished.exit_code}: "
            "nothing was applied."
        )


def _plain(job: ApplyJob) -> list[str]:
    """Terraform colours whatever it prints to, unless it is told not to."""
    return [] if job.console.can_color and not job.arguments.on("no-color") else ["-no-color"]


def _run(job: ApplyJob, arguments: list[str], env: dict[str, str]) -> Finished:
    finished = job.terraform.run(arguments, job.request.cwd, env=env)
    if finished.interrupted:
        raise Interrupted(finished.signals[0])
    if finished.exit_code == 128 + signal.SIGINT:
        raise Interrupted(signal.SIGINT)
    return finished
