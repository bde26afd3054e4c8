"""A loaded ruleset: its rules, parameters and data, pinned by one digest."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from tfgate.errors import ConfigError, Problem
from tfgate.model import Frozen
from tfgate.ruleset.params import check_params
from tfgate.ruleset.problems import Problems, show_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tfgate.query import Expression
    from tfgate.ruleset.compiled import CompiledRule
    from tfgate.ruleset.data import DataFile, DataSchema
    from tfgate.ruleset.header import Header
    from tfgate.ruleset.params import ParamSpec


class RulesetFile(Frozen, frozen=True):
    """A file that took part, for the digest."""

    path: str
    """Relative to the ruleset's folder, with ``/``."""
    sha256: str


class Ruleset(Frozen, frozen=True):
    """A loaded ruleset: everything in it is checked and compiled."""

    header: Header
    params: Mapping[str, ParamSpec]
    data: Mapping[str, DataFile | None]
    """Declared data files; ``None`` where the configuration has yet to name the file."""
    rules: tuple[CompiledRule, ...]
    source: str
    """As configured: ``tfgate:core``, ``./policy``, …"""
    path: Path
    """Where it was found: a folder or a file."""
    files: tuple[RulesetFile, ...]
    digest: str
    """``sha256:…`` over the sorted paths and digests of ``files``."""
    commit: str | None = None
    """Commit that it was taken from, where it comes from git."""
    context: Mapping[str, ParamSpec] = {}
    """Facts of the run that it declares."""
    let: Mapping[str, Expression] = {}
    """Values by name that every rule of it may use."""
    schemas: Mapping[str, DataSchema] = {}
    """By name, of data files that have one."""

    def resolve_params(self, overrides: Mapping[str, Any]) -> dict[str, Any]:
        """Return every parameter's value. Raises ``ConfigError`` for a wrong or missing one."""
        problems = Problems(self.source)
        values = complete_params(self, check_params(self.params, overrides, (), problems), problems)
        if problems:
            raise ConfigError(problems.done())
        return values

    def path_of(self, file: str) -> Path:
        """Return where a file is that messages name as ``file``: `Rule.file`, the manifest."""
        inside = next((one.path for one in self.files if file.endswith(f"/{one.path}")), None)
        return self.path / inside if inside is not None and self.path.is_dir() else self.path

    @property
    def id(self) -> str:
        """The ruleset's id."""
        return self.header.id

    @property
    def version(self) -> str:
        """Its semantic version."""
        return self.header.version

    @property
    def title(self) -> str:
        """What it is."""
        return self.header.title

    @property
    def owners(self) -> tuple[str, ...]:
        """Who looks after it."""
        return self.header.owners

    @property
    def description(self) -> str | None:
        """What it is for."""
        return self.header.description


def complete_params(
    ruleset: Ruleset, given: Mapping[str, Any], problems: Problems
) -> dict[str, Any]:
    """Add defaults to values that are right; record each parameter that lacks a value."""
    for name, spec in ruleset.params.items():
        if name not in given and spec.required:
            message = (
                f"the ruleset {show_name(ruleset.id)} needs a value of type {spec.type} "
                f"for {name} ({spec.description})"
            )
            problems.add(message, ("params", ruleset.id, name))
    return {name: given.get(name, spec.default) for name, spec in ruleset.params.items()}


def repeated_rules(rules: Sequence[CompiledRule]) -> list[Problem]:
    """Return a mistake for each rule whose id a rule before it has."""
    first: dict[str, CompiledRule] = {}
    problems = []
    for rule in rules:
        before = first.setdefault(rule.id, rule)
        if before is not rule and rule.id:
            where = f"{before.rule.file}:{before.rule.line}"
            message = f"the rule {show_name(rule.id)} is already in {where}"
            problems.append(Problem(rule.rule.file, message, "id", rule.rule.line))
    return problems


def digest(files: Sequence[RulesetFile]) -> str:
    """Return ``sha256:…`` of the JSON list ``[[path, sha256 hex], …]``, sorted, without spaces."""
    manifest = [[file.path, file.sha256] for file in files]
    text = json.dumps(manifest, separators=(",", ":"))
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
