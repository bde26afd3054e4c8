"""Variables of rules: objects, the rule's let, and the ruleset's own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.plans import HEADER, change, context, plan, rule, ruleset
from tfgate.engine.evaluate import evaluate
from tfgate.errors import RulesetError
from tfgate.query import Expression
from tfgate.report.view import remediations

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

PARAMS = """
[params.max]
type = "number"
default = 2
description = "Most"
[params.my-list]
type = "list(string)"
default = ["a"]
description = "Names"
[data.accounts]
[context.ticket]
type = "string"
default = ""
"""
SHARED = """
[let]
is_prod = "$context.workspace == 'prod'"
open = "after.ports[?@ < $params.max]"
both = "$is_prod && $open"
"""


def _messages(folder: Path, rules: str, *, header: str = HEADER, **after: Any) -> list[str]:
    loaded = ruleset(folder, rules, header=header)
    decision = evaluate(plan(change(after=after)), [loaded], context())
    return [outcome.message for outcome in decision.outcomes]


@pytest.mark.parametrize(
    ("deny", "message"),
    [
        ("$typo", "no variable $typo"),
        ("$params.mix", 'did you mean "max"'),
        ("$params.mix[0]", "$params.mix is no parameter"),
        ("$data.acounts.x", 'did you mean "accounts"'),
        ("$context.tickt", 'did you mean "ticket"'),
        ("after.x[?@ > $params.mx]", "$params.mx is no parameter"),
        ("let $p = $params.mx in $p", "$params.mx is no parameter"),
        ("$params", "$params needs a name behind it"),
        ("keys($context)", "$context needs a name behind it"),
        ("param('max')", "param() is no function any more: write $params.max"),
        ("!param('max')", "write ($params.max)"),
        ("after.x == var('open')", "write $open"),
        ("context('ticket') && data('accounts')", "write $data.accounts"),
        ("param(after.x)", "write $params.NAME"),
    ],
)
def test_an_unknown_name_does_not_load(tmp_path: Path, deny: str, message: str) -> None:
    """A misspelt name is null, and a rule on it never fires: it is refused by its place."""
    with pytest.raises(RulesetError) as error:
        ruleset(tmp_path, rule(deny=deny), header=HEADER + PARAMS)
    assert message in str(error.value)
    assert "rules[0].deny: column" in str(error.value)


@pytest.mark.parametrize(
    ("let", "message"),
    [
        ('params = "after"', "tfgate's own"),
        ('"my-name" = "after"', "letters, digits and _"),
        ('open = "after"', "in the ruleset's [let] already"),
        ('a = "$b"\nb = "[$a]"', "$a → $b → $a"),
        ('a = "$a"', "$a → $a"),
    ],
)
def test_names_of_let_are_checked(tmp_path: Path, let: str, message: str) -> None:
    """A name has one meaning in a rule, and no value is made of itself."""
    table = f"[rules.let]\n{let}\n"
    with pytest.raises(RulesetError) as error:
        ruleset(tmp_path, rule(deny="after", more=table), header=HEADER + PARAMS + SHARED)
    assert message in str(error.value)


def test_a_circle_in_the_rulesets_let_is_refused(tmp_path: Path) -> None:
    """The circle is named, whether a rule uses it or not."""
    header = HEADER + '[let]\na = "$b || `1`"\nb = "$c"\nc = "$a"\n'
    with pytest.raises(RulesetError, match="refers to itself"):
        ruleset(tmp_path, rule(deny="after"), header=header)


def test_every_rule_sees_the_rulesets_let(tmp_path: Path) -> None:
    """Rules share names, which may use parameters, facts, the subject and each other."""
    header = HEADER + PARAMS + SHARED
    rules = rule("T-1", deny="$open", message="{item} is open") + rule("T-2", require="$both")
    assert _messages(tmp_path, rules, header=header, ports=[1, 5]) == [
        "1 is open",
        "aws_s3_bucket.logs is wrong",
    ]


def test_a_shared_value_reads_what_the_rules_subject_has(tmp_path: Path) -> None:
    """A rule on the plan that uses a value of a resource does not load."""
    header = HEADER + PARAMS + SHARED
    with pytest.raises(RulesetError, match=r"\$open, which the rule uses: after is no field"):
        ruleset(tmp_path, rule(scope="plan", deny="$open", message="m"), header=header)


def test_a_shared_value_of_no_subject_is_evaluated_once_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no subject has a part in is evaluated once, the rest once a subject."""
    header = HEADER + PARAMS + SHARED
    rules = rule("T-1", deny="$both") + rule("T-2", deny="$is_prod || $open")
    loaded = ruleset(tmp_path, rules, header=header)
    evaluated: list[str] = []
    judge = Expression.judge

    def counted(self: Expression, *arguments: Any, **more: Any) -> Any:
        evaluated.append(self.text)
        return judge(self, *arguments, **more)

    monkeypatch.setattr(Expression, "judge", counted)
    changes = [change(f"aws_s3_bucket.b{n}", after={"ports": [7]}) for n in range(5)]
    evaluate(plan(*changes), [loaded], context())
    assert evaluated.count("$context.workspace == 'prod'") == 1
    assert evaluated.count("after.ports[?@ < $params.max]") == 5


def test_objects_have_what_the_configuration_says(tmp_path: Path) -> None:
    """Parameters, data and facts are members of objects, names with a dash in quotes."""
    deny = '[$params.max, $params."my-list"[0], $data.accounts.prod, $context.hour]'
    loaded = ruleset(tmp_path, rule(deny=deny, message="{item}"), header=HEADER + PARAMS)
    given = context(data={"test": {"accounts": {"prod": 7}}}, params={"test": {"max": 3}})
    decision = evaluate(plan(change(after={})), [loaded], given)
    assert [outcome.message for outcome in decision.outcomes] == ["3", "a", "7", "12"]


def test_a_message_says_the_number(tmp_path: Path) -> None:
    """Messages and remediations compute: counts, bounds, joined names, members of an element."""
    header = HEADER + PARAMS
    more = 'let = { missing = "after.wanted[?!contains($.after.tags, @)]" }'
    rules = rule(
        deny="$missing",
        message="{length($missing)} of {$params.max}: {join(', ', $missing)} ({@item})",
        more=more,
    ).replace('"Mend it."', '"Add {item} to {address}, as in tags = { a = 1 }."')
    loaded = ruleset(tmp_path, rules, header=header)
    after = {"wanted": ["a", "b"], "tags": []}
    decision = evaluate(plan(change(after=after)), [loaded], context())
    assert [outcome.message for outcome in decision.outcomes] == [
        "2 of 2: a, b (a)",
        "2 of 2: a, b (b)",
    ]
    assert [outcome.remediation for outcome in decision.outcomes] == [
        "Add a to aws_s3_bucket.logs, as in tags = { a = 1 }.",
        "Add b to aws_s3_bucket.logs, as in tags = { a = 1 }.",
    ]


def test_reports_say_each_remediation(tmp_path: Path) -> None:
    """A remediation that names the element is said for each element, and one for all once."""
    own = rule("T-1", deny="after.l", message="{item}").replace('"Mend it."', '"Drop {item}."')
    same = rule("T-2", deny="after.l", message="{item}")
    loaded = ruleset(tmp_path, own + same)
    found = evaluate(plan(change(after={"l": ["a", "b"]})), [loaded], context()).outcomes
    by_rule = {id_: [o for o in found if o.rule == id_] for id_ in ("T-1", "T-2")}
    assert remediations(by_rule["T-1"]) == ["Drop a.", "Drop b."]
    assert remediations(by_rule["T-2"]) == ["Mend it."]


@pytest.mark.parametrize(
    ("message", "problem"),
    [
        ("{element}", "{@item} is the element of the deny list"),
        ("{adress}", 'did you mean "address"'),
        ("{$parms.max}", "$params"),
        ("{$params.mox}", "$params.mox is no parameter"),
        ("{referenced_by('aws_vpc')}", "give its result a name in let"),
        ("{length(}", "column 8"),
        ("{param('max')}", "write $params.max"),
    ],
)
def test_a_wrong_placeholder_says_what_was_meant(
    tmp_path: Path, message: str, problem: str
) -> None:
    """What is no field, no variable or not cheap in a message is named by its place."""
    with pytest.raises(RulesetError) as error:
        ruleset(tmp_path, rule(deny="after.x", message=message), header=HEADER + PARAMS)
    assert problem in str(error.value)
    assert "rules[0].message: column" in str(error.value)
