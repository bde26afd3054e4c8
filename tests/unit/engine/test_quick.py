"""Rules as generated functions: the same outcomes, whenever they come in."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plans import change, context, plan, rule, ruleset
from tfgate.engine import hot, judge
from tfgate.engine.bound import BoundRule, bind
from tfgate.engine.evaluate import evaluate
from tfgate.engine.quick import quick_of
from tfgate.query.codegen import DECLINED

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.model.decision import Decision

RULES = (
    rule("T-1", require="after.tags.Owner"),
    rule("T-2", deny="after.rules[?port == `22` && contains(cidrs, '0.0.0.0/0')]"),
    rule("T-3", deny="after.name == 'bad' || length(after.name) > `5`"),
    rule("T-4", when="after.on", deny="[after.name || 'nothing', after.port] | [?@]"),
    rule(
        "T-5",
        deny="var('open')[?starts_with(name, 'x')].name",
        message="{@item}",
        more='let = { open = "after.rules[?var(\'ports\')]", ports = "after.rules[].port" }',
    ),
    rule("T-6", deny="parse_json(after.policy).Statement[?Effect == 'Allow']"),
    rule("T-7", require="changed('name') && referenced_by('*') == `[]` && context('workspace')"),
    rule("T-8", deny="any(after.rules, &port < `10`) || type(after.port) == 'string'"),
)
AFTER: tuple[dict[str, Any], ...] = (
    {"tags": {"Owner": "me"}, "name": "good", "rules": [], "on": True, "policy": "{}"},
    {"tags": {}, "name": "bad", "on": False, "port": 0, "rules": [{"port": 22, "cidrs": []}]},
    {
        "tags": "none",
        "name": 7,
        "port": "1",
        "policy": '{"Statement": [{"Effect": "Allow"}]}',
        "rules": [{"port": 22, "cidrs": ["0.0.0.0/0"], "name": "xy"}, {"port": 1, "name": "x"}],
    },
    {"rules": "none", "policy": "not JSON", "name": "", "on": "yes"},
    {"rules": [1, None, {"port": None}], "name": None, "on": []},
)
UNKNOWN: tuple[dict[str, Any], ...] = ({}, {"name": True}, {"rules": [True]}, {"tags": True})


def subjects() -> list[dict[str, Any]]:
    """Give resources of all sorts, of which none is known as a whole."""
    return [
        change(f"aws_s3_bucket.b{n}_{m}_{k}", after=after, after_unknown=unknown)
        for k in range(12)
        for n, after in enumerate(AFTER)
        for m, unknown in enumerate(UNKNOWN)
    ]


def judged(folder: Path, rules: str, changes: list[dict[str, Any]]) -> Decision:
    """Evaluate rules on changes."""
    return evaluate(plan(*changes), [ruleset(folder, rules)], context())


@pytest.mark.parametrize("first", [0, 1, 100])
@pytest.mark.parametrize("text", RULES, ids=[f"T-{n}" for n in range(1, len(RULES) + 1)])
def test_outcomes_are_the_same(
    text: str, first: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With functions from the first subject on, from the second, or from the hundredth."""
    monkeypatch.setattr(hot, "WORTH", 1_000_000)
    never = judged(tmp_path, text, subjects())
    monkeypatch.setattr(hot, "WORTH", 0)
    monkeypatch.setattr("tfgate.engine.bound.WARM", first)
    assert judged(tmp_path, text, subjects()) == never


def bound(folder: Path, rules: str) -> BoundRule:
    """Bind one rule."""
    (made,) = bind([ruleset(folder, rules)], context())
    return made


def test_a_rule_that_declines_most_of_the_time_is_evaluated_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions that are asked for nothing take time."""
    kept: list[BoundRule] = []
    monkeypatch.setattr(
        "tfgate.engine.evaluate.bind", lambda *given: kept.extend(bind(*given)) or kept
    )
    unknown = [
        change(f"aws_s3_bucket.b{n}", after={}, after_unknown={"tags": True}) for n in range(400)
    ]
    judged(tmp_path, RULES[0], unknown)
    assert (kept[0].quick, kept[0].judged) == (None, 400)


def test_a_rule_that_is_stopped_stays_stopped(tmp_path: Path) -> None:
    """Whatever its function would say."""
    one = bound(tmp_path, RULES[0])
    one.quick = quick_of(one, None, context())
    assert one.quick is not None
    run = hot.Run(None, context(), total=0)
    arguments: Any = (one, None, {"after": {"tags": {"Owner": "me"}}}, {}, run)
    assert hot.judge_subject(*arguments) is judge.PASSED
    one.meter.left = -1
    assert hot.judge_subject(*arguments).ruling is judge.Ruling.ERROR


@pytest.mark.parametrize(
    "text",
    [
        "after.a[?" + "a[?" * 20 + "b" + "]" * 21,
        " || ".join(f"after.a{n} == '{n}' && after.b{n}" for n in range(300)),
        "not_null(&@, after)",
    ],
    ids=["loops", "lines", "references"],
)
def test_some_rules_have_no_function(text: str, tmp_path: Path) -> None:
    """Python nests so many loops and no more, and a function that takes long to make is none."""
    one = bound(tmp_path, rule(deny=text))
    assert quick_of(one, None, context()) is None


@pytest.mark.parametrize("given", ["(", ["a", "b"], 7, None, {"a": 1}])
@pytest.mark.parametrize(
    "text",
    [
        "matches(after.name, param('p'))",
        "split(after.name, param('p'))",
        "starts_with(after.name, param('p'))",
        "contains(param('p'), after.name)",
        "after.name == param('p') || after.size < param('p')",
        "param('p')[?@ == 'a'] || param('p').a || !param('p')",
        "sort_by(param('p'), &@)",
    ],
)
def test_parameters_of_any_kind(
    text: str, given: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A parameter is written in as it is, also where the rule cannot use it."""
    head = '[ruleset]\nid = "r"\nversion = "1.0.0"\ntitle = "R"\nowners = ["a@b.c"]\n'
    head += '[params.p]\ntype = "any"\ndescription = "P"\ndefault = "a"\n'
    loaded = ruleset(tmp_path, rule(deny=text, message="{@item}"), header=head)
    after: tuple[dict[str, Any], ...] = ({"name": "a", "size": 1}, {"name": None}, {})
    one = plan(*(change(f"aws_s3_bucket.b{n}", after=value) for n, value in enumerate(after)))
    around = context(params={"r": {"p": given}})
    before = evaluate(one, [loaded], around)
    monkeypatch.setattr(hot, "WORTH", 0)
    monkeypatch.setattr("tfgate.engine.bound.WARM", 0)
    assert evaluate(one, [loaded], around) == before


LIST = [f"{n:04}" for n in range(1_000_000)]
DOCUMENT = {
    "after": {
        "list": LIST,
        "lists": [[]] * 1_000_000,
        "few": LIST[:50],
        "name": "x" * 10_000_000,
        "object": dict.fromkeys(LIST, 1),
        "texts": ["x" * 1_000_000] * 40,
    }
}


@pytest.mark.parametrize(
    "text",
    [
        "after.list[?@ == 'x']",
        "after.lists[]",
        "after.list[].a",
        "after.list[:10]",
        "after.object.*",
        "keys(after.object)",
        "values(after.object)",
        "contains(after.list, 'x')",
        "contains(after.name, 'xy')",
        "matches(after.name, 'y')",
        "split(after.name, 'y')",
        "lower(after.name)",
        "to_number(after.name)",
        "to_string(after.list)",
        "parse_json(after.name)",
        "sort(after.list)",
        "any(after.list)",
        "after.list == after.lists",
        "join('', after.texts)",
        "after.few[?map(&@, @) && map(&[@, @], ['a'])]" + ".[@, @]" * 30,
        "after.texts[?@ == var('text')]",
    ],
)
def test_what_takes_long_is_not_for_functions(text: str, tmp_path: Path) -> None:
    """They count few steps: where there may be many, they decline, soon."""
    more = "let = { text = \"join('', [after.texts[0]])\" }"
    one = bound(tmp_path, rule(deny=f"length({text}) > `2` || {text}", more=more))
    quick = quick_of(one, None, context())
    assert quick is not None
    started = time.process_time()
    assert quick(DOCUMENT, {}, None) is DECLINED
    assert time.process_time() - started < 0.1


def test_no_text_of_an_expression_is_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Names and strings are handed to the function as values: nothing in them can be run."""
    seen: list[str] = []

    def look(text: str, *more: Any, **named: Any) -> Any:
        seen.append(text)
        return compile(text, *more, **named)

    monkeypatch.setattr("tfgate.query.codegen.source.compile", look, raising=False)
    evil = "x): import os #"
    text = (
        f'after."{evil}" == \'{evil}\\n\' || after.{{"{evil}": `"{evil}"`}}."{evil}"'
        f" || contains(after.\"{evil}\", '{evil}') || matches(after.name, 'import os')"
    )
    one = bound(tmp_path, rule(deny=text, more=f'let = {{ evil = "after.\\"{evil}\\"" }}'))
    assert quick_of(one, None, context()) is not None
    assert len(seen) == 1
    assert "import" not in seen[0]
