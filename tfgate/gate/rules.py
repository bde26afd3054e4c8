"""The rules as they were at another commit of the checkout: configuration, rulesets, data files."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from msgspec.structs import replace

from tfgate.audit.scratch import scratch
from tfgate.engine.functions import rule_functions
from tfgate.errors import UsageError
from tfgate.gate.absent import refuse_absent
from tfgate.gate.rule_origin import repository_of
from tfgate.git import Git
from tfgate.model.rule import Enforcement, Match, Rule, default_on_unknown
from tfgate.ruleset import (
    CompiledRule,
    Effective,
    GateConfig,
    Ruleset,
    for_workspace,
    load_gate_config,
)
from tfgate.ruleset.config import find_config
from tfgate.ruleset.sources import GIT_PREFIX, MANIFEST, SHIPPED_PREFIX
from tfgate.terraform.gitdir import GitDir

MAX_FILES = 50_000
"""Of one commit that are written out: all of its TOML and JSON files."""
READ = (".toml", ".json", "tfgate.lock")
"""How the names of files end that rules may be made of."""


@dataclass(frozen=True)
class RulesPlace:
    """Where rules are looked for, as on the command line."""

    cwd: Path
    env: Mapping[str, str]
    config: str | None = None
    rulesets: tuple[str, ...] = ()

    def gate_config(self) -> GateConfig:
        """Read the configuration as it is now. Raises ``ConfigError``.

        In the folder of a ruleset, without any configuration, that ruleset is meant.
        """
        named: Sequence[str] = self.rulesets
        if not named and (self.cwd / MANIFEST).is_file():
            named = () if find_config(self.cwd, self.env, self.config) else (".",)
        flags = {"gate.rulesets": list(named) or None}
        return load_gate_config(self.cwd, self.env, config=self.config, flags=flags)

    def effective(self, workspace: str = "default") -> Effective:
        """Load the rules as they are now. Raises ``ConfigError``."""
        return _loaded(self.gate_config(), workspace, self.env)

    def checkout(self) -> tuple[GitDir, Git]:
        """Return the checkout that the working directory is in. Raises ``UsageError``."""
        found = GitDir.find(self.cwd)
        if found is None:
            raise UsageError(
                f"{self.cwd} is in no git checkout, so there is nothing to compare with.",
                hint="Run this in the checkout that has the rules.",
            )
        repository = repository_of(found, self.env)
        if repository is None:
            raise UsageError("There is no git on PATH.", hint="Install git.")
        return found, repository


@contextmanager
def rules_at(place: RulesPlace, ref: str) -> Iterator[tuple[GateConfig, str]]:
    """Yield the configuration with the rulesets of ``ref``, and its commit.

    Its files are in a temporary folder while the block runs. Rulesets outside of the checkout are
    as they are now. Raises ``UsageError`` for a reference that there is not.
    """
    found, repository = place.checkout()
    commit = repository.commit_of(ref)
    if commit is None:
        raise UsageError(
            f"The checkout has no commit {ref}.", hint="Name a branch, a tag or a commit; fetch it."
        )
    with scratch() as folder:
        copy = folder.resolve()
        write_tree(repository, repository.tree(commit), copy, lambda path: path.endswith(READ))
        yield _config_at(place, found.top.resolve(), copy), commit


def write_tree(
    repository: Git, tree: Mapping[str, str], folder: Path, wanted: Callable[[str], bool]
) -> None:
    """Write the wanted files of a tree: content alone, through no filter, into ``folder``."""
    paths: dict[str, list[str]] = {}
    for path, blob in tree.items():
        if wanted(path) and _is_plain(path):
            paths.setdefault(blob, []).append(path)
    if sum(map(len, paths.values())) > MAX_FILES:
        raise UsageError(f"The commit has more than {MAX_FILES:,} files that could be rules.")
    for blob, data in repository.objects(paths):
        for path in paths[blob] if data is not None else ():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data or b"")


def _is_plain(path: str) -> bool:
    """Whether a path from a tree that nobody vouches for stays inside the folder."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and not {"..", "\\"} & {*parts}


def _config_at(place: RulesPlace, top: Path, copy: Path) -> GateConfig:
    now = place.gate_config()
    named = find_config(place.cwd, place.env, place.config)
    file = None if named is None else Path(os.path.realpath(named[0]))
    then = now
    moved = None if file is None else _moved(file, top, copy)
    if moved is not None and moved.is_file():
        flags = {"gate.rulesets": None}
        then = load_gate_config(moved.parent, place.env, config=str(moved), flags=flags)
        if place.rulesets:
            values = {**then.values, "gate.rulesets": now.values["gate.rulesets"]}
            then = replace(then, values=values)
    return _with_sources(then, top, copy)


def _with_sources(config: GateConfig, top: Path, copy: Path) -> GateConfig:
    """Let every source that lies in the checkout lie in the copy."""
    listed = config.values["gate.rulesets"]

    def moved(texts: Iterable[str], base: Path) -> tuple[str, ...]:
        return tuple(_source(text, base, top, copy) for text in texts)

    values: dict[str, Any] = {
        **config.values,
        "gate.rulesets": replace(listed, value=moved(listed.value, listed.base)),
    }
    tables = tuple(
        replace(table, rulesets=moved(table.rulesets, config.folder)) for table in config.workspaces
    )
    return replace(config, values=values, workspaces=tables)


def _source(text: str, base: Path, top: Path, copy: Path) -> str:
    if text.startswith((SHIPPED_PREFIX, GIT_PREFIX)):
        return text
    there = _moved(Path(os.path.realpath(base / text)), top, copy)
    return text if there is None else str(there)


def _moved(path: Path, top: Path, copy: Path) -> Path | None:
    """Return the place in the copy of a path in the checkout; ``None`` for one outside of it."""
    return copy / path.relative_to(top) if top in (path, *path.parents) else None


def rules_in_force(
    cwd: Path,
    env: Mapping[str, str],
    *,
    config: str | None = None,
    rulesets: Sequence[str] = (),
    workspace: str = "default",
) -> Effective:
    """Load the rulesets of the configuration, or those named. Raises ``ConfigError``."""
    flags = {"gate.rulesets": list(rulesets) or None}
    loaded = load_gate_config(cwd, env, config=config, flags=flags)
    return _loaded(loaded, workspace, env)


def _loaded(config: GateConfig, workspace: str, env: Mapping[str, str]) -> Effective:
    found = for_workspace(config, workspace, functions=rule_functions())
    refuse_absent(found.rulesets, config.gate.allow, env)
    return found


def describe_rule(ruleset: Ruleset, compiled: CompiledRule, level: Enforcement) -> str:
    """Write a rule as a page of plain text."""
    return "\n".join(_lines(ruleset, compiled.rule, level)) + "\n"


def _lines(ruleset: Ruleset, rule: Rule, level: Enforcement) -> Iterator[str]:
    yield f"{rule.id}: {rule.title}"
    yield ""
    if rule.description:
        yield rule.description.strip()
        yield ""
    yield from _facts(ruleset, rule, level)
    yield ""
    for key, text in (("when", rule.when), ("deny", rule.deny), ("require", rule.require)):
        if text is not None:
            yield f"{key}:"
            yield from (f"    {line}" for line in text.strip().splitlines())
    for name, text in rule.let.items():
        yield f"let {name}:"
        yield from (f"    {line}" for line in text.strip().splitlines())
    if rule.remediation:
        yield ""
        yield f"To fix it: {rule.remediation.strip()}"
    if rule.tests:
        yield ""
        yield "Examples:"
        yield from (f"    {test.expect:8} {test.name}" for test in rule.tests)


def _facts(ruleset: Ruleset, rule: Rule, level: Enforcement) -> Iterator[str]:
    changed = "" if level is rule.enforcement else f" (the ruleset says {rule.enforcement})"
    on_unknown = rule.on_unknown or default_on_unknown(level)
    yield f"ruleset      {ruleset.id} {ruleset.version} ({ruleset.source})"
    yield f"file         {rule.file}" + (f":{rule.line}" if rule.line else "")
    yield f"level        {level}{changed}"
    yield f"severity     {rule.severity}"
    yield f"if unknown   {on_unknown}"
    yield f"looks at     {rule.scope}: {describe_match(rule.match)}"
    yield f"owners       {', '.join(rule.owners or ruleset.owners)}"
    for framework, controls in rule.controls.items():
        yield f"controls     {framework}: {', '.join(controls)}"
    for reference in rule.references:
        yield f"reference    {reference}"


def describe_match(match: Match) -> str:
    """Write what a match selects on one line."""
    parts = [
        f"{name} {', '.join(str(value) for value in values)}"
        for name, values in (
            ("types", match.types),
            ("actions", match.actions),
            ("modes", match.modes),
            ("modules", match.modules),
            ("providers", match.providers),
            ("addresses", match.addresses),
            ("names", match.names),
            ("blocks", match.blocks),
        )
        if values
    ]
    return "; ".join(parts) or "everything"
