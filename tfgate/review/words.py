"""What the review says in words, the same in the terminal and on the page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tfgate.model.action import Action
from tfgate.model.decision import Outcome, OutcomeKind
from tfgate.report.escape import clip
from tfgate.report.view import count, waiver_note
from tfgate.review.model import ChangeKind, Diff, Form, Radius, Review, ReviewedChange, Shown

SYMBOLS: Final = {
    Action.CREATE: "+",
    Action.UPDATE: "~",
    Action.REPLACE: "-/+",
    Action.DELETE: "-",
    Action.READ: "<=",
    Action.NO_OP: "=",
    Action.FORGET: ".",
}
"""Terraform's own marks, where it has one."""

STANDINGS: Final = (
    "blocks",
    "break glass",
    "overridden",
    "to be checked after the apply",
    "does not block",
    "waived",
)
"""What a finding does to the plan, what matters most first."""
_WORDS: Final = {Action.DELETE: "destroy", Action.NO_OP: "unchanged"}
UNKNOWN: Final = "(known after apply)"
SENSITIVE: Final = "(sensitive)"
NO_RECORD: Final = "A review is not on record: tfgate check decides, tfgate apply applies."


def action_word(action: Action) -> str:
    """Name an action as a person says it."""
    return _WORDS.get(action, action.value)


def symbol(change: ReviewedChange) -> str:
    """Return the mark that stands before a change."""
    if change.action is None:
        return "!"
    return "+/-" if change.create_first else SYMBOLS[change.action]


def title(change: ReviewedChange) -> str:
    """Say what becomes of it, in a word or two."""
    if change.action is None:
        return "invoke"
    if change.kind is ChangeKind.DRIFT:
        return "gone" if change.action is Action.DELETE else "drifted"
    if change.kind is ChangeKind.DEFERRED:
        return f"{action_word(change.action)}, deferred"
    return action_word(change.action)


def name(change: ReviewedChange) -> str:
    """Return the address, which distinguishes a deposed object from the live one."""
    return change.address if change.deposed is None else f"{change.address} (deposed)"


def reasons(change: ReviewedChange) -> Iterator[str]:
    """Say why it is done, and in which order."""
    yield from change.reasons
    if change.create_first and change.forgets:
        yield "The old object is left as it is, and no longer managed."
    elif change.create_first:
        yield "The new object is made before the old one is destroyed."
    elif change.action is Action.REPLACE:
        yield "The old object is destroyed before the new one is made."
    if change.action is Action.FORGET:
        yield "The object is left as it is, and no longer managed."


def side(shown: Shown) -> str:
    """Write one side of a difference as plan text: not yet harmless."""
    if shown.form is Form.UNKNOWN:
        return UNKNOWN
    return SENSITIVE if shown.form is Form.SENSITIVE else shown.text


def asides(change: ReviewedChange) -> Iterator[tuple[str, str]]:
    """Yield, name and text, the attributes that are only listed."""
    if change.computed:
        yield "known after apply", ", ".join(change.computed)
    if change.dropped:
        yield "decided anew by the provider", ", ".join(map(_was, change.dropped))
    if change.blank:
        yield "only between null and empty", ", ".join(change.blank)


def _was(diff: Diff) -> str:
    if diff.before is None:
        return f"{diff.label} (had {count(len(diff.members), 'member')})"
    return f"{diff.label} (was {clip(side(diff.before), 80)})"


def notes(diff: Diff) -> str:
    """Return the notes on a difference beside its values."""
    parts = [diff.note] if diff.note else []
    if diff.refers:
        parts.append(f"from {diff.refers}")
    if diff.forces:
        parts.append("forces replacement")
    return ", ".join(parts)


def radius_sentence(radius: Radius) -> str:
    """Say how much of what exists the apply touches."""
    existing = count(radius.existing, "existing resource")
    if not radius.existing:
        return "No resource of this plan exists yet."
    if not radius.touched:
        return f"None of {existing} is touched."
    verb = "is" if radius.touched == 1 else "are"
    lost = f"{radius.lost:,}" if radius.lost else "none"
    return f"{radius.touched:,} of {existing} {verb} touched ({_share(radius)}), {lost} destroyed."


def _share(radius: Radius) -> str:
    if radius.touched == radius.existing:
        return "all"
    percent = 100 * radius.touched / radius.existing
    return f"{percent:.0f} %" if percent >= 1 else "<1 %"


def radius_facts(radius: Radius) -> Iterator[str]:
    """Yield the smaller facts."""
    if radius.modules > 1:
        yield f"in {radius.modules:,} modules"
    for number, word in (
        (radius.imported, "imported"),
        (radius.moved, "moved"),
        (radius.drifted, "drifted"),
        (radius.deferred, "deferred"),
    ):
        if number:
            yield f"{number:,} {word}"


def shown_sentence(review: Review) -> str:
    """Say what a filter leaves; empty without one."""
    if not review.filters:
        return ""
    number = len(review.changes)
    return f"Shown: {number:,} of {count(review.total, 'change')} ({' '.join(review.filters)})"


def module_title(module: str) -> str:
    """Name a module."""
    return module or "root module"


def standing(outcome: Outcome) -> str:
    """Say what a finding does to the plan: one of `STANDINGS`."""
    if outcome.blocks:
        return "blocks"
    if outcome.outcome is OutcomeKind.WAIVED:
        return "waived"
    if outcome.override is not None:
        return "break glass" if outcome.override.break_glass else "overridden"
    return "to be checked after the apply" if outcome.is_obligation else "does not block"


def let_through(outcome: Outcome) -> Iterator[str]:
    """Say by whom, until when and why a finding was waived or overridden."""
    if outcome.outcome is OutcomeKind.WAIVED:
        yield waiver_note(outcome)
    for approval in outcome.override.approvals if outcome.override is not None else ():
        until = f"{approval.expires:%Y-%m-%d}"
        yield f"approved by {approval.approver} until {until}: {approval.reason}"


def css_of(outcome: Outcome) -> str:
    """Return the page's class for a finding."""
    if outcome.blocks:
        return "block"
    return "waived" if outcome.outcome is OutcomeKind.WAIVED else "open"


def level(outcome: Outcome) -> str:
    """Say how bad and how strict."""
    return f"{outcome.severity} · {outcome.enforcement} · {standing(outcome)}"
