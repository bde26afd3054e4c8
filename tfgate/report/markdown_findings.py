"""Findings in Markdown, at each degree of folding."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from tfgate.model.decision import Outcome, OutcomeKind
from tfgate.report import view
from tfgate.report.neutral import clip, link, markdown_code, markdown_prose, one_line

_LONGEST_NAME = 300

Write = Callable[[Sequence[Outcome]], Iterator[str]]


class Shape(NamedTuple):
    """One way to write findings: gives blocks, which a blank line parts."""

    write: Write
    folded: bool
    """Whether it writes less than one entry a finding."""

    def least(self, outcomes: Sequence[Outcome]) -> int:
        """Give bytes that writing these findings takes at least."""
        if self.folded:
            return 0
        return sum([min(len(outcome.address), _LONGEST_NAME) for outcome in outcomes])


def full(longest: int) -> Shape:
    """Describe each rule once, with all its findings; texts are cut at ``longest`` characters."""

    def write(outcomes: Sequence[Outcome]) -> Iterator[str]:
        for rule, members in view.by_rule(outcomes):
            yield "\n".join(_rule(rule, members, longest))

    return Shape(write, folded=False)


def lines(longest: int) -> Shape:
    """Write one line a finding."""

    def write(outcomes: Sequence[Outcome]) -> Iterator[str]:
        yield "\n".join(
            f"- {_code(outcome.rule)} {_code(view.subject(outcome))}: "
            f"{markdown_prose(clip(view.problem(outcome), longest))}"
            for _, members in view.by_rule(outcomes)
            for outcome in members
        )

    return Shape(write, folded=False)


def rules(most: int) -> Shape:
    """Write one line a rule: the number of its findings, and the first ``most`` of them."""

    def write(outcomes: Sequence[Outcome]) -> Iterator[str]:
        yield "\n".join(_counted(rule, members, most) for rule, members in view.by_rule(outcomes))

    return Shape(write, folded=True)


def names(most: int) -> Shape:
    """Write numbers, and the ids of the first ``most`` rules."""

    def write(outcomes: Sequence[Outcome]) -> Iterator[str]:
        groups = view.by_rule(outcomes)
        shown = [_code(rule.rule, 60) for rule, _ in islice(groups, most)]
        beyond = f" and {len(groups) - len(shown):,} more" if len(groups) > len(shown) else ""
        found = view.count(len(outcomes), "finding")
        yield f"{found} of {view.count(len(groups), 'rule')}: {', '.join(shown)}{beyond}"

    return Shape(write, folded=True)


def _number(outcomes: Sequence[Outcome]) -> Iterator[str]:
    rules = view.count(len(view.by_rule(outcomes)), "rule")
    yield f"{view.count(len(outcomes), 'finding')} of {rules}."


number = Shape(_number, folded=True)
"""Write how many there are."""


def _code(text: str, longest: int = _LONGEST_NAME) -> str:
    return markdown_code(clip(text, longest))


def _rule(rule: Outcome, members: Sequence[Outcome], longest: int) -> Iterator[str]:
    title = markdown_prose(clip(rule.title, longest)) if rule.title else ""
    yield f"**{_code(rule.rule)}** {title} ({rule.severity}, {rule.enforcement})".replace("  ", " ")
    yield ""
    for outcome in members:
        yield from _finding(outcome, longest)
    if rule.remediation and any(o.outcome is not OutcomeKind.ERROR for o in members):
        yield ""
        yield f"Remedy: {markdown_prose(clip(one_line(rule.remediation), longest))}"
    if links := [url for url in rule.references if link(url)]:
        yield ""
        yield "See " + ", ".join(f"<{url}>" for url in links[:5])


def _finding(outcome: Outcome, longest: int) -> Iterator[str]:
    """Write a list entry; its further lines are indented to belong to it."""
    action = f" ({_code(outcome.action, 30)})" if outcome.action else ""
    problem = markdown_prose(clip(view.problem(outcome), longest))
    yield f"- {_code(view.subject(outcome))}{action}: {problem}"
    if outcome.location is not None:
        yield f"  <br>at {_code(outcome.location.chain())}"
    if outcome.outcome is OutcomeKind.WAIVED:
        yield f"  <br>{_waiver(outcome, longest)}"
    if outcome.override is not None:
        yield f"  <br>{markdown_prose(clip(view.override_note(outcome), longest))}"


def _waiver(outcome: Outcome, longest: int) -> str:
    waiver = outcome.waiver
    if waiver is None:
        return "waived"
    ticket = f" ({_code(waiver.ticket)})" if waiver.ticket else ""
    where = f", in {_code(waiver.source)}" if waiver.source else ""
    reason = markdown_prose(clip(waiver.reason, longest))
    return f"waived by {_code(waiver.owner)} until {waiver.expires}{ticket}: {reason}{where}"


def _counted(rule: Outcome, members: Sequence[Outcome], most: int) -> str:
    title = f" {markdown_prose(clip(rule.title, 80))}" if rule.title else ""
    subjects = list(dict.fromkeys(view.subject(outcome) for outcome in members))
    shown = [_code(subject, 200) for subject in subjects[:most]]
    beyond = len(subjects) - len(shown)
    if beyond and shown:
        shown.append(f"and {beyond:,} more")
    where = f": {', '.join(shown)}" if shown else ""
    found = view.count(len(members), "finding")
    return f"- {_code(rule.rule, 100)}{title} ({rule.severity}, {rule.enforcement}), {found}{where}"
