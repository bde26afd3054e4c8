"""Targets that are judged: plan JSON, saved plans, states."""

from __future__ import annotations

import functools
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from tests.support.plans import NOW, context, plan_bytes, rule, ruleset
from tfgate.engine.evaluate import evaluate
from tfgate.model.decision import Verdict
from tfgate.plan import read_plan
from tfgate.plan.applied import as_applied, from_state, read_state
from tfgate.plan.archive import archive_plan
from tfgate.report import FORMATS, ReportContext, render
from tfgate.review import html as review_html
from tfgate.review import text as review_text
from tfgate.review.layout import lay_out
from tfgate.terraform.planfile import read_plan_file

if TYPE_CHECKING:
    from tfgate.model.decision import Decision
    from tfgate.plan import Plan
    from tfgate.ruleset import Ruleset

SHOWN = "{address} {type} {after} {before} {config} {@item}"


@functools.cache
def denying() -> Ruleset:
    """Return rules that look at everything, one of which denies every plan there is."""
    rules = [
        rule("ALWAYS", scope="plan", deny="`true`", message="always"),
        rule("PLAN", scope="plan", deny="[@]", message="{@item} {variables} {changes}"),
        rule("WHOLE", deny="[@]", message=SHOWN),
        rule("PARTS", deny="keys(after || `{}`)", message=SHOWN, enforcement="soft-mandatory"),
        rule("JOINS", deny="references('*') || referenced_by('*')", message=SHOWN),
        rule("CHANGED", deny="changed('tags') || configured('tags')", message=SHOWN),
        rule("ALL", deny="[@]", message=SHOWN, enforcement="advisory",
             more='match = { actions = ["create", "update", "delete", "replace", "no-op", "read",'
                  ' "forget"] }'),
        *(rule(f"S-{scope}", scope=scope, deny="[@]", message="{address} {@item}")
          for scope in ("output", "drift", "module", "provider", "action")),
    ]  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        return ruleset(Path(folder), "".join(rules))


def judge(data: bytes) -> tuple[Plan, Decision]:
    """Judge plan JSON by the rules that deny everything. Raises ``TfgateError``."""
    plan = read_plan(data)
    decision = evaluate(plan, [denying()], context())
    assert decision.verdict is Verdict.DENY, "a rule denies every plan"
    assert decision.plan.json_sha256 == hashlib.sha256(data).hexdigest()
    return plan, decision


def plan(data: bytes, _folder: Path) -> None:
    """Judge, report in every format, lay out for review, and pack for the archive."""
    read, decision = judge(data)
    about = ReportContext(tfgate_version="1", now=NOW)
    for name in FORMATS:
        render(name, decision, about).encode()
    review = lay_out(read, decision, {})
    review_text.render(review, about).encode()
    review_html.render(review, about).encode()
    judge(archive_plan(read))


def plan_file(data: bytes, _folder: Path) -> None:
    """Read what a saved plan says of itself."""
    read_plan_file(data)


def state(data: bytes, _folder: Path) -> None:
    """Lay a state over a plan, and make a plan of it."""
    found = read_state(data)
    judge(as_applied(plan_bytes(), found))
    actions = dict.fromkeys(found.resources, "create")
    judge(from_state(found, actions, list(found.outputs)))
