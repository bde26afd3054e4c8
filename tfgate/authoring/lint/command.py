"""``tfgate rules lint``: which rulesets against which schemas, and what was found."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from tfgate.authoring.lint.findings import CHECKS, LintFinding, LintResult
from tfgate.authoring.lint.ruleset import lint_rulesets
from tfgate.authoring.schema import open_schemas
from tfgate.command.output import write_out
from tfgate.errors import UsageError
from tfgate.exitcodes import ExitCode
from tfgate.report.escape import console
from tfgate.ruleset import load_gate_config
from tfgate.ruleset.effective import sources_for
from tfgate.ruleset.problems import suggest
from tfgate.ruleset.sources import MANIFEST
from tfgate.schema import Catalog, load_indexes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


_OF_SCHEMA = frozenset(
    {
        "unknown-type", "unknown-attribute", "wrong-nesting", "type-mismatch", "unknown-word",
        "not-ordered", "null-raises", "type-raises", "null-passes", "never-fails",
        "never-selects", "write-only", "deprecated", "null-in-message", "example-attribute",
        "unknown-unconsidered",
    }
)  # fmt: skip


def lint_sources(
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
    """Return the rulesets to look at: those named, the one here, else the configured ones."""
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


@click.command(epilog="Example: tfgate rules lint ./policy --schema ./infra")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--config", metavar="FILE", help="Configuration to use.")
@click.option(
    "--schema", "schemas", multiple=True, metavar="FILE|DIR",
    help="A provider's schema: what `terraform providers schema -json` printed, an index, or an "
         "initialised directory. Repeatable; counts before the shipped ones.",
)  # fmt: skip
@click.option("--ignore", multiple=True, metavar="CHECK", help="A check to leave out. Repeatable.")
@click.option("--json", "as_json", is_flag=True, help="Write the findings as JSON.")
@click.option("--checks", is_flag=True, help="List the checks.")
def lint(
    sources: tuple[str, ...],
    config: str | None,
    schemas: tuple[str, ...],
    ignore: tuple[str, ...],
    as_json: bool,
    checks: bool,
) -> int:
    """Check rules against the schemas of providers: names, nesting, types, nulls.

    SOURCE is a folder, a TOML file or tfgate:NAME; without any, the ruleset in this directory, else
    those of tfgate.toml. Exit code 1 says that something was found.
    """
    if checks:
        for name, what in CHECKS.items():
            write_out(f"{name:20} {what}\n")
        return int(ExitCode.ALLOWED)
    result = lint_sources(
        sources, Path.cwd(), os.environ, config=config, schemas=schemas, ignore=ignore
    )
    write_out(_json(result) if as_json else _text(result))
    return int(ExitCode.DENIED if result.findings else ExitCode.ALLOWED)


def _json(result: LintResult) -> str:
    return msgspec.json.format(msgspec.json.encode(result)).decode() + "\n"


def _text(result: LintResult) -> str:
    lines = [line for finding in result.findings for line in finding.render().split("\n")]
    lines += [f"note: {note}" for note in result.notes]
    rules = f"{result.rules} rule{'' if result.rules == 1 else 's'}"
    count = len(result.findings)
    found = "nothing found" if not count else f"{count} finding{'' if count == 1 else 's'}"
    ignored = f", {result.ignored} ignored" if result.ignored else ""
    return "".join(f"{console(line)}\n" for line in [*lines, f"{rules}: {found}{ignored}"])
