"""What is fuzzed: each target takes any bytes and raises where a promise is broken.

The promise: whatever the bytes, there is an answer or a ``TfgateError`` of the kind that ends with
exit code 2 or 3; where a rule denies everything, the answer is never that the plan is allowed.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tests.support.fuzzing import commands, documents, endpoint, judging, sources, text, trails, web
from tests.support.fuzzing.clear import check_clear
from tfgate.errors import TfgateError
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

NAMES = re.compile(r"\S*[\d./\[\]]\S*|\"[^\"]*\"")
"""What differs from input to input in a sentence."""

REFUSALS = (ExitCode.USAGE, ExitCode.UNDECIDED)


class Target(NamedTuple):
    """One thing to fuzz."""

    run: Callable[[bytes, Path], object]
    """Takes the input, and a folder of its own that may have files of the last input.

    What it gives, if it is a word, tells one answer from another.
    """
    what: str
    """What the bytes are."""
    examples: int = 60
    """How many inputs the short form tries."""


TARGETS = {
    "verdict": Target(commands.verdict, "plan JSON, against a second opinion", 200),
    "evaluator": Target(commands.evaluator, "an expression, as one more rule on plans"),
    "check": Target(commands.check, "plan JSON, through the command and into the trail"),
    "rules": Target(commands.rules, "the ruleset that denies a wrong plan"),
    "policy": Target(commands.policy, "the configuration that denies a wrong plan", 25),
    "comments": Target(commands.comments, "main.tf with comments, for a plan that is denied"),
    "plan": Target(judging.plan, "plan JSON, judged and reported"),
    "expression": Target(text.expression, "an expression, a line end, and a document", 100),
    "ruleset": Target(text.ruleset, "a ruleset in one TOML file"),
    "config": Target(text.config, "tfgate.toml"),
    "lock": Target(text.lock, "tfgate.lock"),
    "hcl": Target(sources.native, "main.tf: index, waiver comments, blocks"),
    "hcl-json": Target(sources.json_syntax, "main.tf.json"),
    "modules": Target(sources.modules, ".terraform/modules/modules.json"),
    "trail": Target(trails.trail, "audit.jsonl: verified, searched, appended to"),
    "checkpoint": Target(trails.checkpoint, "a checkpoint's statement and signature"),
    "approval": Target(documents.approval, "a signed approval"),
    "approval-request": Target(documents.request, "an approval request"),
    "receipt": Target(documents.receipt, "a receipt's statement"),
    "plan-file": Target(judging.plan_file, "a saved plan (zip)"),
    "state": Target(judging.state, "terraform show -json of a state"),
    "run-task": Target(web.run_task, "the body of a run task request", 150),
    "endpoint": Target(endpoint.endpoint, "a request to the server: line, headers, body"),
    "configuration": Target(web.archive, "a configuration version (tar.gz)"),
    "history": Target(trails.history, "fields of records, one JSON object a line"),
    "data-json": Target(text.data_json, "a data file of a ruleset, JSON"),
    "data-toml": Target(text.data_toml, "a data file of a ruleset, TOML; waivers"),
    "server": Target(text.server, "settings of the run-task server"),
    "workspace": Target(text.workspace, ".terraform/terraform.tfstate"),
    "git": Target(text.git, "files of a git directory"),
    "provider-schema": Target(text.provider_schema, "a provider's schema, or an index of one"),
    "atlantis": Target(text.atlantis, "Atlantis's YAML, for its doctor", 15),
}


def run_target(name: str, data: bytes, folder: Path) -> None:
    """Run one input. Raises whatever breaks the promise; a clear refusal is an answer."""
    answer(name, data, folder)


def answer(name: str, data: bytes, folder: Path) -> str:
    """Run one input, and give what was answered, without names and numbers of the input."""
    try:
        said = TARGETS[name].run(data, folder)
    except TfgateError as error:
        check_refusal(error)
        return f"{type(error).__name__} {NAMES.sub('_', str(error)[:500])}"
    return said if isinstance(said, str) else "taken"


def check_refusal(error: TfgateError) -> None:
    """Check that an error ends a command as a refusal does, and says why."""
    assert error.exit_code in REFUSALS, f"exit code {error.exit_code} for an input"
    check_clear(error)
