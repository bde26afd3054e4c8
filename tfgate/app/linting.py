"""Lint as a user asks for it: which rulesets, which schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tfgate.app.lint import CHECKS, LintResult, lint_rulesets
from tfgate.app.schema_index import open_schemas
from tfgate.errors import UsageError
from tfgate.ruleset import load_gate_config
from tfgate.ruleset.effective import sources_for
from tfgate.ruleset.loader import MANIFEST
from tfgate.ruleset.problems import suggest
from tfgate.schema import Catalog, load_indexes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tfgate.app.lint import LintFinding

_OF_SCHEMA = frozenset(
    {
        "unknown-type", "unknown-attribute", "wrong-nesting", "type-mismatch", "unknown-word",
        "not-ordered", "null-raises", "type-raises", "null-passes", "never-fails",
        "never-selects", "write-only", "deprecated", "null-in-message", "example-attribute",
        "unknown-unconsidered",
    }
)  # fmt: skip


def lint(
    sources: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    *,
    config: str | None = None,
    schemas: Sequence[str] = (),
    ignore: Sequence[str] = (),
) -> LintResult:
    """Lint ``sources`` (default: the ruleset in ``cwd``, else those of ``tfgate.toml``).

    ``schemas`` are files or initialised directories, which count before the user's and the shipped
    indexes; what they say otherwise than another version at hand is noted, and is no finding.
    Raises ``UsageError`` and ``ConfigError``.
    """
    for name in ignore:
        if name not in CHECKS:
            raise UsageError(f"There is no check {name}{suggest(name, CHECKS)}.")
    given = [index for schema in schemas for index in open_schemas(cwd / schema, env)]
    catalog = Catalog([*given, *load_indexes(env)])
    found = named_sources(sources, cwd, env, config=config)
    result = lint_rulesets(found, catalog, base=cwd, ignore=ignore)
    differing = [
        index
        for index in catalog.indexes
        if index.prefix in catalog.others and catalog.others[index.prefix].version != index.version
    ]
    if not differing:
        return result
    others = [catalog.others.get(index.prefix, index) for index in catalog.indexes]
    before = lint_rulesets(found, Catalog(others), base=cwd, ignore=ignore)
    versions = ", ".join(
        f"{index.prefix} {index.version or '(version not known)'} and "
        f"{catalog.others[index.prefix].version or '(version not known)'}"
        for index in differing
    )
    return _apart(result, before, versions)


def _apart(result: LintResult, before: LintResult, versions: str) -> LintResult:
    """Make notes of the findings that only one version of a provider gives."""
    known = {_place(finding) for finding in before.findings}
    kept, notes = [], []
    for finding in result.findings:
        if finding.check in _OF_SCHEMA and _place(finding) not in known:
            where = finding.file if finding.line is None else f"{finding.file}:{finding.line}"
            notes.append(f"{where}: {finding.message} ({versions} differ in this)")
        else:
            kept.append(finding)
    return msgspec.structs.replace(result, findings=tuple(kept), notes=(*result.notes, *notes))


def _place(finding: LintFinding) -> tuple[object, ...]:
    return finding.check, finding.file, finding.key, finding.column


def named_sources(
    sources: Sequence[str], cwd: Path, env: Mapping[str, str], *, config: str | None = None
) -> list[str]:
    """Give the rulesets to look at: those named, the one here, else the configured ones."""
    if sources:
        return list(sources)
    if config is None and (cwd / MANIFEST).is_file():
        return ["."]
    loaded = load_gate_config(cwd, env, config=config)
    found = sources_for(loaded, "default")
    return [
        source.text if source.base == cwd or ":" in source.text else str(source.base / source.text)
        for source in found
    ]
