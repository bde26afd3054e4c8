"""What lint reports, and the checks it has."""

from __future__ import annotations

from typing import Final

import msgspec

from tfgate.errors import Problem

CHECKS: Final = {
    "does-not-load": "The ruleset does not load.",
    "unknown-type": "match.types, or referenced_by(), names a type that the provider has not.",
    "unknown-attribute": "A path reads a field that is not there, and is null always.",
    "wrong-nesting": "A list is used as an object, an object as a list, or a string as either.",
    "type-mismatch": "A comparison of values of unlike types is never true.",
    "unknown-word": "A comparison with a word that the other side never is.",
    "not-ordered": "An ordering comparison of text, of a number and text, or of a list.",
    "null-raises": "An argument may be null, and the function then fails.",
    "type-raises": "An argument is never of a type that the function takes.",
    "null-passes": "Where an optional attribute is left out, the rule passes; no example shows it.",
    "unknown-unconsidered": "A computed attribute decides; no on_unknown, no unknown example.",
    "never-fails": "The rule cannot fail on a type that it selects.",
    "never-selects": "The rule's when is false on all that it selects.",
    "never-there": "after is null where things are deleted, before is null where they are created.",
    "write-only": "A write-only attribute is null in every plan.",
    "deprecated": "The attribute is deprecated by the provider.",
    "null-in-message": "A placeholder of the message may be null.",
    "bad-pattern": "RE2 refuses a regular expression, or a glob is none.",
    "overlapping-rules": "Two rules select the same and ask the same.",
    "unused": "A parameter, data file or let value that nothing uses.",
    "example-attribute": "An example has an attribute that its type has not, or nests it wrongly.",
}  # fmt: skip
"""Name of each check, and what it finds."""


class LintFinding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finding."""

    check: str
    """A name of `CHECKS`."""
    file: str
    message: str
    rule: str = ""
    """Id of the rule, empty where it is about none."""
    key: str | None = None
    """Dotted key in the file."""
    line: int | None = None
    column: int | None = None
    """1-based, in the expression (or its line, of one with several)."""
    excerpt: str | None = None

    def render(self) -> str:
        """Write ``file:line: key: column N: message [check]`` with the excerpt below it."""
        message = f"{self.message} [{self.check}]"
        problem = Problem(self.file, message, self.key, self.line, self.column, self.excerpt)
        return problem.render()


class LintResult(msgspec.Struct, frozen=True):
    """What linting found."""

    findings: tuple[LintFinding, ...]
    notes: tuple[str, ...]
    """What could not be checked, and what differs between versions of a provider."""
    rules: int
    """Number of rules that were looked at."""
    ignored: int = 0
    """Findings that the rule file or the command line waves through."""
