"""``html``: one page to keep or to send. Self-contained: no script, no network, nothing loaded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from tfgate.model.decision import Decision, Outcome, OutcomeKind
from tfgate.report import view
from tfgate.report.escape import link, paragraphs
from tfgate.report.interface import ReportContext
from tfgate.report.page import render_page


def render(decision: Decision, context: ReportContext) -> str:
    """Render the page; its template is ``report.html``."""
    groups = view.group(decision)
    return render_page(
        "tfgate.report",
        "report.html",
        styles=("report.css",),
        view=view,
        remedy=_remedy,
        decision=decision,
        groups=groups,
        word=view.verdict_word(decision).capitalize(),
        about=_about(decision, context),
        next_steps=tuple(view.next_steps(decision, groups)),
        passed=sorted(decision.passed.items()),
        passed_number=sum(map(len, decision.passed.values())),
        basis=_basis(decision, context),
    )


class _Remedy(NamedTuple):
    lines: Sequence[str] = ()
    links: Sequence[str] = ()
    controls: Sequence[str] = ()


def _remedy(rule: Outcome, members: Sequence[Outcome]) -> _Remedy:
    """Say what to do and where to read on; a broken rule gives no advice on the plan."""
    if all(outcome.outcome is OutcomeKind.ERROR for outcome in members):
        return _Remedy()
    return _Remedy(
        lines=[line for text in view.remediations(members) for line in paragraphs(text)],
        links=[url for url in rule.references if link(url)],
        controls=[f"{name} {key}" for name, keys in sorted(rule.controls.items()) for key in keys],
    )


def _about(decision: Decision, context: ReportContext) -> dict[str, str]:
    where, who, plan = decision.workspace, decision.operator, decision.plan
    state = "/".join(where.identity.values())
    word, which = view.what(decision, context.plan_name)
    facts = {
        "Workspace": f"{where.name} (from {where.source})",
        "State": f"{where.backend} {state}".strip() if where.backend else "",
        "Operator": view.operator(who),
        word.capitalize(): which,
        "Terraform": plan.terraform_version or "",
        "Outcomes": view.tally(decision),
        "Run": (decision.run.url or decision.run.id or "") if decision.run else "",
        "Commit": (decision.run.commit or "") if decision.run else "",
        "Made": context.now.isoformat(timespec="seconds") if context.now else "",
    }
    return {name: fact for name, fact in facts.items() if fact}


def _basis(decision: Decision, context: ReportContext) -> dict[str, str]:
    """Say what the verdict rests on, pinned by digests."""
    facts = {name: f"SHA-256 {digest}" for name, digest in view.digests(decision).items()}
    if context.audit is not None:
        facts["Record"] = context.audit.shown
    if context.decision_id is not None:
        facts["Decision"] = context.decision_id
    facts["tfgate"] = context.tfgate_version
    return facts
