"""What rules have in common is found once for a subject, and every rule pays for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.plans import change, context, plan, rule, ruleset
from tfgate.engine import evaluate as engine
from tfgate.engine.bound import BoundRule, Tally
from tfgate.engine.evaluate import evaluate
from tfgate.plan import joins
from tfgate.query.expression import Expression

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    import pytest

    from tfgate.model.decision import Decision

LIST = "let = { all = \"after.list[?@ != 'x'] | [*]\" }"


def judged(folder: Path, rules: str, *changes: dict[str, Any]) -> Decision:
    """Evaluate rules on changes."""
    return evaluate(plan(*changes), [ruleset(folder, rules)], context())


def messages(decision: Decision) -> list[str]:
    """Return what is said, by rule."""
    return [outcome.message for outcome in decision.outcomes]


def test_a_let_value_is_evaluated_once_for_all_rules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Three rules on two subjects that ask for the same evaluate it twice."""
    counted: list[str] = []
    plain = Expression.judge

    def count(self: Expression, *arguments: Any) -> Any:
        counted.append(self.text)
        return plain(self, *arguments)

    monkeypatch.setattr(Expression, "judge", count)
    rules = "".join(
        rule(f"T-{n}", require="length($all) > `1` && $all", more=LIST) for n in range(3)
    )
    after = {"list": ["a", "b", "x"]}
    changes = [change(f"aws_s3_bucket.b{n}", after=after) for n in range(2)]
    assert not judged(tmp_path, rules, *changes).outcomes
    assert len([text for text in counted if "list" in text]) == 2


def test_the_same_words_may_mean_something_else(tmp_path: Path) -> None:
    """A ``let`` on other ``let`` values is shared only where those are the same."""
    rules = "".join(
        rule(
            f"T-{n}",
            deny="[$shown]",
            message="{@item}",
            more=f'let = {{ shown = "join(\'\', [$of])", of = "after.{name}" }}',
        )
        for n, name in enumerate(["one", "two", "one"])
    )
    decision = judged(tmp_path, rules, change(after={"one": "1", "two": "2"}))
    assert messages(decision) == ["1", "2", "1"]


def test_parameters_are_of_a_ruleset(tmp_path: Path) -> None:
    """Two rulesets with the same words and other parameters share nothing."""
    loaded = []
    for number in (1, 2):
        folder = tmp_path / str(number)
        folder.mkdir()
        head = f'[ruleset]\nid = "r{number}"\nversion = "1.0.0"\ntitle = "R"\nowners = ["a@b.c"]\n'
        head += f'[params.p]\ntype = "number"\ndefault = {number}\ndescription = "P"\n'
        more = 'let = { shown = "to_string($params.p)" }'
        rules = rule(f"T-{number}", deny="[$shown]", message="{@item}", more=more)
        loaded.append(ruleset(folder, rules, header=head))
    assert messages(evaluate(plan(change()), loaded, context())) == ["1", "2"]


def test_what_a_rule_pays_does_not_depend_on_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps are the same whichever rule asks first, and as they are for a rule alone."""
    text = "$all[?contains($all, @)] && changed('list') && $all[*]"
    make = [rule(f"T-{n}", deny=text, more=LIST) for n in range(2)]
    subject = change(after={"list": [str(n) for n in range(2_000)]})

    def spent(rules: str) -> dict[str, int]:
        tallies: list[Tally] = []

        def keep(bound: BoundRule) -> Tally:
            tallies.append(Tally(bound))
            return tallies[-1]

        monkeypatch.setattr(engine, "Tally", keep)
        judged(tmp_path, rules, subject)
        return {tally.rule.rule.id: tally.meter.left for tally in tallies}

    together = spent(make[0] + make[1])
    assert together == spent(make[1] + make[0])
    assert together == {**spent(make[0]), **spent(make[1])}
    assert len(set(together.values())) == 1


def test_what_is_joined_is_looked_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rules that ask for the same references look into the configuration once a subject."""
    asked: list[Any] = []
    plain = joins.Joins.referenced_by

    def count(self: joins.Joins, *arguments: Any, **more: Any) -> Any:
        asked.append(arguments)
        return plain(self, *arguments, **more)

    monkeypatch.setattr(joins.Joins, "referenced_by", count)
    rules = "".join(rule(f"T-{n}", deny="referenced_by('aws_*')") for n in range(3))
    judged(tmp_path, rules, change())
    assert len(asked) == 1
