"""Lints rulesets: reads what can be read, checks every rule, gathers what was found."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tfgate.authoring.lint.findings import LintFinding, LintResult, Reporter
from tfgate.authoring.lint.plain import check_overlaps, check_unused, check_unused_let
from tfgate.authoring.lint.rule import check_rule
from tfgate.engine.functions import rule_functions
from tfgate.ruleset.files import Unreadable, read_toml
from tfgate.ruleset.loader import inspect_ruleset
from tfgate.ruleset.sources import MANIFEST, locate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

    from tfgate.errors import Problem
    from tfgate.ruleset import CompiledRule, Ruleset
    from tfgate.schema import Catalog


def lint_rulesets(
    sources: Sequence[str],
    catalog: Catalog,
    *,
    base: Path | None = None,
    ignore: Collection[str] = (),
    drafts: Mapping[str, str] | None = None,
    only: Path | None = None,
) -> LintResult:
    """Lint rulesets, against the schemas of ``catalog``; ``ignore`` names checks to leave out.

    ``drafts`` are texts that stand in for files, by their real paths. With ``only``, rules of other
    files are not looked into.
    """
    lint = _Lint(catalog, base, drafts or {}, only)
    for source in sources:
        lint.lint(source)
    check_overlaps(lint.rules)
    return lint.result(frozenset(ignore))


class _Lint:
    def __init__(
        self,
        catalog: Catalog,
        base: Path | None,
        drafts: Mapping[str, str],
        only: Path | None = None,
    ) -> None:
        self.catalog = catalog
        self.only = None if only is None else os.path.realpath(only)
        self.drafts = drafts
        self.base = base
        self.reporters: dict[str, Reporter] = {}
        self.rules: list[tuple[CompiledRule, Reporter, Any]] = []
        self.broken: list[LintFinding] = []

    def lint(self, source: str) -> None:
        """Lint one ruleset."""
        table = rule_functions()
        inspected = inspect_ruleset(source, base=self.base, functions=table, drafts=self.drafts)
        self.broken += [_as_finding(problem) for problem in inspected.problems]
        ruleset = inspected.ruleset
        if ruleset is None:
            return
        check_unused(ruleset, self._manifest(ruleset))
        seen: dict[str, int] = {}
        for rule in ruleset.rules:
            report = self._reporter(ruleset, rule.rule.file)
            number = seen.get(rule.rule.file, -1) + 1
            seen[rule.rule.file] = number
            prefix = () if ruleset.path.is_dir() else ("rules", number)
            self._lint_rule(ruleset, rule, report, prefix)

    def _lint_rule(
        self, ruleset: Ruleset, rule: CompiledRule, report: Reporter, prefix: Any
    ) -> None:
        texts = {key: expression.text for key, expression in rule.expressions()}
        report.start(rule.id, prefix, {**texts, "message": rule.rule.message})
        self.rules.append((rule, report, prefix))
        if self.only is not None and self.only != os.path.realpath(rule.rule.file):
            return
        check_unused_let(rule, report)
        check_rule(ruleset, rule, self.catalog, rule_functions(), report)

    def _manifest(self, ruleset: Ruleset) -> Reporter:
        shown = locate(ruleset.source, self.base).shown
        return self._reporter(ruleset, f"{shown}/{MANIFEST}" if ruleset.path.is_dir() else shown)

    def _reporter(self, ruleset: Ruleset, file: str) -> Reporter:
        if file not in self.reporters:
            shown = locate(ruleset.source, self.base).shown
            inside = ruleset.path.is_dir()
            path = ruleset.path / file[len(shown) + 1 :] if inside else ruleset.path
            self.reporters[file] = Reporter(file, self._text(path, file))
        return self.reporters[file]

    def _text(self, path: Path, file: str) -> str | None:
        draft = self.drafts.get(os.path.realpath(path))
        if draft is not None:
            return draft
        try:
            return read_toml(path, file).text
        except Unreadable:
            return None

    def result(self, ignore: frozenset[str]) -> LintResult:
        """Return what was found, in the order of the files."""
        kept, ignored = list(self.broken), 0
        for report in self.reporters.values():
            for finding in sorted(report.findings, key=lambda found: found.line or 0):
                if finding.check in ignore or report.waved_through.get(finding.check):
                    ignored += 1
                else:
                    kept.append(finding)
        return LintResult(tuple(kept), tuple(self._notes()), len(self.rules), ignored)

    def _notes(self) -> list[str]:
        globs = {glob for report in self.reporters.values() for glob in report.not_checked}
        by_prefix: dict[str, list[str]] = {}
        for glob in sorted(globs):
            by_prefix.setdefault(glob.partition("_")[0], []).append(glob)
        return [_no_schema(prefix, names) for prefix, names in by_prefix.items()]


def _no_schema(prefix: str, names: list[str]) -> str:
    some = f"{', '.join(names[:3])}{' …' if len(names) > 3 else ''}"
    return (
        f"No schema of provider {prefix} is at hand: what rules read of {some} was not checked "
        "(tfgate schema index makes one)."
    )


def _as_finding(problem: Problem) -> LintFinding:
    return LintFinding(
        check="does-not-load",
        file=problem.file,
        message=problem.message,
        key=problem.key,
        line=problem.line,
        column=problem.column,
        excerpt=problem.excerpt,
    )
