"""Traps in the steps of a workflow.

Each is what Atlantis's own code does (server/events/project_command_runner.go, ``doPolicyCheck``
and ``runSteps``, August 2026): outputs are matched with policy sets by their number, an empty
output of a ``run`` step is no output, and a ``run`` step that fails ends the stage with what the
steps before it had printed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.app.atlantis.finding import Danger, Finding
from tfgate.app.atlantis.server import steps_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.atlantis.document import Item
    from tfgate.app.atlantis.server import Step

_STAGE = "policy_check"
_SILENT = {"show", "env"}
"""Steps that never count as an output."""


def finding(danger: Danger, name: str, item: Item, what: str, remedy: str) -> Finding:
    """Make a finding at a value."""
    line = None if item.file.startswith(("-", "$")) else item.line
    return Finding(danger, name, item.file, line, what, remedy)


def policy_stage(workflow: Item, name: str, sets: int) -> Iterator[Finding]:
    """Look at the policy check of a workflow, where ``sets`` policy sets are configured."""
    stage = workflow[_STAGE]
    steps = steps_of(stage)
    verdicts = [step for step in steps if step.is_verdict]
    if not verdicts:
        at = stage if stage.given else workflow
        yield finding(
            Danger.OPEN, "no-tfgate", at,
            f"The policy_check stage of the workflow {name} does not run tfgate atlantis.",
            "Give it the steps `show` and `run: tfgate atlantis --config FILE`.",
        )  # fmt: skip
        return
    yield from _order(steps, verdicts[0])
    yield from _others(steps)
    yield from _numbers(stage, len(verdicts), sets)
    for step in verdicts:
        yield from _verdict_step(step)


def _order(steps: list[Step], first: Step) -> Iterator[Finding]:
    before = steps[: steps.index(first)]
    if not any(step.name == "show" for step in before):
        yield finding(
            Danger.BROKEN, "no-show", first.item,
            "No `show` step stands before tfgate atlantis, so there is no plan to read, or an "
            "old one (which tfgate refuses).",
            "Put the step `show` first.",
        )  # fmt: skip


def _others(steps: list[Step]) -> Iterator[Finding]:
    for step in steps:
        if step.name in _SILENT or step.is_verdict:
            continue
        if step.name == "run" and "tfgate" in step.words:
            yield finding(
                Danger.OPEN, "exit-code", step.item,
                "This step says its verdict by its exit code; Atlantis drops the output of a step "
                "that exits non-zero, and decides by what was printed before.",
                "Run `tfgate atlantis` here, which says it in the text.",
            )  # fmt: skip
            continue
        yield finding(
            Danger.OPEN, "other-step", step.item,
            f"The step {step.name or '(empty)'} prints, and so takes a policy set's place; where "
            "it exits non-zero, what was printed before it decides.",
            "Do it in the plan stage, or within the command that runs tfgate.",
        )  # fmt: skip


def _numbers(stage: Item, verdicts: int, sets: int) -> Iterator[Finding]:
    if not sets:
        return  # said once, where the sets are missing
    if verdicts > sets:
        yield finding(
            Danger.OPEN, "more-steps-than-sets", stage,
            f"There are {verdicts} outputs for {sets} policy sets; a failure of one too many is "
            "filed under Custom, which no apply waits for.",
            "Configure one policy set for each tfgate atlantis.",
        )  # fmt: skip
    if verdicts < sets:
        yield finding(
            Danger.OPEN, "fewer-steps-than-sets", stage,
            f"There are {verdicts} outputs for {sets} policy sets; one without is not missed.",
            "Run one tfgate atlantis for each policy set, in their order.",
        )  # fmt: skip
    if verdicts > 1:
        yield finding(
            Danger.WEAK, "several-steps", stage,
            "A later step that is killed (out of memory, a timeout) leaves its set without an "
            "output, and that is not missed.",
            "Use one policy set, or gate the apply as well: `run: tfgate atlantis apply`.",
        )  # fmt: skip


def _verdict_step(step: Step) -> Iterator[Finding]:
    if step.output.given and step.output.text != "show":
        yield finding(
            Danger.OPEN, "output-changed", step.output,
            "The output of tfgate is hidden or filtered before Atlantis reads the verdict in it.",
            "Leave `output` out.",
        )  # fmt: skip
    config = _config_of(step.words)
    if config is None:
        yield finding(
            Danger.NOTE, "no-config", step.item,
            "tfgate atlantis has no --config here; it needs TFGATE_CONFIG in the server's "
            "environment then, and refuses to decide otherwise.",
            "Name the server's configuration: --config /etc/tfgate/tfgate.toml.",
        )  # fmt: skip
    elif not config.startswith(("/", "~", "$")):
        yield finding(
            Danger.BROKEN, "config-in-checkout", step.item,
            f"--config {config} is relative to the checkout, and tfgate refuses a configuration "
            "from there.",
            "Name a file of the server by its absolute path.",
        )  # fmt: skip


def _config_of(words: list[str]) -> str | None:
    for number, word in enumerate(words):
        if word.startswith("--config="):
            return word.removeprefix("--config=")
        if word == "--config" and number + 1 < len(words):
            return words[number + 1]
    return None


def apply_stage(workflow: Item, name: str) -> Iterator[Finding]:
    """Look at the apply of a workflow."""
    stage = workflow["apply"]
    if not any(step.is_apply for step in steps_of(stage)):
        yield finding(
            Danger.WEAK, "apply-not-gated", stage if stage.given else workflow,
            f"The apply stage of the workflow {name} is not gated: what policy owners approve is "
            "applied, hard-mandatory rules included, and the plan file is read again.",
            "Give it the step `run: tfgate atlantis apply --config FILE` instead of `apply`.",
        )  # fmt: skip
