"""``text``: for people; the verdict, then what blocks, then all that was let through."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from tfgate.model.decision import Decision, Outcome
from tfgate.model.rule import Severity
from tfgate.report import view
from tfgate.report.escape import clip, console, paragraphs
from tfgate.report.interface import ReportContext
from tfgate.report.layout import Sheet, Span

_SEVERITY_ROLE = {Severity.CRITICAL: "severe", Severity.HIGH: "severe", Severity.MEDIUM: "medium"}
_LONGEST = 2_000
"""Characters of a message that are shown; a longer one is a document, and stands in ``json``."""


def render(decision: Decision, context: ReportContext) -> str:
    """Return the report, wrapped to ``context.width``, in colour where ``context.color`` is set."""
    sheet = Sheet(context.width, color=context.color, unicode=context.unicode)
    groups = view.group(decision)
    _verdict(sheet, decision, groups)
    _about(sheet, decision, context)
    _rules(sheet, "Blocks the apply", groups.blocking)
    _rules(sheet, "Found, does not block", groups.advisory)
    _rules(sheet, "To be checked after the apply", groups.obligations)
    _waived(sheet, groups.waived)
    _sentences(sheet, "Warnings", decision.warnings)
    _basis(sheet, decision, context)
    _sentences(sheet, "What next", view.next_steps(decision, groups))
    return sheet.text()


def _verdict(sheet: Sheet, decision: Decision, groups: view.Groups) -> None:
    word = view.verdict_word(decision)
    role = {"ALLOWED": "allow", "DENIED": "deny", "UNDECIDED": "undecided"}[word]
    sheet.add((word, role), ("  " + view.headline(decision, groups), ""), hang=2)
    for reason in view.causes(decision, groups):
        sheet.add((console(reason), ""), indent=2)


def _about(sheet: Sheet, decision: Decision, context: ReportContext) -> None:
    """Say where, who and what, one fact a line."""
    where, who, plan = decision.workspace, decision.operator, decision.plan
    state = "/".join(where.identity.values())
    backend = f" in {where.backend} {state}".rstrip() if where.backend else ""
    facts = {
        "workspace": f"{where.name}{backend} (from {where.source})",
        "operator": view.operator(who),
    }
    word, which = view.what(decision, context.plan_name)
    facts[word] = which
    if plan.terraform_version:
        facts["terraform"] = plan.terraform_version
    sheet.blank()
    for name, fact in facts.items():
        sheet.add((f"{name:<11}", "quiet"), (console(fact), ""), indent=2, hang=11)


def _rules(sheet: Sheet, heading: str, outcomes: Iterable[Outcome]) -> None:
    """List findings under their rule, which is described once."""
    rules = view.by_rule(outcomes)
    if not rules:
        return
    _heading(sheet, heading, sum(len(members) for _, members in rules))
    for rule, members in rules:
        sheet.blank()
        _rule(sheet, rule)
        for _, findings in groupby(members, key=_place):
            _findings(sheet, list(findings))
        _remedy(sheet, members)


def _place(outcome: Outcome) -> object:
    return outcome.address, outcome.deposed, outcome.action, outcome.location


def _heading(sheet: Sheet, heading: str, number: int) -> None:
    sheet.blank()
    sheet.add((heading, "heading"), (f" ({number:,})", "quiet"))


def _rule(sheet: Sheet, rule: Outcome) -> None:
    sheet.add((console(rule.rule), "rule"), (f"  {console(rule.title)}", ""), indent=2, hang=4)
    sheet.add(
        (rule.severity.value, _SEVERITY_ROLE.get(rule.severity, "")),
        (f" · {rule.enforcement} · {console(rule.ruleset)}", "quiet"),
        indent=4,
    )


def _findings(sheet: Sheet, findings: Sequence[Outcome]) -> None:
    """Write what was found in one place: its name, each message, where it stands."""
    first = findings[0]
    action: Sequence[Span] = ((f"  ({console(first.action)})", "quiet"),) if first.action else ()
    sheet.add((console(view.subject(first)), "address"), *action, indent=4, hang=2)
    for outcome in findings:
        sheet.add((console(clip(view.problem(outcome), _LONGEST)), ""), indent=6, hang=2)
        if outcome.override is not None:
            note = clip(view.override_note(outcome), _LONGEST)
            sheet.add((console(note), "quiet"), indent=6, hang=2)
    if first.location is not None:
        sheet.add((f"at {console(first.location.chain())}", "quiet"), indent=6, hang=3)


def _remedy(sheet: Sheet, members: Sequence[Outcome]) -> None:
    lead = "Remedy: "
    for text in view.remediations(members):
        for line in paragraphs(text):
            indent = 4 if lead else 12
            sheet.add((lead, "remedy"), (console(line), ""), indent=indent, hang=12 - indent)
            lead = ""


def _waived(sheet: Sheet, outcomes: Sequence[Outcome]) -> None:
    """Keep in sight what was silenced, by whom and until when."""
    if not outcomes:
        return
    _heading(sheet, "Waived", len(outcomes))
    for outcome in outcomes:
        sheet.add(
            (console(outcome.rule), "rule"),
            (f"  {console(view.subject(outcome))}", "address"),
            indent=2,
            hang=4,
        )
        sheet.add((console(clip(view.problem(outcome), _LONGEST)), ""), indent=6, hang=2)
        sheet.add((console(view.waiver_note(outcome)), "quiet"), indent=6, hang=2)


def _sentences(sheet: Sheet, heading: str, sentences: Iterable[str]) -> None:
    sentences = tuple(sentences)
    if not sentences:
        return
    sheet.blank()
    sheet.add((heading, "heading"))
    for sentence in sentences:
        sheet.add((console(sentence), ""), indent=2, hang=2)


def _basis(sheet: Sheet, decision: Decision, context: ReportContext) -> None:
    """Say what the verdict rests on: outcomes, rulesets, record."""
    sheet.blank()
    sheet.add(("outcomes   ", "quiet"), (view.tally(decision), ""), indent=2, hang=11)
    for ruleset in decision.rulesets:
        used = f"{ruleset.selected} of {view.count(ruleset.rules, 'rule')} applied"
        name = console(f"{ruleset.id} {ruleset.version}: {used} ({ruleset.source})")
        sheet.add(("ruleset    ", "quiet"), (name, ""), indent=2, hang=11)
    if context.audit is not None:
        sheet.add(("record     ", "quiet"), (console(context.audit.shown), ""), indent=2, hang=11)
    if context.decision_id is not None:
        decided = f"{console(context.decision_id)} · tfgate {console(context.tfgate_version)}"
        sheet.add(("decision   ", "quiet"), (decided, ""), indent=2, hang=11)
