"""No secret leaves tfgate: planted everywhere, every command run, everything searched.

`test_canary.py` has the same for reports, `test_secrets_sent.py` for sinks and the run-task server;
here it is whatever a command prints, writes, caches, archives or leaves behind, with ``--debug``,
and when something fails that nobody foresaw.
"""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import forked
from tests.support.click_tree import paths
from tests.support.faults.scenarios import SCENARIOS, Scenario
from tests.support.planted import (
    EXPRESSIONS,
    RAISING,
    STEM,
    files_with,
    found_in,
    needles,
    secret,
)
from tests.support.planted_box import ENVIRONMENT, GIVEN, build
from tests.support.sampling import sample
from tfgate.cli.main import cli
from tfgate.report import FORMATS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.faults.box import Box

NEEDLES = needles()
RULE = "-r {gate}/secret.toml"
BROKEN = "-r {gate}/raising.toml"


def as_word(text: str) -> str:
    """Write a text as one word of a scenario."""
    return text.replace(" ", "~").replace("{", "{{").replace("}", "}}")


MORE = (
    *(Scenario("check", f"good.json --report {name} --report {name}=out") for name in FORMATS),
    *(Scenario("check", f"bad.json --report {name} --report {name}=out", code=1)
      for name in ("json", "text", "markdown")),
    Scenario("check", f"good.json {BROKEN} --report json --report html=o.html", code=1),
    Scenario("check", f"good.json {BROKEN} --report text", code=1),
    *(Scenario("explain", f"good.json {RULE} --rule T-{name.upper()}") for name in EXPRESSIONS),
    *(Scenario("explain", f"good.json {RULE} --rule S-{name}")
      for name in ("PLAN", "OUTPUT", "DRIFT", "MODULE", "PROVIDER")),
    *(Scenario("explain", f"good.json {BROKEN} --rule E-{name.upper()}")
      for name in RAISING),
    *(Scenario("eval", f"good.json {as_word(text)} --address aws_s3_bucket.logs")
      for text in (*EXPRESSIONS.values(), *RAISING.values()) if "$" not in text),
    *(Scenario("eval", f"good.json {text}")
      for text in ("@", "changes", "variables", "outputs", "modules", "providers", "deferred")),
    Scenario("review", "good.json --full --action all"),
    Scenario("review", "bad.json --full --html page.html"),
    Scenario("audit show", "{decided} --last 9"),
    Scenario("audit search", "--json"),
    *(Scenario("audit report", f"--format {name} --output report")
      for name in ("html", "csv", "json")),
    Scenario("rules new", "A-8 --from good.json --address aws_s3_bucket.logs --attribute password"),
    Scenario("rules new", "A-7 --from good.json --address aws_s3_bucket.logs --attribute map"),
    *(Scenario("impact", f"--base HEAD^ --plans ../../work/plans --jobs 1 --format {name}",
               cwd="gate/repo", config="history") for name in ("json", "markdown")),
    Scenario("waivers list", "--json"),
    Scenario("rules upgrade", "{gate}/secret.toml"),
    Scenario("rules log", "A-1 --json", config="history"),
)  # fmt: skip
ALONE = {one.name: one for one in SCENARIOS if one.config not in ("sinking", "strict")}
TOGETHER = {one.name: one for one in MORE}
"""What leaves the others' ground as it was."""


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A gate whose rules look at every secret of the plans that it judges."""
    return build(tmp_path_factory.mktemp("secrets") / "box")


@pytest.fixture
def box(template: Box, tmp_path: Path) -> Box:
    """One to use up."""
    return template.copy(tmp_path / "box")


@pytest.fixture(scope="module")
def shared(template: Box, tmp_path_factory: pytest.TempPathFactory) -> Box:
    """One for commands that get on with each other."""
    return template.copy(tmp_path_factory.mktemp("shared") / "box")


def run(box: Box, scenario: Scenario, before: Callable[[], None] | None = None) -> forked.Ran:
    """Run a command, with ``--debug``."""
    return forked.run(
        ["--debug", *scenario.words(box)],
        cwd=box.root / scenario.cwd,
        env={**box.env, **ENVIRONMENT, **scenario.environment(box)},
        typed=scenario.typed.encode(),
        before=before,
    )


def searched(box: Box, ran: forked.Ran, since: int = 0) -> list[str]:
    """Say which secrets a command has printed or left behind."""
    printed = [f"printed: {what}" for what in found_in(ran.out + ran.err, NEEDLES)]
    return [*printed, *files_with(box.root, NEEDLES, GIVEN, since)]


def test_every_command_is_searched() -> None:
    """A new one has to be: its scenario belongs to the others'. Sinks: `test_secrets_sent.py`."""
    sinks = {"audit deliver", "audit status"}
    assert {one.command for one in ALONE.values()} >= set(paths(cli)) - sinks


def test_the_box_holds_no_secret_but_those_it_was_given(template: Box) -> None:
    """Trail, evidence, archive, approval, receipt: all were written by the gate."""
    assert (template.gate / "audit.jsonl").exists()
    assert files_with(template.root, NEEDLES, GIVEN) == []


@pytest.mark.parametrize("name", ALONE)
def test_no_command_shows_or_keeps_a_secret(name: str, box: Box) -> None:
    """Nor with ``--debug``."""
    ran = run(box, ALONE[name])
    assert ran.code != forked.BROKEN, ran.err.decode()
    assert searched(box, ran) == []


@pytest.mark.parametrize("name", TOGETHER)
def test_no_format_or_expression_shows_a_secret(name: str, shared: Box) -> None:
    """Whatever is asked for, and in whatever form."""
    start = time.time_ns() - 10**9
    ran = run(shared, TOGETHER[name])
    assert ran.code != forked.BROKEN, ran.err.decode()
    assert searched(shared, ran, since=start) == []


def test_the_rules_do_look(shared: Box) -> None:
    """Secrets that nobody looks at would prove nothing."""
    ran = run(shared, Scenario("check", "good.json -r {gate}/raising.toml -r {gate}/secret.toml "
                                     "--report json"))  # fmt: skip
    assert ran.out, ran.err
    outcomes = json.loads(ran.out)["outcomes"]
    found = {one["rule"]: one["outcome"] for one in outcomes}
    looked = {name for name in found if name.startswith(("T-", "S-"))}
    assert looked >= {f"T-{name.upper()}" for name in EXPRESSIONS}
    assert {found[f"E-{name.upper()}"] for name in RAISING} == {"error"}


def _with_values() -> list[Exception]:
    import msgspec

    broken = json.JSONDecodeError("not JSON", secret("document"), 3)
    encoded = UnicodeEncodeError("ascii", secret("text"), 0, 1, "not ASCII")
    chained = KeyError(secret("key"))
    chained.__cause__ = ValueError(secret("cause"))
    return [
        chained, broken, encoded, OSError(5, secret("os")), RecursionError(STEM),
        msgspec.ValidationError(secret("field")),
    ]  # fmt: skip


DEEP = {
    "tfgate.plan.change.Change.document": "check good.json",
    "tfgate.plan.change.Change.redacted": "check good.json",
    "tfgate.plan.reading.read_plan": "check good.json",
    "tfgate.query.state.State.spend": "check good.json",
    "tfgate.query.functions.documents.read": "check good.json",
    "tfgate.engine.evaluate.make_outcome": "check good.json",
    "tfgate.ruleset.template.Template.render": "check good.json",
    "tfgate.report.json.render": "check good.json --report json",
    "tfgate.report.text.render": "check good.json",
    "tfgate.audit.writer.AuditTrail.append": "check good.json",
    "tfgate.plan.archive.archive_plan": "check good.json",
    "tfgate.review.layout.review": "review good.json",
    "tfgate.query.trace.trace": "explain good.json --rule A-1",
    "tfgate.query.expression.Expression.search": "eval after good.json",
    "tfgate.query.expression.Expression.judge": "check good.json",
}
"""Deep functions, by the command that comes to them."""


def _raising(target: str, error: Exception) -> Callable[[], None]:
    """Make the function raise, wherever it was imported to."""

    def patch() -> None:
        import importlib
        import sys

        owner, _, name = target.rpartition(".")
        holder: Any
        try:
            holder = importlib.import_module(owner)
        except ModuleNotFoundError:
            module, _, cls = owner.rpartition(".")
            holder = getattr(importlib.import_module(module), cls)
        real = getattr(holder, name)

        def deep(*arguments: Any, **named: Any) -> Any:
            local = secret("local")  # a traceback with locals would show it
            raise error from ValueError(local)

        setattr(holder, name, deep)
        for module in list(sys.modules.values()):
            if getattr(module, "__name__", "").startswith("tfgate"):
                for key, value in list(vars(module).items()):
                    if value is real:
                        setattr(module, key, deep)

    return patch


@pytest.mark.parametrize("target", DEEP)
def test_no_traceback_shows_a_secret(target: str, shared: Box) -> None:
    """Whatever is raised, and wherever: its message may hold a value, its frames' locals too."""
    command, _, arguments = DEEP[target].partition(" ")
    start = time.time_ns() - 10**9
    codes = set()
    for error in sample(_with_values(), 3, place=list(DEEP).index(target)):
        ran = run(shared, Scenario(command, arguments), _raising(target, error))
        codes.add(ran.code)
        assert searched(shared, ran, since=start) == [], (target, error)
    assert codes <= {1, 2, 3}, "nothing came to it, or it allowed"
