"""Facts of a run: declared by type, converted or refused, and known by name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import HEADER, change, context, plan, plan_bytes, rule, ruleset
from tfgate.cli.main import main
from tfgate.engine.evaluate import evaluate
from tfgate.errors import RulesetError, UsageError
from tfgate.model.decision import OutcomeKind
from tfgate.ruleset.facts import BY_HOST, IN_EVERY_RUN, given_facts

BLOCKED = """
[context.blocked]
type = "bool"
"""
RULE = rule(deny="$context.blocked == `true`")


def _declared(folder: Path, kind: str, more: str = "") -> Any:
    return ruleset(folder, RULE, header=f'{HEADER}[context.blocked]\ntype = "{kind}"\n{more}\n')


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("bool", "true", True),
        ("bool", "false", False),
        ("number", "3", 3),
        ("number", "-0.5", -0.5),
        ("string", "true", "true"),
        ("string", "", ""),
        ("list(string)", '["a", "b"]', ["a", "b"]),
        ("map(number)", '{"a": 1}', {"a": 1}),
        ("any", '{"a": [null]}', {"a": [None]}),
    ],
)
def test_a_text_becomes_a_value_of_the_declared_type(
    tmp_path: Path, kind: str, text: str, value: Any
) -> None:
    """The command line gives text alone; rules compare it with what it stands for."""
    loaded = _declared(tmp_path, kind)
    found = given_facts([loaded.context], {"blocked": text})["blocked"]
    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("bool", "yes"),
        ("bool", "True"),
        ("bool", "1"),
        ("bool", ""),
        ("bool", '"true"'),
        ("number", "three"),
        ("number", "NaN"),
        ("number", "1e999"),
        ("number", "true"),
        ("list(string)", "a,b"),
        ("list(string)", "[1]"),
        ("set(string)", '["a", "a"]'),
        ("any", "plain"),
    ],
)
def test_a_text_of_another_type_is_refused(tmp_path: Path, kind: str, text: str) -> None:
    """What is no value of the type is refused in one sentence that names the type."""
    with pytest.raises(UsageError, match="is not of the type") as error:
        given_facts([_declared(tmp_path, kind).context], {"blocked": text})
    assert kind in str(error.value)


@given(st.one_of(st.booleans(), st.integers(), st.floats(allow_nan=False, allow_infinity=False)))
def test_json_of_a_value_is_read_back(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    """A boolean or number written as JSON is that value again, and of the same type."""
    kind = "bool" if isinstance(value, bool) else "number"
    loaded = _declared(tmp_path_factory.mktemp("facts"), kind)
    found = given_facts([loaded.context], {"blocked": json.dumps(value)})["blocked"]
    assert (found, type(found)) == (value, type(value))


def test_a_name_that_nothing_declares_is_refused(tmp_path: Path) -> None:
    """A misspelt name would leave the rule without its value; the nearest name is shown."""
    with pytest.raises(UsageError, match="did you mean blocked"):
        given_facts([_declared(tmp_path, "bool").context], {"blokced": "true"})


def test_what_tfgate_finds_out_cannot_be_given(tmp_path: Path) -> None:
    """The operator and the time are no matter of ``--context``."""
    for name in IN_EVERY_RUN:
        with pytest.raises(UsageError, match="finds it out itself"):
            given_facts([_declared(tmp_path, "bool").context], {name: "x"})


def test_what_a_host_supplies_needs_no_declaration() -> None:
    """Atlantis and run tasks give their facts to any ruleset."""
    texts = dict.fromkeys(BY_HOST, "true")
    assert given_facts([], texts) == {**texts, "is_speculative": True}


def test_a_declaration_of_what_tfgate_supplies_does_not_load(tmp_path: Path) -> None:
    """A ruleset neither declares what every run has, nor another type for what a host gives."""
    for name, kind in (("workspace", "string"), ("is_speculative", "string")):
        header = f'{HEADER}[context.{name}]\ntype = "{kind}"\n'
        with pytest.raises(RulesetError, match="tfgate itself supplies"):
            ruleset(tmp_path, rule(deny="after.x"), header=header)


def test_an_undeclared_name_in_a_rule_does_not_load(tmp_path: Path) -> None:
    """A rule that reads a fact that nobody can give does not load, and shows the nearest name."""
    with pytest.raises(RulesetError, match="blocked"):
        ruleset(tmp_path, rule(deny="$context.blokced"), header=HEADER + BLOCKED)


@pytest.mark.parametrize(
    ("given_context", "message"),
    [
        ('blocked = "true"', "expected bool, found a string"),
        ("blokced = true", "did you mean blocked"),
        ('hour = "3"', "expected number, found a string"),
    ],
)
def test_an_example_of_another_type_does_not_load(
    tmp_path: Path, given_context: str, message: str
) -> None:
    """An example shows the rule what a run can give it, and nothing else."""
    test = (
        'tests = [{ name = "t", expect = "fail", change = { type = "a_b", after = {} }, '
        f"context = {{ {given_context} }} }}]"
    )
    with pytest.raises(RulesetError, match=message):
        ruleset(tmp_path, rule(deny="$context.blocked", more=test), header=HEADER + BLOCKED)


def test_a_fact_that_nothing_gives_is_an_evaluation_error(tmp_path: Path) -> None:
    """Without a value and without a default, the rule that reads it cannot pass."""
    loaded = _declared(tmp_path, "bool")
    decision = evaluate(plan(change(after={})), [loaded], context())
    assert [outcome.outcome for outcome in decision.outcomes] == [OutcomeKind.ERROR]


@pytest.mark.parametrize("more", ["default = false", "required = false"])
def test_a_default_stands_in(tmp_path: Path, more: str) -> None:
    """With a default, or where it is not required, the rule decides without a value."""
    decision = evaluate(plan(change(after={})), [_declared(tmp_path, "bool", more)], context())
    assert decision.outcomes == ()
    given = context(facts={"blocked": True})
    decision = evaluate(plan(change(after={})), [_declared(tmp_path, "bool", more)], given)
    assert [outcome.outcome for outcome in decision.outcomes] == [OutcomeKind.FAIL]


def _gate(folder: Path, *rulesets: str) -> None:
    for number, text in enumerate(rulesets):
        (folder / f"r{number}.toml").write_text(text, encoding="utf-8")
    sources = ", ".join(f'"./r{number}.toml"' for number in range(len(rulesets)))
    (folder / "tfgate.toml").write_text(
        f'[gate]\nrulesets = [{sources}]\n[audit]\nlog = "trail.jsonl"\n', encoding="utf-8"
    )
    (folder / "plan.json").write_bytes(plan_bytes(change(after={})))


@pytest.mark.parametrize(
    ("text", "code"),
    [("blocked=true", 1), ("blocked=false", 0), ("blocked=maybe", 2), ("blokced=true", 2)],
)
def test_the_command_line_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, code: int
) -> None:
    """``--context blocked=true`` fires a rule on the boolean, and a mistake is exit code 2."""
    monkeypatch.chdir(tmp_path)
    _gate(tmp_path, HEADER + BLOCKED + RULE)
    assert main(["check", "plan.json", "--context", text]) == code


def test_two_rulesets_with_different_types_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One text cannot be a boolean for one ruleset and a string for another: both are named."""
    monkeypatch.chdir(tmp_path)
    other = HEADER.replace('"test"', '"other"') + BLOCKED.replace("bool", "string")
    _gate(tmp_path, HEADER + BLOCKED + RULE, other + RULE.replace("T-1", "O-1"))
    assert main(["check", "plan.json", "--context", "blocked=true"]) == 2
    said = capsys.readouterr().err
    assert "test" in said
    assert "other" in said
