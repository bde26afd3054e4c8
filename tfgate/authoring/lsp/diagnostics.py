"""Lint of the file in an editor, saved or not."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tfgate.authoring.lint.ruleset import lint_rulesets
from tfgate.authoring.lsp.completion import Declared
from tfgate.opening import read_file
from tfgate.report.escape import clip
from tfgate.ruleset.files import Unreadable, parse_toml
from tfgate.ruleset.rule_tables import NAME_PATTERN
from tfgate.ruleset.sources import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.authoring.lint.findings import LintFinding
    from tfgate.schema import Catalog


LARGEST: Final = 1_000_000
"""Characters of a document that is looked at. Rules have some thousand; an editor waits for answers
at every key."""

_SHOWN = 1_000
"""Characters of what is said of a name."""


@dataclass(frozen=True)
class Mark:
    """A finding in a text: 0-based line, 0-based columns of code points."""

    line: int
    start: int
    end: int
    message: str
    check: str
    is_error: bool


def ruleset_of(path: Path, text: str) -> Path | None:
    """Return the ruleset that a file belongs to: a folder, the file itself, or ``None``."""
    if path.suffix != ".toml":
        return None
    if path.parent.name == "rules" and os.path.isfile(path.parent.parent / MANIFEST):
        return path.parent.parent
    if path.name == MANIFEST:
        return path.parent
    return path if "[ruleset]" in text else None


def marks_of(path: Path, text: str, catalog: Catalog) -> list[Mark]:
    """Lint the ruleset of a file with ``text`` in the file's place; give what is about the file."""
    ruleset = ruleset_of(path, text)
    if ruleset is None or not os.path.exists(path):
        return []
    if len(text) > LARGEST:
        told = f"This file has more than {LARGEST:,} characters; it is not looked at."
        return [Mark(0, 0, 0, told, "too-large", is_error=False)]
    drafts = {os.path.realpath(path): text}
    only = None if path.name == MANIFEST else path
    result = lint_rulesets([str(ruleset)], catalog, drafts=drafts, only=only)
    lines = text.split("\n")
    own = [finding for finding in result.findings if _same(finding.file, path)]
    return [_mark(finding, lines) for finding in own]


def _same(file: str, path: Path) -> bool:
    return os.path.realpath(file) == os.path.realpath(path)


def _mark(finding: LintFinding, lines: list[str]) -> Mark:
    line = min(max((finding.line or 1) - 1, 0), len(lines) - 1)
    text = lines[line]
    start, end = len(text) - len(text.lstrip()), len(text)
    if finding.excerpt is not None and finding.column is not None:
        place = text.find(finding.excerpt.strip())
        if place >= 0:
            before = len(finding.excerpt) - len(finding.excerpt.lstrip())
            start = place + finding.column - 1 - before
            end = _name_end(text, start)
    is_error = finding.check == "does-not-load"
    return Mark(line, start, end, clip(finding.message, _SHOWN), finding.check, is_error)


def _name_end(text: str, start: int) -> int:
    end = start
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return max(end, min(start + 1, len(text)))


def declared_in(path: Path, text: str) -> Declared:
    """Read what the ruleset and the rule declare, as far as their files can be read.

    A name that no file could declare is not among them.
    """
    ruleset = ruleset_of(path, text)
    own = _table(text)
    manifest = own
    if ruleset is not None and os.path.isdir(ruleset) and path.name != MANIFEST:
        try:
            manifest = _table(read_file(ruleset / MANIFEST).decode("utf-8"))
        except (OSError, UnicodeDecodeError):
            manifest = {}
    rules = own.get("rules") if isinstance(own.get("rules"), list) else [own]
    variables: dict[str, str] = {}
    for rule in rules or []:
        let = rule.get("let") if isinstance(rule, dict) else None
        variables.update(_texts(let, None))
    return Declared(
        _texts(manifest.get("params"), "type"), _texts(manifest.get("data"), "file"), variables
    )


def _table(text: str) -> dict[str, Any]:
    """Parse what is valid from the top: a line that is being written spoils what is below it."""
    lines = text.split("\n")
    while lines:
        parsed, line = _parsed("\n".join(lines))
        if parsed is not None:
            return parsed
        lines = lines[: min(line or len(lines), len(lines)) - 1]
    return {}


def _parsed(text: str) -> tuple[dict[str, Any] | None, int | None]:
    """Return the table, or the line of the mistake."""
    try:
        return parse_toml(text, "draft"), None
    except Unreadable as error:
        return None, error.problem.line


def _texts(table: Any, key: str | None) -> dict[str, str]:
    if not isinstance(table, dict):
        return {}
    return {
        name: clip(str(entry.get(key, "") if key and isinstance(entry, dict) else entry), _SHOWN)
        for name, entry in table.items()
        if re.fullmatch(NAME_PATTERN, name)
    }
