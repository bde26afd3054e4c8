"""Changes and findings as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.model.action import Action
from tfgate.model.decision import OutcomeKind
from tfgate.model.review import ChangeKind
from tfgate.model.rule import Severity
from tfgate.report import review_words as words
from tfgate.report import view
from tfgate.report.neutral import clip, html_text, paragraphs
from tfgate.report.review_html_diff import asides, diff_list

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfgate.model.decision import Outcome
    from tfgate.model.location import Location
    from tfgate.model.review import ReviewedChange

_LONGEST: Final = 4_000
"""Characters of a message that are shown."""
_RANKS: Final = {severity: number for number, severity in enumerate(Severity, start=1)}
KINDS: Final = {
    ChangeKind.DRIFT: "drift",
    ChangeKind.DEFERRED: "deferred",
    ChangeKind.OUTPUT: "output",
    ChangeKind.INVOCATION: "invoke",
}
"""Entries that are no changes of resources: what the filter calls them."""


def facet(change: ReviewedChange) -> str:
    """Give what the filter by action calls a change; also its class."""
    if change.kind is ChangeKind.CHANGE and change.action is not None:
        return change.action.value
    return KINDS[change.kind]


def rank(change: ReviewedChange) -> int:
    """Give how bad the worst finding is: 0 for none, 5 for critical; waived ones do not count."""
    open_ones = (o for o in change.findings if o.outcome is not OutcomeKind.WAIVED)
    return max((_RANKS[outcome.severity] for outcome in open_ones), default=0)


class Cards:
    """Writes changes; the anchors of rules and the numbers of modules are those of one page."""

    def __init__(self, rules: Mapping[str, str], modules: Mapping[str, int], *, few: bool) -> None:
        self._rules = rules
        self._modules = modules
        self._few = few

    def card(self, change: ReviewedChange, anchor: str) -> str:
        """Write one change, with the anchor that links lead to."""
        return "\n".join(self._card(change, anchor))

    def _card(self, change: ReviewedChange, anchor: str) -> Iterator[str]:
        css = facet(change)
        module = self._modules.get(change.module, -1)
        label = html_text(f"{words.title(change)} {words.name(change)}")
        yield (
            # Not aria-labelledby: what is out of sight has no layout, and then no name either.
            f'<article class="change {css}" id="{anchor}" aria-label="{label}" '
            f'data-action="{css}" data-module="{module}" data-severity="{rank(change)}" '
            f'data-findings="{len(change.findings)}">'
        )
        badge = f"{words.symbol(change)} {words.title(change)}"
        name = html_text(words.name(change))
        yield (
            f'<header><h3><span class="badge">{badge}</span>'
            f"<code>{name}</code></h3>{_place(change.location)}</header>"
        )
        yield from (self.finding(outcome, known=change.location) for outcome in change.findings)
        reasons = [*words.reasons(change), *(f"{name}: {text}" for name, text in change.facts)]
        if reasons:
            yield f'<p class="soft">{" · ".join(map(html_text, reasons))}</p>'
        yield from self._body(change)
        yield "</article>"

    def _body(self, change: ReviewedChange) -> Iterator[str]:
        listed = list(asides(words.asides(change)))
        if change.same:
            listed.append(f'<p class="soft">{view.count(change.same, "attribute")} unchanged</p>')
        if not change.diffs:
            yield from listed
            return
        opened = " open" if self._opens(change) else ""
        yield f"<details{opened}><summary>{_summary(change)}</summary>"
        yield diff_list(change.diffs)
        yield from listed
        yield "</details>"

    def _opens(self, change: ReviewedChange) -> bool:
        """Whether the values are in sight at once: in a small plan, and where a rule objects."""
        if change.action in (Action.DELETE, Action.FORGET):
            return False
        return self._few or any(outcome.blocks for outcome in change.findings)

    def finding(self, outcome: Outcome, *, known: Location | None = None, anchor: str = "") -> str:
        """Write a finding: where it is, unless that is ``known``.

        One with an ``anchor`` of its own stands beside no change, and says what it is about.
        """
        return "".join(self._finding(outcome, known, anchor))

    def _finding(self, outcome: Outcome, known: Location | None, anchor: str) -> Iterator[str]:
        css = words.css_of(outcome)
        own = f' id="{anchor}"' if anchor else ""
        yield f'<div class="finding {css}"{own}><p><span class="sev">{outcome.severity}</span> '
        name = f"{self.rule_link(outcome.rule)} {html_text(outcome.title)}"
        yield f'<span class="name">{name}</span> '
        yield f'<span class="soft">{outcome.enforcement} · {words.standing(outcome)}</span></p>'
        about = f"<code>{html_text(view.subject(outcome))}</code>: " if anchor else ""
        yield f"<p>{about}{html_text(clip(view.problem(outcome), _LONGEST))}</p>"
        if outcome.location != known:
            yield _place(outcome.location)
        for note in words.let_through(outcome):
            yield f'<p class="soft">{html_text(note)}</p>'
        if outcome.outcome not in (OutcomeKind.WAIVED, OutcomeKind.ERROR):
            for number, line in enumerate(paragraphs(outcome.remediation or "")):
                lead = "" if number else "<strong>Remedy:</strong> "
                yield f"<p>{lead}{html_text(line)}</p>"
        yield "</div>"

    def rule_link(self, rule: str) -> str:
        """Write a rule's id, as a link to its page where that is in this one."""
        name = f"<code>{html_text(rule)}</code>"
        anchor = self._rules.get(rule)
        return f'<a href="#{anchor}">{name}</a>' if anchor else name


def _place(location: Location | None) -> str:
    if location is None:
        return ""
    return f'<p class="soft">at {html_text(location.chain())}</p>'


def _summary(change: ReviewedChange) -> str:
    number = len(change.diffs)
    if change.kind is ChangeKind.OUTPUT:
        return "value"
    if change.action in (Action.DELETE, Action.FORGET):
        return f"what it has: {view.count(number, 'attribute')}"
    if change.action in (Action.CREATE, Action.READ):
        return f"what it gets: {view.count(number, 'attribute')}"
    return f"what differs: {view.count(number, 'attribute')}"
