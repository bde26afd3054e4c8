"""Examples of rules: each becomes a real plan, whatever the rule looks at."""

from __future__ import annotations

# ruff: noqa: E501 - an inline table of TOML is one line
from typing import TYPE_CHECKING

import pytest

from tfgate.engine.functions import rule_functions
from tfgate.examples.run import run_examples
from tfgate.ruleset import load_ruleset

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.examples.run import ExampleResult

HEAD = """
[ruleset]
id = "t"
version = "1.0.0"
title = "T"
owners = ["t@example.com"]
[params.needed]
type = "string"
description = "Needed by another rule"
[params.most]
type = "number"
default = 1
description = "Most"
[context.ticket]
type = "string"
[[rules]]
id = "T-1"
title = "T"
severity = "low"
enforcement = "advisory"
"""


def _run(tmp_path: Path, rule: str) -> list[ExampleResult]:
    path = tmp_path / "t.toml"
    path.write_text(HEAD + rule, encoding="utf-8")
    return list(run_examples(load_ruleset(str(path), functions=rule_functions())))


SCOPES = {
    "resource": """
        deny = "after.a == 'x'"
        message = "{address}"
        tests = [{ name = "t", expect = "fail", change = { type = "aws_vpc", after = { a = "x" } }, message = "aws_vpc.example" }]
        """,
    "type from the match": """
        match = { types = ["aws_*", "google_project"] }
        deny = "`true`"
        message = "{address} of {provider_name}"
        tests = [{ name = "t", expect = "fail", change = {}, message = "google_project.example of registry.terraform.io/hashicorp/google" }]
        """,
    "data source": """
        match = { modes = ["data"], actions = ["read"] }
        deny = "mode == 'data'"
        message = "{address}"
        tests = [{ name = "t", expect = "fail", change = { type = "aws_ami", mode = "data" }, message = "data.aws_ami.example" }]
        """,
    "output": """
        scope = "output"
        deny = "!sensitive"
        message = "{name} {after}"
        tests = [
          { name = "t", expect = "fail", output = { name = "o", after = [1] }, message = "o [1]" },
          { name = "s", expect = "pass", output = { after = "a", after_sensitive = true } },
          { name = "d", expect = "pass", output = { after = "a", config = { sensitive = true } } },
        ]
        """,
    "output that is unknown": """
        scope = "output"
        deny = "after.b == 'x'"
        message = "m"
        tests = [
          { name = "t", expect = "unknown", output = { after = { a = 1 } }, unknown = ["b"] },
          { name = "w", expect = "unknown", output = { after_unknown = true } },
        ]
        """,
    "plan": """
        scope = "plan"
        deny = "counts.delete > $params.most && !complete && variables.v == 'x'"
        message = "{counts.delete} in {workspace}"
        tests = [{ name = "t", expect = "fail", plan = { complete = false, workspace = "w", variables = { v = "x" } }, changes = [{ type = "aws_vpc", repeat = 2, before = {} }], message = "2 in w" }]
        """,
    "plan with drift and more": """
        scope = "plan"
        deny = "length(drift) == `1` && counts.deferred == `1` && outputs[0].name == 'o' && checks && actions"
        message = "m"
        tests = [{ name = "t", expect = "fail", plan = { drift = [{ type = "a_b", before = {}, after = {} }], deferred = [{ type = "a_c", after = {} }], outputs = [{ name = "o", after = 1 }], checks = [{}], actions = [{ type = "a_act" }] } }]
        """,
    "module": """
        scope = "module"
        deny = "source == 'x/y/z' && version_constraint == null"
        message = "{address}"
        tests = [{ name = "t", expect = "fail", module = { name = "net", source = "x/y/z" }, message = "module.net" }]
        """,
    "provider": """
        scope = "provider"
        deny = "!version_constraint"
        message = "{address} {full_name}"
        tests = [{ name = "t", expect = "fail", provider = { name = "aws" }, message = "provider.aws registry.terraform.io/hashicorp/aws" }]
        """,
    "drift": """
        scope = "drift"
        deny = "changed('a')"
        message = "{address} {action}"
        tests = [
          { name = "t", expect = "fail", drift = { type = "a_b", before = { a = 1 }, after = { a = 2 } }, message = "a_b.example update" },
          { name = "gone", expect = "fail", drift = { type = "a_b", before = { a = 1 } }, message = "a_b.example delete" },
        ]
        """,
    "action": """
        scope = "action"
        deny = "config_values.a == 'x'"
        message = "{address}"
        tests = [{ name = "t", expect = "fail", action = { type = "aws_lambda_invoke", config_values = { a = "x" } }, message = "action.aws_lambda_invoke.example" }]
        """,
    "joins": """
        deny = "!referenced_by('aws_b') && !configured('c') && left_to_provider('d')"
        message = "m"
        tests = [
          { name = "alone", expect = "fail", change = { type = "aws_a", after = {} }, unknown = ["d"] },
          { name = "joined", expect = "pass", change = { type = "aws_a", after = {} }, unknown = ["d"], changes = [{ type = "aws_b", after = {}, refers_to = { a = "subject" } }] },
          { name = "set", expect = "pass", change = { type = "aws_a", after = { c = 1 } }, unknown = ["d"] },
          { name = "referring", expect = "pass", change = { type = "aws_a", refers_to = { d = "var.d" } } },
        ]
        """,
    "references": """
        deny = "references()[?address == 'aws_kms_key.k' || config_address == 'aws_kms_key.k']"
        message = "{@item.config_address}"
        tests = [
          { name = "t", expect = "fail", change = { type = "aws_a", refers_to = { key = ["aws_kms_key.k.arn", "aws_kms_key.k"] } }, message = "aws_kms_key.k" },
          { name = "block", expect = "fail", change = { type = "aws_a", after = {}, refers_to = { "b.key" = "aws_kms_key.k" } } },
        ]
        """,
    "context": """
        deny = "$context.hour >= `18` || $context.weekday > `5` || $context.ticket == 'T-1' || $context.date == '2026-02-28'"
        message = "m"
        tests = [
          { name = "noon", expect = "pass", change = { type = "a_b", after = {} }, context = { ticket = "T-2" } },
          { name = "hour", expect = "fail", change = { type = "a_b", after = {} }, context = { hour = 19, ticket = "T-2" } },
          { name = "weekday", expect = "fail", change = { type = "a_b", after = {} }, context = { weekday = 7, ticket = "T-2" } },
          { name = "time", expect = "fail", change = { type = "a_b", after = {} }, context = { time = "2026-01-05T18:30:00Z", ticket = "T-2" } },
          { name = "date", expect = "fail", change = { type = "a_b", after = {} }, context = { date = "2026-02-28", ticket = "T-2" } },
          { name = "fact", expect = "fail", change = { type = "a_b", after = {} }, context = { ticket = "T-1" } },
          { name = "nobody knows", expect = "error", change = { type = "a_b", after = {} } },
        ]
        """,
    "marks": """
        deny = "after.s.x && after.l[1] == null && after.n == null && contains(keys(after), 'n')"
        message = "{after.s}"
        tests = [{ name = "t", expect = "fail", change = { type = "a_b", after = { s = { x = 1 }, l = [1, 2] } }, null = ["n", "l[1]"], sensitive = ["s"], message = "(sensitive)" }]
        """,
    "skipped": """
        match = { types = ["a_b"] }
        deny = "`true`"
        message = "m"
        tests = [{ name = "t", expect = "skip", change = { type = "a_c", after = {} } }]
        """,
    "deposed": """
        match = { actions = ["delete"] }
        deny = "deposed == 'd'"
        message = "m"
        tests = [
          { name = "t", expect = "fail", change = { type = "a_b", deposed = "d", before = {} } },
          { name = "p", expect = "pass", change = { type = "a_b", deposed = "e", before = {} } },
        ]
        """,
}  # fmt: skip


@pytest.mark.parametrize("rule", SCOPES.values(), ids=SCOPES)
def test_example_gives_what_it_says(tmp_path: Path, rule: str) -> None:
    """Whatever a rule looks at, an example of it can be written, with few words."""
    results = _run(tmp_path, rule)
    assert results
    assert [result for result in results if not result.passed] == []


def test_another_outcome_is_told(tmp_path: Path) -> None:
    """A wrong expectation is not passed, and the result says what came instead."""
    (result,) = _run(
        tmp_path,
        """
        deny = "after.a"
        message = "a is {after.a}"
        tests = [{ name = "t", expect = "pass", change = { type = "a_b", after = { a = 1 } } }]
        """,
    )
    assert (result.passed, result.got, result.message) == (False, "fail", "a is 1")


def test_another_message_is_told(tmp_path: Path) -> None:
    """The message is compared where the example says one."""
    (result,) = _run(
        tmp_path,
        """
        deny = "after.a"
        message = "a is {after.a}"
        tests = [{ name = "t", expect = "fail", change = { type = "a_b", after = { a = 1 } }, message = "a is 2" }]
        """,
    )
    assert not result.passed
    assert result.got == result.expected == "fail"


@pytest.mark.parametrize(
    "test",
    [
        'change = { type = "a_b", after = {} }, changes = [{ type = "a_b", after = {} }]',
        'change = { type = "a_b", actions = ["vanish"] }',
        'change = { type = "a_b", after = {} }, context = { hour = 99 }',
    ],
)
def test_an_example_that_makes_no_plan_is_invalid(tmp_path: Path, test: str) -> None:
    """A mistake in an example is no outcome of the rule, and no traceback."""
    (result,) = _run(
        tmp_path,
        f"""
        deny = "after.a"
        message = "m"
        tests = [{{ name = "t", expect = "pass", {test} }}]
        """,
    )
    assert (result.passed, result.got) == (False, "invalid")
    assert result.message


def test_the_worst_outcome_on_the_subject_counts_alone(tmp_path: Path) -> None:
    """What the rule says of the other changes of the example is no matter."""
    results = _run(
        tmp_path,
        """
        deny = "after.a"
        message = "m"
        [[rules.tests]]
        name = "t"
        expect = "pass"
        change = { type = "a_b", after = { a = false } }
        changes = [{ type = "a_b", name = "other", after = { a = true } }]
        """,
    )
    assert [result.got for result in results] == ["pass"]
