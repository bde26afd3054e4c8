"""Gathers findings of one file, with lines, columns and what the file waves through."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from tfgate.errors import Problem
from tfgate.ruleset.files import show_excerpt
from tfgate.ruleset.problems import KeyPath, Problems, show_path

if TYPE_CHECKING:
    from collections.abc import Mapping


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


_IGNORE = re.compile(
    r"^[ \t]*#[ \t]*lint:[ \t]*ignore[ \t]+([a-z-]+)(?:[ \t]*:[ \t]*(\S.*))?$", re.MULTILINE
)
_DOUBTS: Final = frozenset(
    {
        "null-raises",
        "null-passes",
        "unknown-unconsidered",
        "null-in-message",
        "deprecated",
        "unused",
    }
)
"""Checks whose findings do not explain why a rule never fails."""


class Reporter:
    """Findings of one file, and of one rule in it at a time."""

    def __init__(self, file: str, text: str | None) -> None:
        self.file = file
        self.findings: list[LintFinding] = []
        self.not_checked: set[str] = set()
        self.rule = ""
        self.prefix: KeyPath = ()
        self._texts: Mapping[str, str] = {}
        self._problems = Problems(file, text)
        self._lines = (text or "").split("\n")
        self.waved_through = {
            name: (reason or "").strip() for name, reason in _IGNORE.findall(text or "")
        }
        """Checks that a comment ``# lint: ignore NAME: reason`` in the file names."""

    def start(self, rule: str, prefix: KeyPath, texts: Mapping[str, str]) -> None:
        """Begin with a rule; ``texts`` are its expressions and its message, by key."""
        self.rule, self.prefix, self._texts = rule, prefix, texts

    def add(self, check: str, message: str, at: KeyPath = (), rule: str | None = None) -> None:
        """Report something at a key."""
        self._put(check, message, (*self.prefix, *at), None, None, rule)

    def at(self, check: str, message: str, key: str, position: int | None) -> None:
        """Report something in an expression or message, at a 0-based place in its text."""
        head, _, name = key.partition(".")
        path = (*self.prefix, head, name) if name else (*self.prefix, head)
        text = self._texts.get(key, "")
        if position is None or not 0 <= position <= len(text) or not text:
            self._put(check, message, path, None, None)
            return
        before = text[:position]
        column = position - (before.rfind("\n") + 1) + 1
        excerpt = show_excerpt(text.split("\n")[before.count("\n")], column)
        self._put(check, message, path, column, excerpt, below=before.count("\n"))

    def is_quoted(self, key: str, position: int | None) -> bool:
        """Return whether a double quote stands at a place: JMESPath writes fields in them."""
        text = self._texts.get(key, "")
        return position is not None and text[position : position + 1] == '"'

    def unchecked(self, globs: list[str]) -> None:
        """Note types that no schema at hand describes."""
        self.not_checked.update(globs)

    def has_errors(self, rule: str) -> bool:
        """Return whether something was found that explains a rule that cannot fail."""
        return any(f.rule == rule and f.check not in _DOUBTS for f in self.findings)

    def _line_in_text(self, line: int, excerpt: str, below: int) -> int:
        """Return the line of the excerpt: a long text begins on its key's line or below it."""
        for number in range(line + below, line + below + 3):
            if excerpt.strip() in "".join(self._lines[number - 1 : number]):
                return number
        return line

    def _put(
        self,
        check: str,
        message: str,
        path: KeyPath,
        column: int | None,
        excerpt: str | None,
        rule: str | None = None,
        below: int = 0,
    ) -> None:
        line = self._problems.line_of(path) if path else 1
        if line is not None and excerpt is not None:
            line = self._line_in_text(line, excerpt, below)
        finding = LintFinding(
            check=check,
            file=self.file,
            message=message,
            rule=self.rule if rule is None else rule,
            key=show_path(path) or None,
            line=line,
            column=column,
            excerpt=excerpt,
        )
        if finding not in self.findings:
            self.findings.append(finding)
