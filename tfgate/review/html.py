"""The review of a plan as one page to open, keep or send: what its templates ask for.

The templates are ``review.html`` and its parts. The script is the same for every plan: it makes no
element, sets no HTML and asks no network; without it the page shows everything, and no filters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from tfgate.model.action import Action
from tfgate.model.decision import Decision, Outcome, OutcomeKind
from tfgate.model.rule import Rule, Severity
from tfgate.plan import Plan
from tfgate.report import view
from tfgate.report.escape import clip, link, paragraphs
from tfgate.report.interface import ReportContext
from tfgate.report.page import render_page
from tfgate.review import words
from tfgate.review.layout import ORDER, lay_out
from tfgate.review.model import ChangeKind, Diff, Form, Mark, Review, ReviewedChange, Shape, Shown
from tfgate.review.strings import common

_FEW: Final = 40
"""Changes up to which every card is open at first."""
_CLOSE: Final = 3
"""Characters in common from which on the rest of a changed string is marked."""
_RANKS: Final = {severity: number for number, severity in enumerate(Severity, start=1)}
_FACETS: Final = {
    ChangeKind.DRIFT: "drift",
    ChangeKind.DEFERRED: "deferred",
    ChangeKind.OUTPUT: "output",
    ChangeKind.INVOCATION: "invoke",
}
"""Entries that are no changes of resources: what the filter calls them."""


def render(review: Review, context: ReportContext) -> str:
    """Render the page."""
    return render_page(
        "tfgate.review",
        "review.html",
        styles=("review.css",),
        script="review.js",
        view=view,
        words=words,
        logic=_Page(review, context),
        review=review,
        decision=review.decision,
        groups=view.group(review.decision),
        word=view.verdict_word(review.decision).capitalize(),
    )


def render_plan(plan: Plan, decision: Decision, context: ReportContext) -> str:
    """Lay out an evaluated plan, and render the page. Raises ``PlanError``."""
    laid_out = lay_out(plan, decision, context.rules, plan_name=context.plan_name)
    return render(laid_out, context)


class _Bar(NamedTuple):
    action: Action
    x: str
    width: str


class _Page:
    """What the templates ask about one review; anchors and numbers hold in one page."""

    LONG: Final = 240
    """Characters of a value that stand unfolded."""
    LONGEST: Final = 50_000
    """Characters of a value that are in the page at all; the plan has the rest."""
    LONGEST_MESSAGE: Final = 4_000
    """Characters of a message that are shown."""
    MANY_LINES: Final = 24
    """Lines of a text that stand unfolded."""
    MOST_ITEMS: Final = 2_000
    """Lines of a text, or members of a value, that are in the page at all."""
    IN_SIGHT: Final = 3
    """Places of a rule's findings that are listed without a fold."""
    SIGNS: Final = {Mark.ADDED: "+", Mark.REMOVED: "-", Mark.CHANGED: "~", Mark.SAME: "="}
    HINTS: Final = {Shape.JSON: "JSON", Shape.LINES: "text"}
    """How a text is shown that is more than one value: as the JSON in it, or by its lines."""
    LITERAL: Final = Form.LITERAL

    def __init__(self, review: Review, context: ReportContext) -> None:
        self._review = review
        self._context = context
        self.rules = {rule: f"r{number}" for number, rule in enumerate(review.rules)}
        self.modules = {group.module: number for number, group in enumerate(review.groups)}
        titled = [
            *((words.module_title(group.module), group.changes) for group in review.groups),
            ("Outputs", review.outputs),
            ("Actions invoked", review.invocations),
            ("Deferred to a later apply", review.deferred),
            ("Changed outside of Terraform", review.drift),
        ]
        entries = list(enumerate(change for _, changes in titled for change in changes))
        self.number = len(entries)
        left = iter(entries)
        self.lists = [(title, [next(left) for _ in changes]) for title, changes in titled]
        self.facets = list(dict.fromkeys(self.facet(change) for _, change in entries))
        self._anchors = {
            id(outcome): f"c{number}" for number, change in entries for outcome in change.findings
        }
        self._anchors |= {id(outcome): f"p{n}" for n, outcome in enumerate(review.findings)}

    # The page as a whole

    def about(self) -> Iterator[tuple[str, str]]:
        """Yield what the review is of, name and fact."""
        decision = self._review.decision
        yield "Plan", self._review.plan_name
        yield "Workspace", decision.workspace.name
        if decision.plan.terraform_version:
            yield "Terraform", decision.plan.terraform_version
        if decision.plan.timestamp:
            yield "Planned", decision.plan.timestamp
        if decision.run is not None and decision.run.commit:
            yield "Commit", decision.run.commit[:12]
        filtered = words.shown_sentence(self._review)
        if filtered:
            yield "Filter", filtered

    def basis(self) -> dict[str, str]:
        """Say what the verdict rests on; facts that are empty are left out."""
        decision, context = self._review.decision, self._context
        facts = {"Outcomes": view.tally(decision)}
        for ruleset in decision.rulesets:
            facts[f"Ruleset {ruleset.id}"] = f"{ruleset.version}, {ruleset.digest}"
        facts["Plan JSON"] = f"SHA-256 {decision.plan.json_sha256}"
        facts["Made"] = context.now.isoformat(timespec="seconds") if context.now else ""
        facts["tfgate"] = context.tfgate_version
        return facts

    def reach(self) -> list[str]:
        """Say how much of what exists the apply touches."""
        return [
            words.radius_sentence(self._review.radius), *words.radius_facts(self._review.radius),
        ]  # fmt: skip

    def bars(self) -> list[_Bar]:
        """Compute the shares of the actions; the tiles say the same in numbers."""
        counts = self._review.radius.counts
        changing = [(a, n) for a, n in counts if a not in (Action.NO_OP, Action.READ)]
        total = sum(number for _, number in changing)
        if len(changing) < 2:
            return []
        bars, left = [], 0.0
        for action, number in changing:
            width = 100 * number / total
            bars.append(_Bar(action, f"{left:.3f}", f"{width:.3f}"))
            left += width
        return bars

    def table_actions(self) -> list[Action]:
        """List the actions that the table of types has a column for."""
        rows = [dict(row.counts) for row in self._review.radius.types]
        return [action for action in ORDER if any(action in row for row in rows)]

    def facet_word(self, name: str) -> str:
        """Name a facet in the filter."""
        if name in {action.value for action in Action}:
            return words.action_word(Action(name))
        return {"output": "outputs", "invoke": "actions"}.get(name, name)

    def module_options(self) -> list[tuple[str, str]]:
        """List what the filter by module offers, value and label."""
        named = ((str(number), words.module_title(name)) for name, number in self.modules.items())
        return [("", "all modules"), *named]

    @staticmethod
    def severity_options() -> list[tuple[str, str]]:
        """List what the filter by severity offers, value and label."""
        return [("0", "any"), *((str(n), f"{one} or worse") for one, n in _RANKS.items())]

    # Findings and rules

    def by_standing(self) -> list[tuple[Outcome, Sequence[Outcome]]]:
        """List rules with what they found: what blocks first, what is waived last."""
        parts: dict[str, list[Outcome]] = {standing: [] for standing in words.STANDINGS}
        for outcome in self._review.decision.outcomes:
            parts[words.standing(outcome)].append(outcome)
        return [entry for part in parts.values() for entry in view.by_rule(part)]

    def anchor(self, outcome: Outcome) -> str:
        """Return where a finding stands in the page, empty where it does not."""
        return self._anchors.get(id(outcome), "")

    @classmethod
    def problem(cls, outcome: Outcome) -> str:
        """Return the message, cut to what a reader takes in."""
        return clip(view.problem(outcome), cls.LONGEST_MESSAGE)

    @staticmethod
    def remedy(outcome: Outcome) -> list[str]:
        """Return the paragraphs that say what to do, none where there is nothing to do."""
        if outcome.outcome in (OutcomeKind.WAIVED, OutcomeKind.ERROR):
            return []
        return paragraphs(outcome.remediation or "")

    paragraphs = staticmethod(paragraphs)

    @staticmethod
    def rule_facts(rule: Rule) -> Iterator[tuple[str, str]]:
        """Yield what is known of a rule, name and fact."""
        yield "severity", str(rule.severity)
        yield "level in the ruleset", str(rule.enforcement)
        if rule.owners:
            yield "owners", ", ".join(rule.owners)
        for framework, controls in sorted(rule.controls.items()):
            yield framework, ", ".join(controls)
        if rule.file:
            yield "file", f"{rule.file}:{rule.line}" if rule.line else rule.file

    @staticmethod
    def expressions(rule: Rule) -> Iterator[str]:
        """Yield the expressions of a rule, each on a line of its own."""
        named = [(f"let {name}", text) for name, text in rule.let.items()]
        for key, text in (
            *named, ("when", rule.when), ("deny", rule.deny), ("require", rule.require),
        ):  # fmt: skip
            if text is not None:
                yield f"{key}: {' '.join(text.split())}"

    @staticmethod
    def links(rule: Rule) -> list[str]:
        """List the references that may become links."""
        return [url for url in rule.references if link(url)]

    # Changes

    @staticmethod
    def facet(change: ReviewedChange) -> str:
        """Return what the filter by action calls a change; also its class."""
        if change.kind is ChangeKind.CHANGE and change.action is not None:
            return change.action.value
        return _FACETS[change.kind]

    @staticmethod
    def rank(change: ReviewedChange) -> int:
        """Rank the worst finding: 0 for none, 5 for critical; waived ones do not count."""
        open_ones = (o for o in change.findings if o.outcome is not OutcomeKind.WAIVED)
        return max((_RANKS[outcome.severity] for outcome in open_ones), default=0)

    def module(self, change: ReviewedChange) -> int:
        """Return the number that the filter knows the change's module by, -1 for none."""
        return self.modules.get(change.module, -1)

    @staticmethod
    def reasons(change: ReviewedChange) -> list[str]:
        """Say why it is done, and what else is known of it."""
        return [*words.reasons(change), *(f"{name}: {text}" for name, text in change.facts)]

    def opens(self, change: ReviewedChange) -> bool:
        """Whether the values are in sight at once: in a small plan, and where a rule objects."""
        if change.action in (Action.DELETE, Action.FORGET):
            return False
        return self.number <= _FEW or any(outcome.blocks for outcome in change.findings)

    @staticmethod
    def summary(change: ReviewedChange) -> str:
        """Say what the fold of a change's values holds."""
        number = view.count(len(change.diffs), "attribute")
        if change.kind is ChangeKind.OUTPUT:
            return "value"
        if change.action in (Action.DELETE, Action.FORGET):
            return f"what it has: {number}"
        if change.action in (Action.CREATE, Action.READ):
            return f"what it gets: {number}"
        return f"what differs: {number}"

    # Differences of values

    def steps(self, diffs: Sequence[Diff]) -> Iterator[tuple[str, Diff | int]]:
        """Yield what opens and closes the lists and items of a tree of differences, in order."""
        if not diffs:
            return
        yield "list", 0
        for diff in diffs[: self.MOST_ITEMS]:
            if diff.shape is Shape.LEAF:
                yield "leaf", diff
                continue
            yield "item", diff
            yield from self.steps(diff.members)
            yield "end item", diff
        if len(diffs) > self.MOST_ITEMS:
            yield "more", len(diffs) - self.MOST_ITEMS
        yield "end list", 0

    @staticmethod
    def item_class(diff: Diff) -> str:
        """Return the class of a difference."""
        leaf = " leaf" if diff.shape is Shape.LEAF else ""
        return f"{diff.mark.value}{leaf}{' forces' if diff.forces else ''}"

    @staticmethod
    def side_tag(diff: Diff) -> str:
        """Return the element of the only side that a difference has."""
        return "del" if diff.mark is Mark.REMOVED else "ins"

    @staticmethod
    def characters(text: str) -> str:
        """Say how long a text is."""
        return f"{len(text):,} characters"

    @classmethod
    def marked(
        cls, before: Shown, after: Shown
    ) -> tuple[tuple[str, str, str], tuple[str, str, str]] | None:
        """Split both sides into start, middle and end, of which only the middles differ.

        ``None`` where they are long or not much alike, and are better shown whole.
        """
        old, new = before.text, after.text
        both = before.form is Form.LITERAL and after.form is Form.LITERAL
        if not both or max(len(old), len(new)) > cls.LONG or old[:1] != '"' or new[:1] != '"':
            return None
        start = common(old, new)
        stop = min(common(old[::-1], new[::-1]), len(old) - start, len(new) - start)
        if start + stop < _CLOSE + 2:  # the quotes are always in common
            return None
        return _split(old, start, stop), _split(new, start, stop)


def _split(text: str, start: int, stop: int) -> tuple[str, str, str]:
    end = len(text) - stop
    return text[:start], text[start:end] if end > start else "", text[end:]
