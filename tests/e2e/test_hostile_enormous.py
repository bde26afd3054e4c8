"""Texts of ten million characters in whatever a command reads: bounded time, memory and output."""

from __future__ import annotations

import gc
import resource
from functools import partial
from typing import TYPE_CHECKING

import pytest

from tests.support import enormous, forked
from tests.support.faults import box as boxes
from tests.support.faults.scenarios import DORA, Scenario, atlantis_of
from tests.support.sampling import sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.support.faults.box import Box

SECONDS = 5.0
"""Of a processor; the slowest takes about one on a machine that does nothing else."""
MEMORY = 600 * 1024**2
"""Beside what the process of the tests has; the most is half of it."""
READABLE = 100_000
"""Bytes of what a person reads."""
_SIGN = "--key {gate}/keys/approver --reason test --expires 2h --yes --output ok.json"
_REPORTS = "json=r.json markdown=r.md html=r.html sarif=r.sarif gitlab=gl.json junit=r.xml text=r"
_FROM = "--from bad.json --address aws_s3_bucket.logs --attribute"
WHOLE = ("eval", "audit show", "review bad.json --full")
"""What was asked for the very values, or for records as they are."""
OF_PLANS = (
    Scenario("check", "plans", code=1),
    Scenario("check", "bad.json " + " ".join(f"--report {one}" for one in _REPORTS.split()),
             code=1),
    Scenario("review", "bad.json", code=1),
    Scenario("review", "bad.json --full", code=1),
    Scenario("review", "bad.json --full --html page.html", code=1),
    Scenario("explain", "bad.json --rule A-1"),
    Scenario("eval", "bad.json changes[].after"),
    Scenario("impact", "--base v1 --plans ../../work/plans --jobs 1", cwd="gate/repo",
             config="history"),
    Scenario("atlantis", env=atlantis_of("bad")),
)  # fmt: skip
OF_SOURCES = (
    Scenario("waivers import", "sources --owner a@b.example --expires 2099-01-31"),
    Scenario("check", "--source sources -r tfgate:source --allow-empty", code=1),
)
OF_TRAILS = (
    Scenario("audit verify", code=3),
    Scenario("audit search"),
    Scenario("audit show", "--last 9"),
    *(Scenario("audit report", f"--output audit.{form}") for form in ("html", "csv")),
    Scenario("audit export", "--decision last --output bundle.zip"),
    Scenario("audit sql", "select~*~from~records"),
    Scenario("check", "good.json"),
)
OF_RULES = tuple(
    Scenario(command, arguments, code=code)
    for command, arguments, code in (
        ("check", "good.json", 2), ("rules list", "", 2), ("rules show", "A-1", 2),
        ("rules lint", "{gate}/policy", 1), ("rules test", "{gate}/policy", 2),
        ("rules docs", "{gate}/policy --out pages", 2),
    )
)  # fmt: skip
OF_CONFIG = tuple(
    Scenario(command, arguments, code=2)
    for command, arguments in (
        ("check", "good.json"), ("config", ""), ("waivers list", ""), ("rules list", ""),
        ("audit verify", ""), ("apply", "good.tfplan -auto-approve"),
    )
)  # fmt: skip
OF_COMMITS = (
    Scenario("rules log", config="history"),
    Scenario("rules log", "--json", config="history"),
    Scenario("rules review", "--base HEAD^", cwd="gate/repo", config="history"),
    Scenario("check", "good.json", config="history"),
)


def _source(box: Box, name: str) -> None:
    folder = box.work / "sources"
    folder.mkdir()
    (folder / "main.tf").write_text(enormous.SOURCES[name], encoding="utf-8")


def _cases() -> Iterator[tuple[str, Callable[[Box], None], tuple[Scenario, ...]]]:
    yield "values of a plan", enormous.values, (
        *OF_PLANS,
        Scenario("rules new", f"A-9 {_FROM} bucket"),
        Scenario("rules new", f"A-9 {_FROM} tags", code=2),
    )  # fmt: skip
    yield "other values of a plan", enormous.elsewhere, OF_PLANS[:1]
    yield "keys of a plan", enormous.keys, OF_PLANS[1:6]
    for name, put in enormous.PLAN_NAMES.items():
        yield f"{name} of a plan", put, (REFUSED,)
    for key in ("title", "message", "key"):
        yield f"{key} of a rule", partial(enormous.ruleset, key=key), OF_RULES
    for key in ("reason", "address"):
        yield f"{key} of a waiver", partial(enormous.config, key=key), OF_CONFIG
    for name in enormous.SOURCES:
        yield f"{name} in sources", partial(_source, name=name), OF_SOURCES
    for name in ("operator", "kind", "message", "address"):
        yield f"{name} of a request", partial(enormous.request, name=name), (
            Scenario("approve", f"request.json {_SIGN}", env=DORA, code=2),
        )  # fmt: skip
    for name in ("payload", "payloadType", "sig"):
        yield f"{name} of an approval", _sealed("approval", name), (
            Scenario("check", "bad.tfplan --approval approval.json", code=1),
        )  # fmt: skip
        yield f"{name} of a receipt", _sealed("receipt", name), (
            Scenario("apply", "good.tfplan -auto-approve --receipt receipt.json", code=1),
        )  # fmt: skip
    yield "values of a state", enormous.state, (
        Scenario("verify", "{decided} --state state.json"),
    )  # fmt: skip
    for name in ("operator", "key", "line"):
        tried = OF_TRAILS if name == "operator" else OF_TRAILS[:4]
        yield f"{name} of a record", partial(enormous.record, name=name), tried
    yield "seq of a record", partial(enormous.record, name="seq"), (
        Scenario("audit sql", "select~*~from~records", code=2), *OF_TRAILS[:2],
    )  # fmt: skip
    yield "message of a commit", enormous.commit, OF_COMMITS


def _sealed(paper: str, name: str) -> Callable[[Box], None]:
    return lambda box: enormous.envelope(box.work / f"{paper}.json", name)


REFUSED = Scenario("check", "bad.json", code=3)
CASES = {name: (put, scenarios) for name, put, scenarios in _cases()}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box without anything enormous."""
    return boxes.build(tmp_path_factory.mktemp("enormous") / "box")


@pytest.mark.parametrize("case", CASES)
def test_a_text_of_ten_million_characters_is_borne(
    case: str, template: Box, tmp_path: Path
) -> None:
    """It is refused, or handled and cut where people read it."""
    put, scenarios = CASES[case]
    scenarios = sample(scenarios, 3, place=list(CASES).index(case))
    box = template.copy(tmp_path / "box")
    put(box)
    gc.collect()
    found = [one for scenario in scenarios for one in _wrong(box, scenario)]
    assert not found, "\n".join(found)


def _wrong(box: Box, scenario: Scenario) -> Iterator[str]:
    already = _resident()
    ran = forked.run(
        scenario.words(box),
        cwd=box.root / scenario.cwd,
        env={**box.env, **scenario.environment(box)},
        before=lambda: resource.setrlimit(resource.RLIMIT_CPU, (30, 30)),
    )
    said = ran.err if scenario.name.startswith(WHOLE) else ran.out + ran.err
    if ran.code != scenario.code:
        yield f"{scenario.name}: exit code {ran.code}: {ran.err[-400:].decode()}"
    if ran.seconds > SECONDS:
        yield f"{scenario.name}: {ran.seconds:.1f} s"
    if ran.memory - already > MEMORY:
        yield f"{scenario.name}: {(ran.memory - already) // 1024**2} MiB"
    if len(said) > READABLE:
        yield f"{scenario.name}: {len(said):,} bytes are printed: {said[:300].decode()}"


def _resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()
