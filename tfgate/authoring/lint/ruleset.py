"""Lint of whole rulesets: read what can be read, check every rule, gather the findings.

Here also stand the checks that compare rules, and those for what nothing uses.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tfgate.authoring.lint.findings import LintFinding, LintResult, Reporter
from tfgate.authoring.lint.rule import SharedRemarks, check_rule
from tfgate.engine.functions import rule_functions
from tfgate.query.tree import And, Comparison, Not, Or, Tree, operands
from tfgate.query.unparse import unparse
from tfgate.ruleset.files import Unreadable, read_toml
from tfgate.ruleset.loader import inspect_ruleset
from tfgate.ruleset.names import used_of
from tfgate.ruleset.sources import MANIFEST, locate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from pathlib import Path

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
    _check_overlaps(lint.rules)
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
        self.broken += [
            LintFinding("does-not-load", p.file, p.message, "", p.key, p.line, p.column, p.excerpt)
            for p in inspected.problems
        ]
        ruleset = inspected.ruleset
        if ruleset is None:
            return
        _check_unused(ruleset, self._manifest(ruleset))
        shared = SharedRemarks()
        seen: dict[str, int] = {}
        for rule in ruleset.rules:
            report = self._reporter(ruleset, rule.rule.file)
            number = seen.get(rule.rule.file, -1) + 1
            seen[rule.rule.file] = number
            prefix = () if ruleset.path.is_dir() else ("rules", number)
            self._lint_rule(ruleset, rule, report, prefix, shared)
        manifest = self._manifest(ruleset)
        manifest.start("", (), {f"let.{name}": e.text for name, e in ruleset.let.items()})
        shared.report(manifest)

    def _lint_rule(
        self,
        ruleset: Ruleset,
        rule: CompiledRule,
        report: Reporter,
        prefix: Any,
        shared: SharedRemarks,
    ) -> None:
        texts = {key: expression.text for key, expression in rule.expressions()}
        report.start(rule.id, prefix, {**texts, "message": rule.rule.message})
        self.rules.append((rule, report, prefix))
        if self.only is not None and self.only != os.path.realpath(rule.rule.file):
            return
        _check_unused_let(rule, report)
        check_rule(ruleset, rule, self.catalog, rule_functions(), report, shared)

    def _manifest(self, ruleset: Ruleset) -> Reporter:
        shown = locate(ruleset.source, self.base).shown
        return self._reporter(ruleset, f"{shown}/{MANIFEST}" if ruleset.path.is_dir() else shown)

    def _reporter(self, ruleset: Ruleset, file: str) -> Reporter:
        if file not in self.reporters:
            self.reporters[file] = Reporter(file, self._text(ruleset.path_of(file), file))
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
                if finding.check in ignore or report.ignored.get(finding.check):
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


_SIGNS = {"eq": "eq", "ne": "ne", "lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}
_OPPOSITE = {"eq": "ne", "ne": "eq"}


def _check_unused(ruleset: Ruleset, report: Reporter) -> None:
    """Report parameters, data files, facts and values of ``[let]`` that no rule uses."""
    used = {
        path[:2]
        for rule in ruleset.rules
        for expression in (*rule.deciding(), *rule.shown())
        for path in expression.variables
    }
    for key, declared in (
        ("params", ruleset.params),
        ("data", ruleset.data),
        ("context", ruleset.context),
    ):
        for name in declared:
            if (key, name) not in used:
                report.add("unused", f"no rule reads ${key}.{name}", (key, name), rule="")
    for name in ruleset.let:
        if (name,) not in used:
            report.add("unused", f"no rule uses ${name}", ("let", name), rule="")


def _check_unused_let(rule: CompiledRule, report: Reporter) -> None:
    """Report let values that nothing asks for, directly or through others."""
    asking = [e for key, e in rule.expressions() if not key.startswith("let.")]
    wanted = used_of(rule.let, [*asking, *rule.shown()])
    for name in rule.rule.let:
        if name not in wanted:
            report.add("unused", f"nothing uses ${name}", ("let", name))


def _signature(rule: CompiledRule) -> tuple[Any, ...] | None:
    """Return what a rule selects and asks, the same for rules that say the same in other words."""
    expression = rule.deny or rule.require
    if expression is None:
        return None
    match = rule.rule.match
    selects = tuple(
        tuple(sorted(map(str, values)))
        for values in (
            match.types, match.actions, match.modes, match.modules, match.providers,
            match.addresses, match.names, match.blocks,
        )
    )  # fmt: skip
    asks = _canonical(expression.node.tree, negated=rule.deny is None)
    when = _canonical(rule.when.node.tree, negated=False) if rule.when else ""
    lets = tuple(sorted((name, unparse(e.node.tree)) for name, e in rule.let.items()))
    return (rule.rule.scope, selects, when, asks, lets)


def _canonical(tree: Tree, *, negated: bool) -> str:
    match tree:
        case Not():
            return _canonical(tree.operand, negated=not negated)
        case And() | Or():
            parts = sorted({_canonical(part, negated=negated) for part in operands(tree)})
            together = isinstance(tree, And) is not negated
            return f"({(' && ' if together else ' || ').join(parts)})"
        case Comparison():
            return _comparison(tree, negated=negated)
        case _:
            return f"{'!' if negated else ''}{unparse(tree)}"


def _comparison(tree: Comparison, *, negated: bool) -> str:
    sign, left, right = tree.sign, unparse(tree.left), unparse(tree.right)
    if negated and sign in _OPPOSITE:
        sign, negated = _OPPOSITE[sign], False
    if left > right:
        left, right, sign = right, left, _SIGNS[sign]
    return f"{'!' if negated else ''}{left} {sign} {right}"


def _check_overlaps(rules: list[tuple[CompiledRule, Reporter, Any]]) -> None:
    """Report a rule that selects and asks what a rule before it does."""
    first: dict[Any, CompiledRule] = {}
    for rule, report, prefix in rules:
        found = _signature(rule)
        if found is None:
            continue
        before = first.setdefault(found, rule)
        if before is not rule:
            report.start(rule.id, prefix, {})
            where = f"{before.rule.file}:{before.rule.line}"
            message = f"selects and asks the same as {before.id} ({where})"
            report.add("overlapping-rules", message)
