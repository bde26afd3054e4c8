"""Traps in the settings of an Atlantis server and of a repository."""

from __future__ import annotations

from collections.abc import Iterator

import re2

from tfgate.atlantis.settings import DEFAULT_WORKFLOW, Flags, Item, Repo, Step, repos_of, steps_of
from tfgate.model import Frozen, Word


class Danger(Word):
    """What a setting can lead to."""

    OPEN = "open"
    """A plan that tfgate denies, or never sees, can be applied."""
    WEAK = "weak"
    """Less is proven than it seems, or one mistake more opens it."""
    BROKEN = "broken"
    """Plans are held that need not be, or Atlantis does not start."""
    NOTE = "note"
    """Good to know."""


class Finding(Frozen, frozen=True):
    """One setting."""

    danger: Danger
    name: str
    """What kind of trap it is, in one word: ``no-policy-sets``."""
    file: str
    line: int | None
    what: str
    """What is wrong, in one sentence."""
    remedy: str

    @property
    def where(self) -> str:
        """File and line."""
        return self.file if self.line is None else f"{self.file}:{self.line}"


# Each is what Atlantis's own code does (server/events/project_command_runner.go, ``doPolicyCheck``
# and ``runSteps``, August 2026): outputs are matched with policy sets by their number, an empty
# output of a ``run`` step is no output, and a ``run`` step that fails ends the stage with what the
# steps before it had printed.
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
                "This step reports its verdict by its exit code; Atlantis drops the output of a "
                "step that exits non-zero, and decides by what was printed before.",
                "Run `tfgate atlantis` here, which reports it in the text.",
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
        return  # reported once, where the sets are missing
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


_LINES = ("FAIL - aws_instance.a - X-1 - A message", "FAIL - aws_instance.b - X-1 - A message")
_REGEX = "(?m)^FAIL.*"
_WHOLE = "(?s).+"
"""What Atlantis uses where nothing is configured: the whole output is one item."""


def flag_traps(flags: Flags) -> Iterator[Finding]:
    """Look at the flags of the server."""
    checks = flags["enable-policy-checks"]
    if not flags.known:
        yield finding(
            Danger.NOTE, "flags-unknown", checks,
            "The flags of the server were not looked at.",
            "Run this in its environment, or give them behind --, or its settings with --server.",
        )  # fmt: skip
        return
    if checks.boolean is not True:
        yield finding(
            Danger.OPEN, "policy-checks-off", checks,
            "The server runs without --enable-policy-checks, so no policy check runs at all, "
            "whatever policy_check is.",
            "Start it with --enable-policy-checks.",
        )  # fmt: skip
    teams = flags["gh-team-allowlist"]
    commands = {rule.rpartition(":")[2].strip() for rule in (teams.text or "").split(",")}
    if teams.given and not {"policy_check", "*"} & commands:
        yield finding(
            Danger.OPEN, "team-allowlist", teams,
            "--gh-team-allowlist does not allow policy_check, so a plan that somebody asks for in "
            "a comment is never checked.",
            "Add *:policy_check to it.",
        )  # fmt: skip


def server_traps(document: Item) -> Iterator[Finding]:
    """Look at the server-side repository configuration (``repos.yaml``)."""
    sets = document.at("policies", "policy_sets")
    if not sets.items:
        yield finding(
            Danger.OPEN, "no-policy-sets", document["policies"],
            "No policy set is configured: every verdict is filed under Custom, which no apply "
            "waits for.",
            "Configure one under policies.policy_sets; its `path` may be any folder.",
        )  # fmt: skip
    for policy_set in sets.items:
        yield from _policy_set(document["policies"], policy_set)
    for repo in repos_of(document):
        yield from _repo(document, repo, len(sets.items))


def _policy_set(policies: Item, policy_set: Item) -> Iterator[Finding]:
    name = policy_set["name"].text or "(unnamed)"
    owners = [policies["owners"], policy_set["owners"]]
    if not any(owner[kind].items for owner in owners for kind in ("users", "teams")):
        yield finding(
            Danger.NOTE, "no-owners", policy_set,
            f"Nobody can approve the policy set {name}: a denial is final.",
            "Name owners, if there are to be any.",
        )  # fmt: skip
    if policy_set["prevent_self_approve"].boolean is not True:
        yield finding(
            Danger.WEAK, "self-approval", policy_set,
            f"Whoever opened the pull request may approve the policy set {name}, being an owner.",
            "Set prevent_self_approve: true.",
        )  # fmt: skip
    for count in (policies["approve_count"], policy_set["approve_count"]):
        if count.given and not (count.text or "").lstrip("0").isdigit():
            yield finding(
                Danger.WEAK, "approve-count", count,
                f"approve_count {count.text} is read as none, and one approval is enough.",
                "Set it to a number above 0.",
            )  # fmt: skip
    yield from _sticky(policies, policy_set, name)


def _sticky(policies: Item, policy_set: Item, name: str) -> Iterator[Finding]:
    own, general = policy_set["sticky_policy_approvals"], policies["sticky_policy_approvals"]
    if (own if own.given else general).boolean is not True:
        return
    regex = policy_set["policy_item_regex"]
    regex = regex if regex.given else policies["policy_item_regex"]
    distinct = _distinguishes(regex.text or _WHOLE)
    if distinct is False:
        yield finding(
            Danger.OPEN, "policy-item-regex", regex,
            f"policy_item_regex does not distinguish the findings of the policy set {name}, "
            "so an approval covers what comes later.",
            f'Set it to "{_REGEX}".',
        )  # fmt: skip
    elif not regex.given:
        yield finding(
            Danger.NOTE, "policy-item-regex", policy_set,
            "Approvals are bound to the whole output, and are lost whenever a line of it changes.",
            f'Set policy_item_regex to "{_REGEX}".',
        )  # fmt: skip


def _distinguishes(regex: str) -> bool | None:
    """Whether two findings give different items; ``None`` for no regular expression."""
    try:
        compiled = re2.compile(regex)
    except re2.error:
        return None
    texts = [
        f"{line}\n1 tests, 0 passed, 0 warnings, 1 failures, 0 exceptions\n" for line in _LINES
    ]
    items = [tuple(found.group() for found in compiled.finditer(text)) for text in texts]
    return items[0] != items[1] and all(items)


def _repo(document: Item, repo: Repo, sets: int) -> Iterator[Finding]:
    if repo.policy_check.boolean is False:
        yield finding(
            Danger.OPEN, "policy-check-off", repo.policy_check,
            f"policy_check: false turns the check off for {repo.id}.",
            "Take the line out.",
        )  # fmt: skip
    if repo.custom_policy_check.boolean is not True:
        yield finding(
            Danger.BROKEN, "no-custom-policy-check", _or_entry(repo.custom_policy_check, repo),
            f"custom_policy_check is not true for {repo.id}: Atlantis expects conftest's JSON.",
            "Set custom_policy_check: true beside policy_check: true.",
        )  # fmt: skip
    if "policies_passed" not in repo.apply_requirements.texts:
        yield finding(
            Danger.WEAK, "policies-passed", _or_entry(repo.apply_requirements, repo),
            f"apply_requirements of {repo.id} do not name policies_passed, which old servers do "
            "not add by themselves where an entry has requirements of its own.",
            "Add policies_passed to apply_requirements.",
        )  # fmt: skip
    yield from _workflows(document, repo, sets)
    yield from _overrides(repo)


def _or_entry(item: Item, repo: Repo) -> Item:
    return item if item.given else repo.entry


def _workflows(document: Item, repo: Repo, sets: int) -> Iterator[Finding]:
    name = repo.workflow.text or DEFAULT_WORKFLOW
    allowed = repo.allowed_workflows.texts
    for used in dict.fromkeys([name, *allowed]):
        workflow = document.at("workflows", used)
        if not workflow.given:
            yield finding(
                Danger.OPEN, "no-tfgate", _or_entry(repo.workflow, repo),
                f"{repo.id} uses the workflow {used}, which is not defined here: the built-in one "
                "runs conftest, not tfgate.",
                "Define a workflow with the steps `show` and `run: tfgate atlantis --config FILE`.",
            )  # fmt: skip
            continue
        yield from policy_stage(workflow, used, sets)
        yield from apply_stage(workflow, used)


_OVERRIDES = {
    "policy_check": "turn the check off",
    "custom_policy_check": "have the output read as conftest's",
    "workflow": "choose a workflow that does not run tfgate",
}


def _overrides(repo: Repo) -> Iterator[Finding]:
    for item in repo.allowed_overrides.items:
        what = _OVERRIDES.get(item.text or "")
        if what is None or (item.text == "workflow" and repo.allowed_workflows.items):
            continue
        remedy = f"Take {item.text} out of allowed_overrides"
        remedy += ", or list allowed_workflows." if item.text == "workflow" else "."
        yield finding(
            Danger.OPEN, "override", item,
            f"A pull request of {repo.id} may {what}, in its own atlantis.yaml.", remedy,
        )  # fmt: skip
    if repo.allow_custom_workflows.boolean is True:
        yield finding(
            Danger.OPEN, "custom-workflows", repo.allow_custom_workflows,
            f"A pull request of {repo.id} may bring its own workflow, without tfgate.",
            "Set allow_custom_workflows: false.",
        )  # fmt: skip


def project_traps(document: Item) -> Iterator[Finding]:
    """Look at a repository's own ``atlantis.yaml``."""
    for project in document["projects"].items:
        name = project["name"].text or project["dir"].text or "(unnamed)"
        for key in ("policy_check", "custom_policy_check"):
            if project[key].boolean is False:
                yield finding(
                    Danger.OPEN, "project-override", project[key],
                    f"The project {name} sets {key}: false, where the server lets it.",
                    f"Take the line out, and {key} out of the server's allowed_overrides.",
                )  # fmt: skip
        workflow = project["workflow"]
        if workflow.given and not _has_tfgate(document, workflow.text or ""):
            yield finding(
                Danger.WEAK, "project-workflow", workflow,
                f"The project {name} chooses the workflow {workflow.text}; whether that runs "
                "tfgate is for the server's allowed_workflows to say.",
                "Let the server choose the workflow.",
            )  # fmt: skip
    for name, workflow in document["workflows"].entries:
        yield finding(
            Danger.WEAK, "own-workflow", workflow,
            f"The repository defines the workflow {name}, and may take tfgate out of it.",
            "Define workflows on the server.",
        )  # fmt: skip


def _has_tfgate(document: Item, name: str) -> bool:
    workflow = document.at("workflows", name)
    return workflow.given and not [*policy_stage(workflow, name, 0)]
