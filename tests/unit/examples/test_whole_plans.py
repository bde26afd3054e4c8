"""Examples and plan tests that give data, variables, facts and whole plans."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from tests.support.plans import HEADER, change, plan_bytes, rule, ruleset
from tfgate.authoring.rule_tests import run_tests
from tfgate.errors import RulesetError
from tfgate.examples.run import run_examples
from tfgate.testing import evaluate, outcomes

DATA = """
[data.cost]
[params.most]
type = "number"
default = 100
description = "Most"
[context.ticket]
type = "string"
"""
OVER = """
[[rules.tests]]
name = "a dear plan fails"
expect = "fail"
change = { type = "a_b", after = {} }
data = { cost = { total = 200 } }

[[rules.tests]]
name = "a cheap plan passes"
expect = "pass"
change = { type = "a_b", after = {} }
data = { cost = { total = 20 } }

[[rules.tests]]
name = "with another bound it passes"
expect = "pass"
change = { type = "a_b", after = {} }
data = { cost = { total = 200 } }
params = { most = 300 }

[[rules.tests]]
name = "without the file it cannot be decided"
expect = "error"
change = { type = "a_b", after = {} }
"""
COST = rule(deny="$data.cost.total > $params.most", more=OVER)


def test_an_example_gives_the_content_of_a_data_file(tmp_path: Path) -> None:
    """A rule on a file that only the configuration names is tested with content of its own."""
    results = list(run_examples(ruleset(tmp_path, COST, header=HEADER + DATA)))
    assert len(results) == 4
    assert [result for result in results if not result.passed] == []


def test_an_example_names_no_other_data_file(tmp_path: Path) -> None:
    """A misspelt name does not load, and the nearest one is shown."""
    misspelt = COST.replace("data = { cost", "data = { cots")
    with pytest.raises(RulesetError, match='did you mean "cost"'):
        ruleset(tmp_path, misspelt, header=HEADER + DATA)


WHOLE = """
[[rules.tests]]
name = "the public bucket of the plan fails"
expect = "fail"
plan = "plans/prod.json"
address = "aws_s3_bucket.public"
message = "aws_s3_bucket.public is wrong"

[[rules.tests]]
name = "its private bucket passes"
expect = "pass"
plan = "plans/prod.json"
address = "aws_s3_bucket.private"

[[rules.tests]]
name = "of all, the worst counts"
expect = "fail"
plan = "plans/prod.json"

[[rules.tests]]
name = "what is not there is skipped"
expect = "skip"
plan = "plans/prod.json"
address = "aws_s3_bucket.none"
"""


@pytest.fixture
def prod(tmp_path: Path) -> Path:
    """Write a whole plan below the ruleset's folder."""
    (tmp_path / "plans").mkdir()
    path = tmp_path / "plans" / "prod.json"
    path.write_bytes(
        plan_bytes(
            change("aws_s3_bucket.public", after={"acl": "public-read"}),
            change("aws_s3_bucket.private", after={"acl": "private"}),
            variables={"stage": {"value": "prod"}},
        )
    )
    return path


def test_an_example_may_be_a_subject_of_a_whole_plan(tmp_path: Path, prod: Path) -> None:
    """The plan that went wrong is the example, and the address says which subject."""
    loaded = ruleset(tmp_path, rule(deny="after.acl == 'public-read'", more=WHOLE))
    results = list(run_examples(loaded))
    assert len(results) == 4
    assert [result for result in results if not result.passed] == []


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ('plan = "p.json"\nchanges = [{ type = "a_b", after = {} }]', "has no changes beside it"),
        ('plan = "p.json"\nvariables = { a = 1 }', "has no variables beside it"),
        ('change = { type = "a_b", after = {} }\naddress = "a_b.c"', "an address names"),
        ("plan = 3", "expected a table"),
    ],
)
def test_a_whole_plan_stands_alone(tmp_path: Path, keys: str, message: str) -> None:
    """What a plan from a file says is not said a second time beside it."""
    test = f'[[rules.tests]]\nname = "t"\nexpect = "fail"\n{keys}\n'
    with pytest.raises(RulesetError, match=message):
        ruleset(tmp_path, rule(deny="after.acl", more=test))


@pytest.mark.parametrize("path", ["../outside.json", "/etc/hostname", "plans/none.json"])
def test_a_whole_plan_is_below_the_ruleset(tmp_path: Path, prod: Path, path: str) -> None:
    """A plan elsewhere, or none, makes the example invalid: it is no outcome."""
    test = f'[[rules.tests]]\nname = "t"\nexpect = "skip"\nplan = "{path}"\n'
    folder = tmp_path / "set"
    folder.mkdir()
    (tmp_path / "outside.json").write_bytes(prod.read_bytes())
    (result,) = run_examples(ruleset(folder, rule(deny="after.acl", more=test)))
    assert (result.got, result.passed) == ("invalid", False)


def test_variables_of_an_example(tmp_path: Path) -> None:
    """A rule on the plan sees the variables that the example gives beside its subject."""
    tests = """
[[rules.tests]]
name = "prod fails"
expect = "fail"
variables = { stage = "prod" }

[[rules.tests]]
name = "dev passes"
expect = "pass"
variables = { stage = "dev" }
"""
    deny = "variables.stage == 'prod'"
    loaded = ruleset(tmp_path, rule(scope="plan", deny=deny, message="prod", more=tests))
    assert [result.passed for result in run_examples(loaded)] == [True, True]


def test_plan_tests_give_the_same(tmp_path: Path) -> None:
    """Tests of whole plans take data, facts, params and variables as examples do."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "cost.toml").write_text(
        dedent("""
        [[tests]]
        name = "a dear plan is denied"
        verdict = "deny"
        data = { cost = { total = 200 } }
        params = { most = 150 }
        context = { ticket = "T-1" }
        variables = { stage = "prod" }
        changes = [{ type = "a_b", after = {} }]
        [[tests.expect]]
        rule = "T-1"
        address = "a_b.example"
        outcome = "fail"
        """)
    )
    report = run_tests(ruleset(tmp_path, COST, header=HEADER + DATA))
    assert [(test.name, test.failures) for test in report.plans] == [("a dear plan is denied", ())]


def test_plan_tests_are_checked_by_type(tmp_path: Path) -> None:
    """A parameter or fact of another type, and an unknown data file, do not load."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "cost.toml").write_text(
        '[[tests]]\nname = "t"\nverdict = "deny"\nparams = { most = "1" }\n'
        "context = { ticket = 1 }\ndata = { cots = 1 }\n"
    )
    with pytest.raises(RulesetError) as error:
        run_tests(ruleset(tmp_path, COST, header=HEADER + DATA))
    assert len(error.value.problems) == 3


def test_a_match_that_is_the_whole_statement_is_proven_by_what_it_does_not_match(
    tmp_path: Path,
) -> None:
    """A rule that fails on whatever it selects needs an example that it does not select."""
    match = 'match = { types = ["aws_db_instance"], actions = ["delete"] }\n'
    fails = """
[[rules.tests]]
name = "a deletion fails"
expect = "fail"
change = { type = "aws_db_instance", before = {} }
"""
    skips = """
[[rules.tests]]
name = "an update is not looked at"
expect = "skip"
change = { type = "aws_db_instance", before = {}, after = {} }
"""
    for expressions in ({"deny": "`true`"}, {"require": "`false`"}, {"deny": "`1` == `1`"}):
        proven = run_tests(ruleset(tmp_path, rule(more=match + fails + skips, **expressions)))
        assert proven.passed, proven.coverage.gaps
        alone = run_tests(ruleset(tmp_path, rule(more=match + fails, **expressions)))
        assert not alone.passed
    other = run_tests(ruleset(tmp_path, rule(more=match + fails + skips, deny="before")))
    assert not other.passed, "a rule that may pass shows it"


def test_python_tests_give_data(tmp_path: Path) -> None:
    """``tfgate.testing.evaluate`` takes the content of data files too."""
    loaded = ruleset(tmp_path, COST, header=HEADER + DATA)
    plan = json.loads(plan_bytes(change(after={})))
    decision = evaluate(plan, loaded, data={"cost": {"total": 200}})
    assert outcomes(decision) == {("T-1", "aws_s3_bucket.logs"): "fail"}
