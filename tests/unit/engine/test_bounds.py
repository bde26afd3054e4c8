"""One rule on one plan ends, whatever the rule is and whatever the plan; what is left is denied."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import pytest

from tests.support.fuzzing.limits import bounded
from tests.support.plans import change, context, plan, rule, ruleset
from tfgate import query
from tfgate.engine import bound
from tfgate.engine.evaluate import evaluate
from tfgate.engine.functions import rule_functions
from tfgate.model.decision import Decision, OutcomeKind, Verdict
from tfgate.query import state
from tfgate.query.state import Meter, State

if TYPE_CHECKING:
    from pathlib import Path

SECONDS: Final = 10.0
MEMORY: Final = 300 * 1024**2
DOUBLED: Final = " | ".join(["[@, @]"] * 40)


@pytest.fixture
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """A twentieth of all bounds, so that the tests are over sooner."""

    def meter() -> Meter:
        made = Meter()
        made.left //= 10
        return made

    monkeypatch.setattr(State, "left", state.STEPS - state.STEPS * 19 // 20)
    monkeypatch.setattr(bound, "Meter", meter)


def judged(folder: Path, rules: str, *changes: dict[str, Any]) -> Decision:
    """Evaluate rules on changes, within bounds."""
    loaded = ruleset(folder, rules)
    read = plan(*changes)
    with bounded(SECONDS, MEMORY):
        return evaluate(read, [loaded], context())


def many(number: int, after: dict[str, Any]) -> list[dict[str, Any]]:
    """Return as many resources."""
    return [change(f"aws_s3_bucket.b{n}", after=after) for n in range(number)]


@pytest.mark.parametrize(
    "text",
    [
        f"after.name | {DOUBLED}",
        f"[after.name] | {DOUBLED} | contains(@, [@])",
        f"[$x, $x] | {DOUBLED}",
        "map(&to_string($y), after.list)",
    ],
)
@pytest.mark.usefixtures("_few_steps")
@pytest.mark.parametrize("key", ["deny", "require"])
def test_a_rule_without_end_is_an_error_that_names_rule_and_address(
    key: str, text: str, tmp_path: Path
) -> None:
    """It fails closed: an error is a failure, and tells which rule and which resource."""
    if key == "require":
        text = f"to_string({text}) == 'x'"
    lets = f'let = {{ x = "[after.name] | {DOUBLED}", y = "after.list" }}'
    (outcome,) = judged(
        tmp_path,
        rule("T-1", more=lets, **{key: text}),
        change(after={"name": "x", "list": ["x" * 100] * 30_000}),
    ).outcomes
    assert outcome.outcome is OutcomeKind.ERROR
    assert outcome.blocks
    assert (outcome.rule, outcome.address) == ("T-1", "aws_s3_bucket.logs")
    assert "steps" in outcome.message or "too long" in outcome.message


@pytest.mark.usefixtures("_few_steps")
def test_a_rule_without_end_is_no_unknown(tmp_path: Path) -> None:
    """Not even where it is unknown whether the rule applies at all."""
    text = rule(when="after.u", require=f"to_string([after.name] | {DOUBLED})")
    (outcome,) = judged(
        tmp_path, text, change(after={"name": "x"}, after_unknown={"u": True})
    ).outcomes
    assert outcome.outcome is OutcomeKind.ERROR


@pytest.mark.slow
@pytest.mark.usefixtures("_few_steps")
def test_many_dear_evaluations_are_too_many(tmp_path: Path) -> None:
    """A million steps on each of a thousand resources are stopped, and the rest denied."""
    text = rule(require="length(sort_by(after.list, &to_string([@, @]))) > `0`")
    after = {"list": list(range(40_000))}
    start = time.process_time()
    decision = judged(tmp_path, text, *many(100, after))
    assert time.process_time() - start < SECONDS
    stopped = [o for o in decision.outcomes if "on this plan" in o.message]
    assert stopped
    assert {o.outcome for o in decision.outcomes} == {OutcomeKind.ERROR}
    assert len(decision.outcomes) + sum(map(len, decision.passed.values())) == 100
    assert decision.verdict is Verdict.DENY


@pytest.mark.usefixtures("_few_steps")
def test_findings_without_number_are_not_all_kept(tmp_path: Path) -> None:
    """Ten million steps are ten thousand findings: then one error says that there are more."""
    decision = judged(
        tmp_path,
        rule(deny="after.list", message="{@item}"),
        change(after={"list": list(range(100_000))}),
    )
    kinds = [o.outcome for o in decision.outcomes]
    assert kinds.count(OutcomeKind.FAIL) == 10_000
    assert kinds.count(OutcomeKind.ERROR) == 1
    assert decision.verdict is Verdict.DENY


@pytest.mark.slow
@pytest.mark.usefixtures("_few_steps")
def test_long_messages_are_counted(tmp_path: Path) -> None:
    """Thousands of findings with hundreds of values in each would take half an hour."""
    decision = judged(
        tmp_path,
        rule(deny="after.list", message="{after}" * 285),
        change(after={"list": [{"a": n} for n in range(300)]}),
    )
    kinds = [o.outcome for o in decision.outcomes]
    assert 100 < kinds.count(OutcomeKind.FAIL) < 200
    assert kinds.count(OutcomeKind.ERROR) == 1


def test_small_evaluations_are_not_counted(tmp_path: Path) -> None:
    """However many resources a plan has."""
    decision = judged(tmp_path, rule(require="after.tags.Owner"), *many(2000, {"tags": {}}))
    assert {o.outcome for o in decision.outcomes} == {OutcomeKind.FAIL}


def test_a_let_value_is_found_once(tmp_path: Path) -> None:
    """A filter that asks for it on each element does not copy it each time."""
    rules = rule(
        deny="after.list[?!contains($all, @)]",
        more="let = { all = \"[after.first, 'x', after.unknown] | []\" }",
    )
    after = {"first": [str(n) for n in range(1000)], "list": ["x"] * 20_000}
    decision = judged(tmp_path, rules, change(after=after, after_unknown={"unknown": True}))
    assert decision.verdict is Verdict.ALLOW


def test_functions_that_look_at_the_plan_look_once(tmp_path: Path) -> None:
    """What they find for an argument does not change while a rule is evaluated."""
    rules = rule(
        deny="after.list[?changed('list') && referenced_by('*') && configured(@) && @ == 'y']",
    )
    judged(tmp_path, rules, *many(3, {"list": ["x"] * 2_000}))
    dynamic = rule(deny="after.list[?configured(@) || references(@) == 'x']")
    judged(tmp_path, dynamic, *many(3, {"list": [f"n{n}" for n in range(5_000)]}))


def test_looking_for_a_secret_takes_a_step_for_a_character() -> None:
    """At a quarter of that, a rule made to be slow had four minutes."""
    judgement = query.compile("looks_secret(@)", functions=rule_functions()).judge("a/b.c-1," * 999)
    assert judgement.value is None
    assert State.left - judgement.left >= 8 * 999
