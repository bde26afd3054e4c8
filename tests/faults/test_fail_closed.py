"""Every class of errors, let loose in every command: never exit code 0, and a record where due."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.click_tree import paths
from tests.support.faults.box import Box, build
from tests.support.faults.invariants import records
from tests.support.faults.table import (
    CANARY,
    POINTS,
    UNFORESEEN,
    Point,
    scenario_of,
    tfgate_errors,
)
from tests.support.parts import require_part
from tfgate.cli.main import cli, main
from tfgate.errors import ConfigError
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture(scope="session")
def errors() -> dict[str, Callable[[], BaseException]]:
    """How to make an error of each kind."""
    return tfgate_errors() | UNFORESEEN


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A gate with everything that any command needs."""
    for part in ("git", "ssh-keygen"):
        require_part(part)
    return build(tmp_path_factory.mktemp("box") / "box")


@pytest.fixture
def box(template: Box, tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A copy of it."""
    return template.copy(tmp_path_factory.mktemp("copy") / "box")


def test_every_command_is_in_the_table() -> None:
    """A new command needs a place where its errors are let loose."""
    assert sorted(set(paths(cli))) == sorted({point.command for point in POINTS})


@pytest.mark.parametrize("point", POINTS, ids=lambda point: f"{point.command}: {point.target}")
def test_nothing_fails_open(
    point: Point,
    errors: dict[str, Callable[[], BaseException]],
    box: Box,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """Whatever is raised: an exit code that is not 0, no traceback, a record where one was due."""
    if point.command in ("serve", "lsp"):
        pytest.importorskip({"serve": "dbos", "lsp": "pygls"}[point.command])
    loose = Loose(point, monkeypatch)
    scenario = scenario_of(point)
    for name in [name for name in os.environ if name.startswith(("TFGATE_", "GIT_"))]:
        monkeypatch.delenv(name)
    for name, value in {**box.env, **scenario.environment(box)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(box.root / scenario.cwd)
    wrong = []
    for name, make in errors.items():
        before = len(records(box, scenario))
        loose.error = make
        loose.came = False
        code = main(scenario.words(box))
        said = capfd.readouterr()
        wrong += [f"{name}: {what}" for what in broken(point, code, said.out, said.err, make())]
        if not loose.came:
            wrong.append(f"{name}: {point.target} was not called")
        if point.due and not is_on_record(records(box, scenario)[before:], make()):
            wrong.append(f"{name}: no record")
        if (box.root / "ran").exists():
            wrong.append(f"{name}: something was applied")
        assert not list(box.tmp.glob("tfgate-*")), f"{name}: something was left"
    assert not wrong, "\n".join(wrong)


class Loose:
    """A function that raises what it is told."""

    def __init__(self, point: Point, monkeypatch: pytest.MonkeyPatch) -> None:
        self.error: Callable[[], BaseException] = Exception
        self.came = False
        module, _, path = point.target.partition(":")
        owner: Any = import_module(module)
        *outer, name = path.split(".")
        for part in outer:
            owner = getattr(owner, part)

        real = getattr(owner, name)

        def raising(*_: Any, **__: Any) -> Any:
            self.came = True
            raise self.error()

        monkeypatch.setattr(owner, name, raising)
        assert list(paths(cli)), "commands are loaded, and with them what they import"
        for place in [one for one in sys.modules.values() if _is_ours(one)]:  # who imported it
            for key in [key for key, value in vars(place).items() if value is real]:
                monkeypatch.setattr(place, key, raising)


def _is_ours(module: object) -> bool:
    return str(getattr(module, "__name__", "")).partition(".")[0] == "tfgate"


def broken(point: Point, code: int, out: str, err: str, error: BaseException) -> Iterator[str]:
    """Say which promises were broken."""
    if point.command == "atlantis" and code == 0:  # of a policy check the text is the verdict
        if not out.startswith("FAIL - "):
            yield "the text does not fail the check"
    elif isinstance(error, point.tolerates):
        if code != 0:
            yield f"exit code {code}, and it stops nothing"
    elif code not in {int(one) for one in ExitCode} - {0}:
        yield f"exit code {code}"
    if "Traceback" in out + err:
        yield "a traceback"
    if CANARY in out + err:
        yield "the words of an unforeseen error"
    if not (out + err).strip() and not isinstance(error, BrokenPipeError):
        yield "nothing is said"


def is_on_record(new: list[dict[str, Any]], error: BaseException) -> bool:
    """Say whether there is a decision or the reason why there is none.

    By a configuration that is wrong nothing was to be judged.
    """
    events = {"decision", "undecided", "command"}
    words = str(new)
    return isinstance(error, ConfigError) or (
        any(one["event"] in events for one in new) and CANARY not in words
    )


@pytest.fixture(autouse=True)
def _streams() -> Iterator[None]:
    """Restore the streams that a command without a reader has redirected."""
    kept = os.dup(1)
    yield
    sys.stdout.flush()
    os.dup2(kept, 1)
    os.close(kept)


JUDGED = ("tfgate.gate.gather:read_plan", "tfgate.gate.check:evaluate",
          "tfgate.gate.record:write_evidence", "tfgate.audit.writer:AuditTrail.append",
          "tfgate.server.evaluation:_review")  # fmt: skip


@pytest.mark.parametrize("target", JUDGED)
def test_the_server_passes_no_task(
    target: str,
    errors: dict[str, Callable[[], BaseException]],
    box: Box,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever is raised in a evaluation of the server: no task passes, and it is on record."""
    pytest.importorskip("dbos")
    from tfgate.review.html import render_plan
    from tfgate.server.evaluation import evaluate
    from tfgate.server.job import Job, Stage
    from tfgate.server.settings import load_policies, load_settings

    (policy,) = load_policies(load_settings(box.gate / "server.toml", {}), {"HOME": str(box.home)})
    job = Job(0, Stage.POST_PLAN, "default", "ann", str(box.tmp), 1.8e9, "run-1", {})
    loose = Loose(Point("serve", "", target), monkeypatch)
    like = scenario_of(Point("check", "good.json", target))
    wrong = []
    for name, make in errors.items():
        before = len(records(box, like))
        loose.error = make
        loose.came = False
        with (box.work / "good.json").open("rb") as file:
            try:
                evaluation = evaluate(job, file, policy, {"HOME": str(box.home)}, render_plan)
            except BaseException:  # the process that evaluates ends, and the task with it
                evaluation = None
        if evaluation is not None and evaluation.passed:
            wrong.append(f"{name}: passed")
        if not loose.came:
            wrong.append(f"{name}: {target} was not called")
        recorded = is_on_record(records(box, like)[before:], make())
        if not recorded and not target.endswith("append"):
            wrong.append(f"{name}: no record")
    assert not wrong, "\n".join(wrong)
