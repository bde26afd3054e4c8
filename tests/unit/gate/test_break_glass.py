"""Break glass: two people let a hard-mandatory failure through, and nobody can overlook it."""

from __future__ import annotations

import datetime as dt
import json
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.support.decisions import CASES, context
from tests.support.judging import NOW, RULES, Bench, plan_json
from tests.support.signing import new_key, signer
from tfgate.approvals.approve import read_request
from tfgate.cli.main import main
from tfgate.errors import UsageError
from tfgate.gate.check import check
from tfgate.model.decision import Decision, Verdict
from tfgate.report import FORMATS, render

if TYPE_CHECKING:
    from pathlib import Path

GLASS = """
[approvals.break_glass]
approvers = ["alice@acme.example", "bob", "olga"]
rules = ["T-*"]
"""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A gate whose rule is hard-mandatory, and whose glass three people may break."""
    found = Bench(tmp_path)
    found.write("rules.toml", RULES.format(level="hard-mandatory", approvals=1))
    olga = new_key(tmp_path, "olga")
    people = (found.folder / "approvers").read_text() + signer("olga", olga)
    people += signer("mallory", found.mallory)
    found.write("approvers", people)
    found.config(GLASS)
    return found


def use(bench: Bench, *approvals: Path, **changes: Any) -> Decision:
    """Check the plan with approvals."""
    request = replace(bench.request, approvals=tuple(map(str, approvals)), **changes)
    return check(request).decision


def both(bench: Bench) -> list[Path]:
    """Two approvals, by alice and bob."""
    return [bench.approve(bench.alice, "a.json"), bench.approve(bench.bob, "b.json")]


def test_two_people_let_it_through_and_it_is_on_record(bench: Bench) -> None:
    """Exit code 0, a verdict that says so first, and a record of its own kind."""
    decision = use(bench, *both(bench))
    assert decision.verdict is Verdict.ALLOW
    assert decision.exit_code == 0
    assert decision.reasons[0].startswith("BREAK GLASS: T-IN (hard-mandatory) on terraform_data.a ")
    assert "alice@acme.example (because) and bob (because)" in decision.reasons[0]
    *_, decided, glass = bench.records()
    assert (decided["event"], glass["event"]) == ("decision", "break_glass")
    assert decided["findings"][0]["override"]["break_glass"] is True
    assert glass["decision_id"] == decided["decision_id"]
    assert glass["approvers"] == ["alice@acme.example", "bob"]
    assert [one["rule"] for one in glass["findings"]] == ["T-IN"]
    assert glass["operator"] == "olga"


def test_off_by_default(tmp_path: Path) -> None:
    """Without the table no request is written, and what was signed lets nothing through."""
    bench = Bench(tmp_path)
    bench.write("rules.toml", RULES.format(level="hard-mandatory", approvals=1))
    config = (tmp_path / "tfgate.toml").read_text()
    bench.config(GLASS)
    approvals = both(bench)
    bench.write("tfgate.toml", config)
    assert not bench.ask().exists()
    decision = use(bench, *approvals)
    assert decision.verdict is Verdict.DENY
    assert any("this gate has no [approvals.break_glass]" in text for text in decision.warnings)


@pytest.mark.parametrize(
    ("signers", "why"),
    [
        (("alice",), "has 1 of 2 approvals"),
        (("alice", "alice"), "has 1 of 2 approvals"),
        (("alice", "mallory"), "mallory is not among those who may break the glass"),
        (("olga",), "has 1 of 2 approvals"),
    ],
)
def test_one_person_is_not_enough(bench: Bench, signers: tuple[str, ...], why: str) -> None:
    """Nor one person twice, nor somebody who may not."""
    paths = [bench.approve(bench.folder / name, f"{n}.json") for n, name in enumerate(signers)]
    decision = use(bench, *paths)
    assert decision.verdict is Verdict.DENY
    assert any(why in warning for warning in decision.warnings), decision.warnings


def test_the_operator_may_be_one_of_the_two_and_never_both(bench: Bench) -> None:
    """At night there are two people: whoever applies, and a second one."""
    own = bench.approve(bench.folder / "olga", "o.json")
    assert use(bench, own, bench.approve(bench.alice)).verdict is Verdict.ALLOW
    env = {**bench.request.env, "TFGATE_AUTHOR": "alice"}
    decision = use(bench, own, bench.approve(bench.alice), env=env)
    assert decision.verdict is Verdict.DENY
    assert any("neither operator nor author" in text for text in decision.warnings)


def test_it_ends_soon(bench: Bench) -> None:
    """After four hours, whatever approvals.max_hours says."""
    paths = both(bench)
    at = {"now": NOW + dt.timedelta(hours=3, minutes=59)}
    assert use(bench, *paths, **at).verdict is Verdict.ALLOW
    assert use(bench, *paths, now=NOW + dt.timedelta(hours=4, minutes=1)).verdict is Verdict.DENY


def test_for_one_plan_whatever_approvals_are_bound_to(bench: Bench) -> None:
    """A re-plan with the same findings needs the two again."""
    text = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", text.replace("[approvals]\n", '[approvals]\nbind = "findings"\n'))
    paths = both(bench)
    again = json.loads(plan_json())
    again["timestamp"] = "2026-11-24T11:00:00Z"
    plan = bench.plan(json.dumps(again).encode(), "again.json")
    assert use(bench, *paths, plan=plan).verdict is Verdict.DENY
    assert use(bench, *paths).verdict is Verdict.ALLOW


def test_rules_that_are_not_listed_do_not_yield(bench: Bench) -> None:
    """The owner says for which rules there is glass at all."""
    paths = both(bench)
    text = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", text.replace('rules = ["T-*"]', 'rules = ["X-*"]'))
    assert use(bench, *paths).verdict is Verdict.DENY
    assert not bench.ask().exists()


def test_a_rule_that_cannot_be_evaluated_does_not_yield(bench: Bench) -> None:
    """Nobody can let through what no rule has said."""
    broken = RULES.format(level="hard-mandatory", approvals=1)
    bench.write("rules.toml", broken.replace("length(after.input)", "length(after.missing)"))
    assert not bench.ask().exists()


def test_ordinary_approvals_let_nothing_hard_through(bench: Bench) -> None:
    """Only approvals that were asked for as such."""
    bench.write("rules.toml", RULES.format(level="soft-mandatory", approvals=1))
    paths = both(bench)
    assert not read_request(bench.folder / "p.request.json").break_glass
    bench.write("rules.toml", RULES.format(level="hard-mandatory", approvals=1))
    assert use(bench, *paths).verdict is Verdict.DENY


def test_whoever_breaks_it_says_so(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """``tfgate approve`` signs such a request with --break-glass alone, and no other with it."""
    path = bench.ask()
    monkeypatch.chdir(bench.folder)
    monkeypatch.delenv("TFGATE_CONFIG", raising=False)
    words = ["approve", str(path), "--key", str(bench.alice), "--reason", "down", "--yes"]
    assert main(words) == UsageError.exit_code
    assert "add --break-glass if it is one" in capsys.readouterr().err
    assert main([*words, "--break-glass", "-o", "a.json"]) == 0
    assert "BREAK GLASS" in capsys.readouterr().out
    words[3] = str(bench.mallory)
    assert main([*words, "--break-glass", "-o", "m.json"]) == UsageError.exit_code
    assert "mallory is not among those who may break the glass" in capsys.readouterr().err
    bench.write("rules.toml", RULES.format(level="soft-mandatory", approvals=1))
    words[1:4] = [str(bench.ask()), "--key", str(bench.alice)]
    assert main([*words, "--break-glass"]) == UsageError.exit_code
    assert "no glass to break" in capsys.readouterr().err


@pytest.mark.parametrize("name", FORMATS)
def test_every_report_says_so(name: str) -> None:
    """No format lets a reader take it for a plain allow."""
    text = render(name, CASES["allow-break-glass"], context())
    assert "break glass" in text.lower() or '"break_glass": true' in text
