"""Findings beside the change they belong to, in a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.model.decision import OutcomeKind
from tfgate.model.rule import Severity
from tfgate.report import review_words as words
from tfgate.report import view
from tfgate.report.neutral import clip, console, paragraphs

if TYPE_CHECKING:
    from tfgate.model.decision import Outcome
    from tfgate.model.location import Location
    from tfgate.report.layout import Sheet

_LONGEST: Final = 2_000
"""Characters of a message that are shown."""
_SEVERE: Final = (Severity.CRITICAL, Severity.HIGH)


class FindingWriter:
    """Writes findings; what to do about a rule is said where the rule first comes up."""

    def __init__(self, sheet: Sheet) -> None:
        self._sheet = sheet
        self._told: set[tuple[str, str]] = set()

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
        if key in self._told:
            self._sheet.add(("Remedy: ", "remedy"), ("as above.", "quiet"), indent=indent)
            return
        self._told.add(key)
        self._sheet.add(("Remedy: ", "remedy"), (console(lines[0]), ""), indent=indent, hang=8)
        for line in lines[1:]:
            self._sheet.add((console(line), ""), indent=indent + 8)
