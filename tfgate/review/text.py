"""The review of a plan in a terminal: what changes, why, and what the rules say beside it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tfgate.model.action import Action
from tfgate.model.address import Location
from tfgate.model.decision import Outcome, OutcomeKind
from tfgate.model.rule import Severity
from tfgate.report import view
from tfgate.report.escape import clip, console, paragraphs
from tfgate.report.interface import ReportContext
from tfgate.report.layout import Sheet, Span
from tfgate.review import words
from tfgate.review.model import (
    ChangeKind,
    Diff,
    Form,
    Line,
    Mark,
    Review,
    ReviewedChange,
    Shape,
    Shown,
)

_SIGNS: Final = {Mark.ADDED: "+", Mark.REMOVED: "-", Mark.CHANGED: "~", Mark.SAME: " "}
_ROLES: Final = {
    Action.CREATE: "added",
    Action.UPDATE: "changed",
    Action.REPLACE: "removed",
    Action.DELETE: "removed",
}
_WIDEST_NAME: Final = 32
"""Columns that names may take before their values stop standing in one column."""
_LINES: Final = 30
_MEMBERS: Final = 40
_DEEPEST: Final = 12
"""Levels below which the indent no longer grows."""


_TIED: Final = "\N{NO-BREAK SPACE}"
"""Stands for a blank at which no line ends. Plan text has none: ``visible`` writes it out."""


def tied(text: str) -> str:
    """Keep a few words on one line, until ``untied``."""
    return console(text).replace(" ", _TIED)


def untied(text: str) -> str:
    """Put the blanks back into the finished text."""
    return text.replace(_TIED, " ")


def role_of(action: Action | None) -> str:
    """Return the role (``Sheet``'s word for a look) of an action."""
    return _ROLES.get(action, "quiet") if action is not None else "changed"


class DiffWriter:
    """Writes differences below each other, with the members of each indented."""

    def __init__(self, sheet: Sheet, width: int, *, full: bool) -> None:
        self._sheet = sheet
        self._full = full
        self._longest = max(160, 4 * width)

    def write(self, diffs: Sequence[Diff], *, indent: int) -> None:
        """Write the differences of one level."""
        names = [len(console(diff.label)) for diff in diffs if diff.shape is Shape.LEAF]
        column = min(max(names, default=0), _WIDEST_NAME)
        shown = len(diffs) if self._full else _MEMBERS
        for diff in diffs[:shown]:
            self._one(diff, indent, column)
        if len(diffs) > shown:
            number = view.count(len(diffs) - shown, "difference")
            self._sheet.add((f"… {number} more (shown with --full)", "quiet"), indent=indent)

    def _one(self, diff: Diff, indent: int, column: int) -> None:
        sign = (f"{_SIGNS[diff.mark]} ", diff.mark.value)
        label = console(clip(diff.label, 200))
        note = words.notes(diff)
        ending = (
            ((f" {_TIED}({tied(note)})", "forces" if diff.forces else "quiet"),) if note else ()
        )
        if diff.shape is Shape.LEAF:
            name = f"{label:<{column}}  " if label else ""
            self._sheet.add(sign, (name, ""), *self._values(diff), *ending, indent=indent, hang=4)
            return
        what = {Shape.JSON: "  (JSON)", Shape.LINES: "  (text)"}.get(diff.shape, "")
        self._sheet.add(sign, (label, ""), (what, "quiet"), *ending, indent=indent, hang=4)
        deeper = min(indent + 4, 6 + 4 * _DEEPEST)
        self._lines(diff.lines, deeper)
        self.write(diff.members, indent=deeper)
        if diff.same:
            self._sheet.add((f"{diff.same:,} unchanged", "quiet"), indent=deeper + 2)

    def _values(self, diff: Diff) -> list[Span]:
        before, after = diff.before, diff.after
        if before is None or after is None or before == after:
            only = after or before
            return [self._side(only, diff.mark)] if only is not None else []
        return [
            self._side(before, Mark.REMOVED),
            (" → ", "quiet"),
            self._side(after, Mark.ADDED),
        ]

    def _side(self, shown: Shown, mark: Mark) -> Span:
        text = words.side(shown)
        if not self._full:
            text = clip(text, self._longest)
        return console(text), mark.value if shown.form is Form.LITERAL else "quiet"

    def _lines(self, lines: Sequence[Line], indent: int) -> None:
        shown = len(lines) if self._full else _LINES
        for line in lines[:shown]:
            sign = "…" if line.skipped else _SIGNS[line.mark].replace(" ", _TIED)
            role = "quiet" if line.skipped or line.mark is Mark.SAME else line.mark.value
            text = line.text if self._full else clip(line.text, self._longest)
            self._sheet.add((f"{sign} {console(text)}", role), indent=indent, hang=2)
        if len(lines) > shown:
            number = view.count(len(lines) - shown, "line")
            self._sheet.add((f"… {number} more (shown with --full)", "quiet"), indent=indent)


_LONGEST: Final = 2_000
"""Characters of a message that are shown."""
_SEVERE: Final = (Severity.CRITICAL, Severity.HIGH)


class FindingWriter:
    """Writes findings; a rule's remedy stands where the rule first comes up."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._explained: set[tuple[str, str]] = set()

    def write(
        self, outcome: Outcome, *, indent: int, place: bool = False, known: Location | None = None
    ) -> None:
        """Write one finding; with ``place`` what it is about; where, unless that is ``known``."""
        role = self._role(outcome)
        mark = "x" if outcome.blocks else "!"
        self._sheet.add(
            (f"{mark} {console(outcome.rule)}", role),
            (f"  {console(outcome.title)}", ""),
            (f"  {words.level(outcome)}", "quiet"),
            indent=indent,
            hang=4,
        )
        text = console(clip(view.problem(outcome), _LONGEST))
        if place:
            text = f"{console(view.subject(outcome))}: {text}"
        self._sheet.add((text, ""), indent=indent + 2, hang=2)
        if outcome.location is not None and outcome.location != known:
            chain = console(outcome.location.chain())
            self._sheet.add((f"at {chain}", "quiet"), indent=indent + 2, hang=3)
        for note in words.let_through(outcome):
            self._sheet.add((console(note), "quiet"), indent=indent + 2, hang=2)
        if outcome.outcome not in (OutcomeKind.WAIVED, OutcomeKind.ERROR):
            self._remedy(outcome, indent + 2)

    def _role(self, outcome: Outcome) -> str:
        if outcome.blocks:
            return "deny"
        if outcome.outcome is OutcomeKind.WAIVED:
            return "quiet"
        return "severe" if outcome.severity in _SEVERE else "medium"

    def _remedy(self, outcome: Outcome, indent: int) -> None:
        lines = paragraphs(outcome.remediation or "")
        if not lines:
            return
        key = (outcome.ruleset, outcome.rule)
        if key in self._explained:
            self._sheet.add(("Remedy: ", "remedy"), ("as above.", "quiet"), indent=indent)
            return
        self._explained.add(key)
        self._sheet.add(("Remedy: ", "remedy"), (console(lines[0]), ""), indent=indent, hang=8)
        for line in lines[1:]:
            self._sheet.add((console(line), ""), indent=indent + 8)


_TYPES: Final = 12
"""Rows of the table of types."""
_VERDICTS: Final = {"ALLOWED": "allow", "DENIED": "deny", "UNDECIDED": "undecided"}


def render(review: Review, context: ReportContext, *, full: bool = False) -> str:
    """Return the review, wrapped to ``context.width``.

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
