"""What a plan and rules come to: selection, unknown values, redaction, order."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tests.support.plans import change, context, plan, rule, ruleset
from tfgate.engine.evaluate import evaluate
from tfgate.model.decision import Decision, OutcomeKind, Verdict
from tfgate.model.rule import Enforcement

if TYPE_CHECKING:
    from pathlib import Path

REQUIRE_OWNER = rule(require="after.tags.Owner", message="{address}: no owner")


def judged(folder: Path, rules: str, *changes: dict[str, Any], **more: Any) -> Decision:
    """Evaluate rules on changes."""
    settings = more.pop("settings", {})
    return evaluate(plan(*changes, **more), [ruleset(folder, rules)], context(**settings))


def kinds(decision: Decision) -> dict[str, str]:
    """Return the outcome per address."""
    found = {outcome.address: outcome.outcome.value for outcome in decision.outcomes}
    for addresses in decision.passed.values():
        found.update(dict.fromkeys(addresses, "pass"))
    return found


def test_pass_fail_unknown(tmp_path: Path) -> None:
    """One rule passes, fails and is unknown on three resources of one plan."""
    decision = judged(
        tmp_path,
        REQUIRE_OWNER,
        change("aws_s3_bucket.good", after={"tags": {"Owner": "me"}}),
        change("aws_s3_bucket.bad", after={"tags": {"Name": "x"}}),
        change("aws_s3_bucket.later", after={}, after_unknown={"tags": True}),
    )
    assert kinds(decision) == {
        "aws_s3_bucket.good": "pass",
        "aws_s3_bucket.bad": "fail",
        "aws_s3_bucket.later": "unknown",
    }
    assert decision.verdict is Verdict.DENY


def test_unknown_names_what_is_unknown(tmp_path: Path) -> None:
    """An unknown outcome says which values are not known yet."""
    later = change(after={"tags": {}}, after_unknown={"tags": {"Owner": True}})
    (outcome,) = judged(tmp_path, REQUIRE_OWNER, later).outcomes
    assert "after.tags.Owner not known yet" in outcome.message


@pytest.mark.parametrize(
    ("enforcement", "more", "blocked", "obligations"),
    [
        ("hard-mandatory", "", True, 0),
        ("soft-mandatory", "", False, 1),
        ("advisory", "", False, 1),
        ("hard-mandatory", 'on_unknown = "verify"', False, 1),
        ("soft-mandatory", 'on_unknown = "deny"', True, 0),
        ("hard-mandatory", 'on_unknown = "allow"', False, 0),
    ],
)
def test_on_unknown(
    tmp_path: Path, enforcement: str, more: str, blocked: bool, obligations: int
) -> None:
    """Unknown denies for hard-mandatory rules and is owed otherwise, unless the rule says."""
    rules = rule(require="after.arn == 'x'", enforcement=enforcement, more=more)
    decision = judged(tmp_path, rules, change(after={}, after_unknown={"arn": True}))
    assert (decision.verdict is Verdict.DENY) is blocked
    assert len(decision.obligations) == obligations


def test_definite_sibling_fails_beside_an_unknown_one(tmp_path: Path) -> None:
    """An element whose list is unknown hides no definite match, though it might raise."""
    rules = rule(deny="after.ingress[?contains(cidr_blocks, '0.0.0.0/0')]")
    group = change(
        "aws_security_group.web",
        after={"ingress": [{"from_port": 1}, {"cidr_blocks": ["0.0.0.0/0"]}]},
        after_unknown={"ingress": [{"cidr_blocks": True}, {"cidr_blocks": [False]}]},
    )
    assert kinds(judged(tmp_path, rules, group)) == {"aws_security_group.web": "fail"}


def test_raising_rule_denies_and_is_named(tmp_path: Path) -> None:
    """A rule that raises is an error that denies even as advisory, with file, key and column."""
    rules = rule(deny="length(after.count) > `1`", enforcement="advisory")
    decision = judged(tmp_path, rules, change(after={"count": 98765432}))
    (outcome,) = decision.outcomes
    assert outcome.outcome is OutcomeKind.ERROR
    assert decision.verdict is Verdict.DENY
    assert "rules.toml" in outcome.message
    assert "T-1" in outcome.message
    assert "deny: column 1:" in outcome.message
    assert "98765432" not in outcome.message


def test_when_narrows(tmp_path: Path) -> None:
    """A falsy ``when`` leaves no outcome at all; a rule that never applies is not evaluated."""
    rules = rule(require="after.tags", when="after.kind == 'special'")
    decision = judged(tmp_path, rules, change(after={"kind": "plain"}))
    assert kinds(decision) == {}
    assert decision.undecided


def test_unknown_when_is_unknown_unless_it_passes_anyway(tmp_path: Path) -> None:
    """Whether a rule applies may be unknown; where it would pass anyway that does not matter."""
    rules = rule(require="after.ok", when="after.kind == 'special'")
    later = {"after_unknown": {"kind": True}}
    decision = judged(
        tmp_path,
        rules,
        change("aws_s3_bucket.passes", after={"ok": True}, **later),
        change("aws_s3_bucket.fails", after={"ok": False}, **later),
    )
    assert kinds(decision) == {"aws_s3_bucket.passes": "pass", "aws_s3_bucket.fails": "unknown"}


def test_actions_default_to_what_will_exist(tmp_path: Path) -> None:
    """A rule without actions looks at create, update and replace, in each spelling."""
    state: dict[str, Any] = {"before": {}, "after": {}}
    changes = [
        change(f"aws_s3_bucket.a{number}", actions, **state)
        for number, actions in enumerate(
            [["create"], ["update"], ["delete", "create"], ["create", "delete"],
             ["create", "forget"], ["delete"], ["no-op"], ["read"], ["forget"]]
        )
    ]  # fmt: skip
    decision = judged(tmp_path, REQUIRE_OWNER, *changes)
    assert sorted(kinds(decision)) == [f"aws_s3_bucket.a{number}" for number in range(5)]


def test_evaluate_all_adds_the_unchanged_to_rules_on_what_exists(tmp_path: Path) -> None:
    """``evaluate = "all"`` widens rules on what exists, and leaves rules on deletions alone."""
    rules = REQUIRE_OWNER + rule("T-2", deny="`true`", more='match = { actions = ["delete"] }')
    same = change(actions=["no-op"], before={}, after={})
    decision = judged(tmp_path, rules, same, settings={"evaluate_all": True})
    assert [(o.rule, o.address) for o in decision.outcomes] == [("T-1", "aws_s3_bucket.logs")]


def test_deposed_objects_are_not_judged_as_live(tmp_path: Path) -> None:
    """A deposed object is seen by rules on deletions alone, and is told apart in the outcome."""
    rules = rule("T-2", deny="`true`", more='match = { actions = ["delete", "update"] }')
    live = change(actions=["update"], before={}, after={})
    old = change(actions=["delete"], before={}, deposed="ab12cd34")
    decision = judged(tmp_path, rules, live, old)
    assert [(o.address, o.deposed) for o in decision.outcomes] == [
        ("aws_s3_bucket.logs", None),
        ("aws_s3_bucket.logs", "ab12cd34"),
    ]


@pytest.mark.parametrize(
    ("match", "selected"),
    [
        ('types = ["aws_s3_*"]', True),
        ('types = ["aws_db_*"]', False),
        ('modules = ["module.net*"]', True),
        ('modules = [""]', False),
        ('providers = ["aws"]', True),
        ('providers = ["registry.terraform.io/hashicorp/*"]', True),
        ('providers = ["google"]', False),
        ('addresses = ["module.net[\\"a\\"].*"]', True),
        ('names = ["log?"]', True),
        ('names = ["other"]', False),
    ],
)
def test_match(tmp_path: Path, match: str, selected: bool) -> None:
    """Each key of ``match`` selects by glob, brackets in addresses taken literally."""
    one = change('module.net["a"].aws_s3_bucket.logs', after={})
    decision = judged(
        tmp_path,
        rule(require="after.x", more=f"match = {{ {match} }}"),
        one,
        settings={"allow_empty": True},
    )
    assert bool(kinds(decision)) is selected


def test_deny_list_gives_one_finding_an_element(tmp_path: Path) -> None:
    """Each element of a ``deny`` list is a finding of its own, with the element in its message."""
    rules = rule(deny="after.ingress[?open]", message="{address}: port {@item.port}")
    group = change(after={"ingress": [{"open": True, "port": 22}, {"open": True, "port": 3389}]})
    decision = judged(tmp_path, rules, group)
    assert [(o.item, o.message) for o in decision.outcomes] == [
        (0, "aws_s3_bucket.logs: port 22"),
        (1, "aws_s3_bucket.logs: port 3389"),
    ]
    assert len({o.fingerprint for o in decision.outcomes}) == 2


SECRET = "hunter2-canary"


@pytest.mark.parametrize(
    "rules",
    [
        rule(deny="after.password", message="{after.password}"),
        rule(deny="[after.password]", message="{@item}"),
        rule(deny="[to_array(after.password)[0]]", message="got {@item}"),
        rule(deny="[join('', ['x', after.password])]", message="got {@item}"),
        rule(deny="after.list[?password == 'hunter2-canary'].password", message="got {@item}"),
        rule(deny="length(after.password) > `1` && values(after)[]", message="got {@item}"),
        rule(deny="[$p]", message="got {@item}", more='let = { p = "after.password" }'),
        rule(deny="abs(after.password)", message="{address}"),
    ],
)
def test_no_sensitive_value_in_a_decision(tmp_path: Path, rules: str) -> None:
    """However a rule takes a sensitive value apart, nothing of it gets into the decision."""
    one = change(
        after={"password": SECRET, "list": [{"password": SECRET}], "name": "shown"},
        after_sensitive={"password": True, "list": [{"password": True}]},
    )
    decision = judged(tmp_path, rules, one)
    assert decision.outcomes, "the rule must have fired"
    assert SECRET.encode() not in msgspec.json.encode(decision)


def test_items_of_a_change_with_secrets_elsewhere_are_shown(tmp_path: Path) -> None:
    """Elements that depend on no sensitive value are shown, though the resource has one."""
    one = change(after={"password": SECRET, "ports": [22, 80]}, after_sensitive={"password": True})
    decision = judged(tmp_path, rule(deny="after.ports[?@ == `22`]", message="port {@item}"), one)
    assert [o.message for o in decision.outcomes] == ["port 22"]


def test_order_does_not_matter(tmp_path: Path) -> None:
    """Rules and changes in any order give the same decision."""
    changes = [
        change(f"aws_s3_bucket.b{number}", after={"tags": {}, "n": number}) for number in range(8)
    ]
    rules = [rule(f"T-{number}", deny=f"after.n > `{number}`") for number in range(5)]
    expected = judged(tmp_path, "".join(rules), *changes)
    shuffled = random.Random(7)
    for _ in range(5):
        shuffled.shuffle(rules)
        shuffled.shuffle(changes)
        again = judged(tmp_path, "".join(rules), *changes)
        assert (again.outcomes, again.passed, again.reasons) == (
            expected.outcomes,
            expected.passed,
            expected.reasons,
        )


def test_levels_of_the_configuration_are_in_force(tmp_path: Path) -> None:
    """A level from the configuration replaces the rule's own."""
    settings = {"levels": {"T-1": Enforcement.ADVISORY}}
    decision = judged(tmp_path, REQUIRE_OWNER, change(after={}), settings=settings)
    assert decision.verdict is Verdict.ALLOW
    assert decision.outcomes[0].enforcement is Enforcement.ADVISORY


def test_plan_scope_sees_counts(tmp_path: Path) -> None:
    """A rule on the plan sees how many changes of which kind there are."""
    rules = rule(scope="plan", deny="counts.delete > `1`", message="{counts.delete} deletions")
    changes = [change(f"aws_s3_bucket.b{n}", ["delete"], before={}) for n in range(2)]
    (outcome,) = judged(tmp_path, rules, *changes).outcomes
    assert (outcome.address, outcome.message) == ("plan", "2 deletions")


def test_a_fact_that_nothing_gave_is_an_error(tmp_path: Path) -> None:
    """A rule that reads a fact without a value is an error, never a null that passes."""
    decision = judged(tmp_path, rule(deny="$context.pull == '1'"), change(after={}))
    assert decision.outcomes[0].outcome is OutcomeKind.ERROR
    assert "pull" in decision.outcomes[0].message


def test_changed(tmp_path: Path) -> None:
    """``changed`` compares both sides at a path, and is unknown where one is."""
    rules = rule(deny="changed('tags.Owner')")
    before = {"tags": {"Owner": "a"}}
    decision = judged(
        tmp_path,
        rules,
        change("aws_s3_bucket.same", ["update"], {"tags": {"Owner": "a"}}, before=before),
        change("aws_s3_bucket.other", ["update"], {"tags": {"Owner": "b"}}, before=before),
        change("aws_s3_bucket.later", ["update"], {"tags": {}}, before=before,
               after_unknown={"tags": {"Owner": True}}),
    )  # fmt: skip
    assert kinds(decision) == {
        "aws_s3_bucket.same": "pass",
        "aws_s3_bucket.other": "fail",
        "aws_s3_bucket.later": "unknown",
    }
