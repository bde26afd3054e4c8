"""Obligations, judged once the values are known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.plans import change, context, plan, rule, ruleset
from tfgate.engine.recheck import Obligation, Result, recheck
from tfgate.model.rule import Enforcement, Scope

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.engine.recheck import Checked

ONE = Obligation("T-1", "aws_s3_bucket.logs", action="create")


def judged(folder: Path, text: str, *changes: dict[str, Any], **more: Any) -> Checked:
    """Recheck the obligation ``ONE`` by one rule."""
    rules = [ruleset(folder, text)]
    one = more.pop("obligation", ONE)
    (checked,) = recheck(plan(*changes), rules, context(), [one], **more)
    return checked


@pytest.mark.parametrize(
    ("expression", "result"),
    [("after.ok", Result.MET), ("!(after.ok)", Result.BROKEN), ("abs(address)", Result.BROKEN),
     ("after.arn", Result.UNRESOLVED)],
)  # fmt: skip
def test_results(tmp_path: Path, expression: str, result: Result) -> None:
    """Pass is met; fail and error are broken; what is unknown still is unresolved."""
    now = change(after={"ok": True}, after_unknown={"arn": True})
    checked = judged(tmp_path, rule(require=expression), now)
    assert checked.result is result
    assert checked.blocks is (result is not Result.MET)


def test_a_rule_that_no_longer_applies_is_met(tmp_path: Path) -> None:
    """Where ``when`` turns out false there is nothing left to hold."""
    now = change(after={"kind": "b"})
    text = rule(when="after.kind == 'a'", require="after.ok")
    assert judged(tmp_path, text, now).result is Result.MET


def test_advisory_never_blocks(tmp_path: Path) -> None:
    """A broken advisory rule is told, and fails nothing."""
    checked = judged(tmp_path, rule(deny="`true`", enforcement="advisory"), change(after={}))
    assert (checked.result, checked.blocks) == (Result.BROKEN, False)


def test_subject_that_is_not_there(tmp_path: Path) -> None:
    """What is not there cannot be checked."""
    checked = judged(tmp_path, rule(require="after.ok"))
    assert checked.result is Result.UNRESOLVED
    assert "not in the state" in checked.message


def test_rule_that_is_gone(tmp_path: Path) -> None:
    """A rule that no ruleset has any more leaves the obligation open, and counts as mandatory."""
    checked = judged(tmp_path, rule("T-2", require="after.ok"), change(after={}))
    assert (checked.result, checked.blocks) == (Result.UNRESOLVED, True)
    assert checked.enforcement is Enforcement.HARD_MANDATORY


def test_messages_show_nothing_sensitive(tmp_path: Path) -> None:
    """The message of a broken obligation comes from the redacted view."""
    now = change(after={"arn": "CANARY"}, after_sensitive={"arn": True})
    checked = judged(tmp_path, rule(deny="after.arn", message="is {after.arn}"), now)
    assert checked.message == "is (sensitive)"


@pytest.mark.parametrize(
    ("expression", "action", "result"),
    [
        ("after.ok", "update", Result.MET),
        ("before == null && after.ok", "create", Result.MET),
        ("before == null && after.ok", "update", Result.UNRESOLVED),
        ("config.x == null", "create", Result.UNRESOLVED),
        ("!changed('ok')", "create", Result.UNRESOLVED),
        ("keys(@)", "create", Result.UNRESOLVED),
    ],
)
def test_without_the_plan(tmp_path: Path, expression: str, action: str, result: Result) -> None:
    """From the state alone, rules that look at what only the plan knew are unresolved."""
    one = Obligation("T-1", "aws_s3_bucket.logs", action=action)
    now = change(after={"ok": True})
    checked = judged(tmp_path, rule(require=expression), now, obligation=one, whole=False)
    assert checked.result is result


def test_plan_rules_need_the_plan(tmp_path: Path) -> None:
    """A rule on the whole plan is checked with the plan alone."""
    one = Obligation("T-1", "plan", scope=Scope.PLAN)
    text = rule(scope="plan", require="counts.create == `1`", message="too many")
    now = change(after={})
    assert judged(tmp_path, text, now, obligation=one).result is Result.MET
    assert judged(tmp_path, text, now, obligation=one, whole=False).result is Result.UNRESOLVED
