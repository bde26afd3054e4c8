"""``markdown``: a comment on a pull request. Never longer than a forge accepts.

GitHub refuses a comment of more than 65,536 characters (bytes are counted here, which is never
more lenient). What is too long is folded step by step: first what does not block, then the details
of what does, and at last the findings of one rule into one line with their number. No rule that
denies is left out without its number being stated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from tfgate.model.decision import Decision, Outcome, OutcomeKind
from tfgate.report import view
from tfgate.report.escape import clip, link, markdown_code, markdown_prose, one_line
from tfgate.report.interface import ReportContext

_LONGEST_NAME = 300

Write = Callable[[Sequence[Outcome]], Iterator[str]]


class Shape(NamedTuple):
    """One way to write findings: gives blocks, which a blank line parts."""

    write: Write
    folded: bool
    """Whether it writes less than one entry a finding."""

    def least(self, outcomes: Sequence[Outcome]) -> int:
        """Return bytes that writing these findings takes at least."""
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
    for text in view.remediations(members):
        yield ""
        yield f"Remedy: {markdown_prose(clip(one_line(text), longest))}"
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


COMMENT_LIMIT = 65_536
"""Bytes of UTF-8 that a comment may have."""
SUMMARY_LIMIT = 1024 * 1024
"""Bytes that GitHub takes of one step's summary."""

_MARK = {"ALLOWED": "✅", "DENIED": "⛔", "UNDECIDED": "⚠️"}


class Fold(NamedTuple):
    """How much is shown of what."""

    blocking: Shape
    others: Shape
    sentences: int = 20
    """Reasons and warnings that are written out."""
    basis: bool = True


FOLDS = (
    Fold(full(2_000), full(2_000)),
    Fold(full(1_000), lines(300)),
    Fold(full(500), rules(10)),
    Fold(lines(200), rules(3)),
    Fold(rules(20), rules(0)),
    Fold(rules(5), rules(0)),
    Fold(rules(1), rules(0)),
    Fold(rules(0), number, 3, basis=False),
    Fold(names(200), number, 3, basis=False),
    Fold(number, number, 3, basis=False),
)
"""From everything to the bare numbers, which fit whatever the plan contains."""


def render(decision: Decision, context: ReportContext) -> str:
    """Return the report in at most ``COMMENT_LIMIT`` bytes."""
    return fit(decision, context, COMMENT_LIMIT)


def step_summary(decision: Decision, context: ReportContext) -> str:
    """Return the Markdown to append to the file that ``GITHUB_STEP_SUMMARY`` names."""
    return fit(decision, context, SUMMARY_LIMIT)


def fit(decision: Decision, context: ReportContext, limit: int) -> str:
    """Return the report with the least folding that fits ``limit`` bytes."""
    groups = view.group(decision)
    text = ""
    for fold in FOLDS:
        if _least(groups, fold) > limit:
            continue  # cannot fit: not worth writing
        text = written(decision, groups, context, fold)
        if len(text.encode("utf-8")) <= limit:
            break
    return text


def _least(groups: view.Groups, fold: Fold) -> int:
    others = (groups.advisory, groups.obligations, groups.waived)
    return fold.blocking.least(groups.blocking) + sum(map(fold.others.least, others))


def written(decision: Decision, groups: view.Groups, context: ReportContext, fold: Fold) -> str:
    """Return the report as ``fold`` says, however long that is."""
    return "\n\n".join(_sections(decision, groups, context, fold)) + "\n"


def _sections(
    decision: Decision, groups: view.Groups, context: ReportContext, fold: Fold
) -> Iterator[str]:
    word = view.verdict_word(decision)
    yield f"### {_MARK[word]} tfgate: {word}\n\n{view.headline(decision, groups)}"
    yield from _list(view.causes(decision, groups), fold.sentences)
    yield _about(decision)
    if groups.blocking:
        yield f"#### Blocks the apply ({len(groups.blocking):,})"
        yield from fold.blocking.write(groups.blocking)
        if fold.blocking.folded:
            yield f"Findings are folded for length. Every one is listed by {context.full_list}."
    yield from _folded("Found, does not block", groups.advisory, fold.others)
    yield from _folded("To be checked after the apply", groups.obligations, fold.others)
    yield from _folded("Waived", groups.waived, fold.others)
    if decision.warnings:
        yield "#### Warnings"
        yield from _list(decision.warnings, fold.sentences)
    yield "#### What next"
    yield "\n".join(f"- {step}" for step in view.next_steps(decision, groups))
    if fold.basis:
        yield _details("What this rests on", "\n".join(_basis(decision, context)))


def _list(sentences: Sequence[str], most: int) -> Iterator[str]:
    """Write a list of at most ``most`` sentences, and the number of those beyond."""
    shown = [f"- {markdown_prose(clip(sentence, 300))}" for sentence in sentences[:most]]
    if len(sentences) > len(shown):
        shown.append(f"- and {len(sentences) - len(shown):,} more")
    if shown:
        yield "\n".join(shown)


def _about(decision: Decision) -> str:
    verified = ", verified" if decision.operator.verified else ""
    parts = [
        f"Workspace {_code(decision.workspace.name, 100)}",
        f"operator {_code(decision.operator.name, 100)}{verified}",
    ]
    if changes := view.changes(decision):
        parts.append(markdown_prose(clip(changes, 300)))
    return " · ".join(parts)


def _folded(title: str, outcomes: Sequence[Outcome], shape: Shape) -> Iterator[str]:
    if outcomes:
        yield _details(f"{title} ({len(outcomes):,})", "\n\n".join(shape.write(outcomes)))


def _details(summary: str, body: str) -> str:
    """Write a part that a reader opens; ``summary`` is our own text."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def _basis(decision: Decision, context: ReportContext) -> Iterator[str]:
    yield f"- Outcomes: {view.tally(decision)}"
    for ruleset in decision.rulesets[:20]:
        used = f"{ruleset.selected} of {view.count(ruleset.rules, 'rule')} applied"
        pinned = (
            f"{_code(ruleset.id, 100)} {_code(ruleset.version, 100)}, {_code(ruleset.digest, 100)}"
        )
        yield f"- Ruleset {pinned}: {used}"
    for name, digest in view.digests(decision).items():
        if name != "Plan file":
            yield f"- {name}: SHA-256 {_code(digest, 100)}"
    if context.decision_id is not None:
        yield f"- Decision {_code(context.decision_id, 100)}"
    yield f"- tfgate {_code(context.tfgate_version, 100)}"
