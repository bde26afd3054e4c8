"""Waivers: what they silence, and when they are findings themselves."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from tests.support.plans import NOW, change, context, plan, rule, ruleset
from tfgate.engine import waivers as waive
from tfgate.engine.evaluate import evaluate
from tfgate.engine.waivers import Looked, Waivers
from tfgate.model.decision import Decision, OutcomeKind, Verdict, Waiver

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

TODAY = NOW.date()


def waiver(**more: Any) -> Waiver:
    """Return a waiver of rule T-1 on everything, for a year."""
    return Waiver(
        **{
            "rule": "T-1",
            "address": "*",
            "reason": "load test",
            "owner": "team@tfgate.example",
            "expires": TODAY + dt.timedelta(days=365),
            "source": "tfgate.toml: waivers[0]",
            **more,
        }
    )


def judged(folder: Path, *waivers: Waiver, rules: str | None = None, **more: Any) -> Decision:
    """Evaluate a rule that fails on the bucket ``logs``."""
    loaded = ruleset(folder, rules or rule(require="after.ok"))
    return evaluate(plan(change(after={})), [loaded], context(waivers=waivers, **more))


def test_waived_stays_visible(tmp_path: Path) -> None:
    """A waived failure does not deny, and stands in the decision with its waiver."""
    decision = judged(tmp_path, waiver(address="aws_s3_bucket.*"))
    (outcome,) = decision.outcomes
    assert decision.verdict is Verdict.ALLOW
    assert outcome.outcome is OutcomeKind.WAIVED
    assert outcome.waiver is not None
    assert outcome.waiver.reason == "load test"


def test_last_day_counts(tmp_path: Path) -> None:
    """A waiver holds on the day it expires, and not on the day after."""
    assert judged(tmp_path, waiver(expires=TODAY)).verdict is Verdict.ALLOW
    late = judged(tmp_path, waiver(expires=TODAY - dt.timedelta(days=1)))
    assert late.verdict is Verdict.DENY
    assert "TFGATE-WAIVER-EXPIRED" in {outcome.rule for outcome in late.outcomes}


def test_other_address_is_not_waived(tmp_path: Path) -> None:
    """A waiver for another address waives nothing, and the decision says so."""
    decision = judged(tmp_path, waiver(address="aws_s3_bucket.other"))
    assert decision.verdict is Verdict.DENY
    assert any("waived nothing" in warning for warning in decision.warnings)


def test_unknown_rule_and_missing_reason_are_findings(tmp_path: Path) -> None:
    """A waiver of a rule that does not exist, or without a reason, is a finding of its own."""
    decision = judged(tmp_path, waiver(rule="T-9"), waiver(reason=" "))
    assert decision.verdict is Verdict.DENY
    found = {outcome.rule for outcome in decision.outcomes}
    assert {"TFGATE-WAIVER-UNKNOWN-RULE", "TFGATE-WAIVER-NO-REASON"} <= found


def test_comment_may_waive_only_what_the_gate_permits(tmp_path: Path) -> None:
    """A comment does not waive a hard-mandatory rule unless the gate's configuration says so."""
    comment = waiver(kind="comment", source="main.tf:3", address="aws_s3_bucket.logs")
    refused = judged(tmp_path, comment)
    assert refused.verdict is Verdict.DENY
    assert "TFGATE-WAIVER-NOT-PERMITTED" in {outcome.rule for outcome in refused.outcomes}
    soft = judged(tmp_path, comment, rules=rule(require="after.ok", enforcement="soft-mandatory"))
    assert soft.verdict is Verdict.ALLOW


def test_error_is_not_waivable(tmp_path: Path) -> None:
    """A rule that could not be evaluated denies, waiver or not."""
    decision = judged(tmp_path, waiver(), rules=rule(deny="abs(address)"))
    assert decision.verdict is Verdict.DENY
    assert decision.outcomes[0].outcome is OutcomeKind.ERROR


def test_end_is_announced(tmp_path: Path) -> None:
    """A waiver that ends soon is announced."""
    decision = judged(tmp_path, waiver(expires=TODAY + dt.timedelta(days=3)))
    assert any("ends on" in warning for warning in decision.warnings)


def test_how_early_is_configured(tmp_path: Path) -> None:
    """The gate's configuration says how many days before its end a waiver is announced."""
    late = waiver(address="aws_s3_bucket.*", expires=TODAY + dt.timedelta(days=30))
    assert judged(tmp_path, late).warnings == ()
    (warning,) = judged(tmp_path, late, waiver_notice_days=30).warnings
    assert "ends on" in warning


def test_over_broad_is_announced(tmp_path: Path) -> None:
    """A waiver whose rule or address is nothing but wildcards works, and is called over-broad."""
    decision = judged(tmp_path, waiver(rule="?*", address="*"))
    assert decision.verdict is Verdict.ALLOW
    (warning,) = decision.warnings
    assert warning.endswith("is over-broad: it names no rule and no address.")


def test_waivers_are_not_looked_for_in_millions_of_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is left is not waived, and a warning says why."""
    monkeypatch.setattr(waive, "PLACES", 5)
    outcome = judged(tmp_path).outcomes[0]
    waivers = Waivers(context(waivers=[waiver()]))
    places = ["module.a.aws_x.b", "module.b.aws_x.b"]
    assert [waivers.apply(outcome, places).outcome for _ in range(4)] == [
        OutcomeKind.WAIVED, OutcomeKind.WAIVED, OutcomeKind.FAIL, OutcomeKind.FAIL
    ]  # fmt: skip
    assert waivers.apply(outcome).outcome is OutcomeKind.WAIVED
    looked = Looked([], None, [])
    assert [one for one in waivers.warnings(looked) if "more than 5 places" in one]
