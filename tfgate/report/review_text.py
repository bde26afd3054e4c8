"""The review of a plan in a terminal: what changes, why, and what the rules say beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.model.action import Action
from tfgate.model.review import ChangeKind
from tfgate.report import review_words as words
from tfgate.report import view
from tfgate.report.layout import Sheet
from tfgate.report.neutral import console
from tfgate.report.review_text_diff import DiffWriter, role_of, tied, untied
from tfgate.report.review_text_findings import FindingWriter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.model.review import Review, ReviewedChange
    from tfgate.report.interface import ReportContext

_TYPES: Final = 12
"""Rows of the table of types."""
_VERDICTS: Final = {"ALLOWED": "allow", "DENIED": "deny", "UNDECIDED": "undecided"}


def render(review: Review, context: ReportContext, *, full: bool = False) -> str:
    """Give the review, wrapped to ``context.width``.

    ``full`` leaves nothing folded: long values, texts of many lines, what a deleted object had.
    """
    sheet = Sheet(context.width, color=context.color, unicode=context.unicode)
    _Writer(sheet, context.width, full=full).write(review)
    return untied(sheet.text())


class _Writer:
    def __init__(self, sheet: Sheet, width: int, *, full: bool) -> None:
        self._sheet = sheet
        self._full = full
        self._diffs = DiffWriter(sheet, width, full=full)
        self._findings = FindingWriter(sheet)

    def write(self, review: Review) -> None:
        self._verdict(review)
        self._radius(review)
        self._types(review)
        if review.findings:
            self._heading("On no single change", len(review.findings))
            for outcome in review.findings:
                self._sheet.blank()
                self._findings.write(outcome, indent=2, place=True)
        for group in review.groups:
            self._section(words.module_title(group.module), group.changes)
        self._section("Outputs", review.outputs)
        self._section("Actions invoked", review.invocations)
        self._section("Deferred to a later apply", review.deferred)
        self._section("Changed outside of Terraform", review.drift)
        self._ending(review)

    def _verdict(self, review: Review) -> None:
        decision = review.decision
        groups, word = view.group(decision), view.verdict_word(decision)
        self._sheet.add(
            (word, _VERDICTS[word]), ("  " + view.headline(decision, groups), ""), hang=2
        )
        for cause in view.causes(decision, groups):
            self._sheet.add((console(cause), ""), indent=2)

    def _fact(self, name: str, fact: str) -> None:
        self._sheet.add((f"{name:<11}", "quiet"), (fact, ""), indent=2, hang=11)

    def _radius(self, review: Review) -> None:
        decision, radius = review.decision, review.radius
        version = decision.plan.terraform_version
        terraform = f", Terraform {console(version)}" if version else ""
        self._sheet.blank()
        self._fact("plan", f"{console(review.plan_name)}{terraform}")
        self._fact(
            "workspace", console(f"{decision.workspace.name} (from {decision.workspace.source})")
        )
        counts = " · ".join(f"{n:,} {words.action_word(action)}" for action, n in radius.counts)
        facts = " · ".join(words.radius_facts(radius))
        self._fact("changes", " · ".join(part for part in (counts, facts) if part) or "none")
        self._fact("reach", words.radius_sentence(radius))
        shown = words.shown_sentence(review)
        if shown:
            self._fact("filter", console(shown))

    def _types(self, review: Review) -> None:
        types = review.radius.types
        if len(types) < 2:
            return
        self._heading("By type", None)
        width = max(len(row.type) for row in types[:_TYPES])
        for row in types[:_TYPES]:
            spans = [(f"{console(row.type):<{min(width, 40)}}", "")]
            for action, number in row.counts:
                text = tied(f"{number:,} {words.action_word(action)}")
                spans.append((f"  {text}", role_of(action)))
            self._sheet.add(*spans, indent=2, hang=4)
        if len(types) > _TYPES:
            self._sheet.add((f"… and {len(types) - _TYPES:,} more types", "quiet"), indent=2)

    def _heading(self, text: str, number: int | None) -> None:
        self._sheet.blank()
        spans = [(console(text), "heading")]
        if number is not None:
            spans.append((f" ({number:,})", "quiet"))
        self._sheet.add(*spans)

    def _section(self, heading: str, changes: Sequence[ReviewedChange]) -> None:
        if not changes:
            return
        self._heading(heading, len(changes))
        for change in changes:
            self._sheet.blank()
            self._change(change)

    def _change(self, change: ReviewedChange) -> None:
        mark, role = words.symbol(change), role_of(change.action)
        spans = [
            (f"{mark:<3}", role),
            (f" {words.title(change)}", role),
            (f"  {console(words.name(change))}", "address"),
        ]
        if change.location is not None:
            spans.append((f"  {console(change.location.chain())}", "quiet"))
        self._sheet.add(*spans, indent=0, hang=4)
        for outcome in change.findings:
            self._findings.write(outcome, indent=6, known=change.location)
        for reason in words.reasons(change):
            self._sheet.add((console(reason), "quiet"), indent=6, hang=2)
        for name, fact in change.facts:
            self._sheet.add((f"{name} ", "quiet"), (console(fact), ""), indent=6, hang=2)
        self._body(change)

    def _body(self, change: ReviewedChange) -> None:
        """Show what differs; of a deleted object only how much it had."""
        if self._is_folded(change):
            number = view.count(len(change.diffs), "attribute")
            self._sheet.add((f"{number} (shown with --full)", "quiet"), indent=6)
            return
        self._diffs.write(change.diffs, indent=6)
        for name, text in words.asides(change):
            self._sheet.add((f"{name}: {console(text)}", "quiet"), indent=8, hang=2)
        if change.same:
            self._sheet.add(
                (f"{view.count(change.same, 'attribute')} unchanged", "quiet"), indent=8
            )

    def _is_folded(self, change: ReviewedChange) -> bool:
        leaves = change.action in (Action.DELETE, Action.FORGET)
        return (
            leaves
            and bool(change.diffs)
            and not self._full
            and change.kind is not ChangeKind.OUTPUT
        )

    def _ending(self, review: Review) -> None:
        decision = review.decision
        if decision.warnings:
            self._heading("Warnings", len(decision.warnings))
            for warning in decision.warnings:
                self._sheet.add((console(warning), ""), indent=2, hang=2)
        self._sheet.blank()
        self._fact("outcomes", view.tally(decision))
        for ruleset in decision.rulesets:
            self._fact("ruleset", console(f"{ruleset.id} {ruleset.version} ({ruleset.source})"))
        self._sheet.add(
            (words.NO_RECORD, "quiet"),
            indent=2,
            hang=2,
        )
