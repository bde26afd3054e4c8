"""What holds for one workspace: rulesets, enforcement levels, parameter values, data files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.errors import ConfigError, Problem
from tfgate.model import Frozen
from tfgate.model.text import glob_matches
from tfgate.ruleset.config import Source
from tfgate.ruleset.data import DataFile, read_data
from tfgate.ruleset.files import Unreadable
from tfgate.ruleset.loader import load_ruleset
from tfgate.ruleset.params import check_params
from tfgate.ruleset.problems import Problems, show_name, suggest
from tfgate.ruleset.ruleset import complete_params, repeated_rules
from tfgate.ruleset.settings import From, Origin, place
from tfgate.ruleset.sources import GIT_PREFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.model.rule import Enforcement
    from tfgate.query import FunctionTable
    from tfgate.ruleset.compiled import CompiledRule
    from tfgate.ruleset.config import GateConfig
    from tfgate.ruleset.params import ParamSpec
    from tfgate.ruleset.problems import KeyPath
    from tfgate.ruleset.remote.remote import Remote
    from tfgate.ruleset.ruleset import Ruleset


class Effective(Frozen, frozen=True):
    """The rules in force in one workspace."""

    rulesets: tuple[Ruleset, ...]
    """With the data files that the configuration names."""
    levels: Mapping[str, Enforcement]
    """Rule id → level, for the rules whose level the configuration changes."""
    params: Mapping[str, Mapping[str, Any]]
    """Ruleset id → parameter → value, every parameter, defaults included."""

    @property
    def data(self) -> dict[str, dict[str, DataFile]]:
        """Ruleset id → name → data file, those the configuration names included."""
        return {
            ruleset.id: {name: file for name, file in ruleset.data.items() if file is not None}
            for ruleset in self.rulesets
        }

    def level(self, rule: CompiledRule) -> Enforcement:
        """Return the level in force of a rule."""
        return self.levels.get(rule.id, rule.rule.enforcement)


def load_rulesets(
    sources: Iterable[Source],
    *,
    functions: FunctionTable | None = None,
    shipped_examples: bool = True,
    remote: Callable[[], Remote] | None = None,
) -> tuple[Ruleset, ...]:
    """Load several rulesets. Raises ``ConfigError`` with every mistake of all of them.

    ``shipped_examples`` is handed on to ``load_ruleset``. ``remote`` gives what finds rulesets in
    git; it is called where there are any.
    """
    rulesets: list[Ruleset] = []
    problems: list[Problem] = []
    for source in sources:
        try:
            in_git = source.text.startswith(GIT_PREFIX)
            rulesets.append(
                load_ruleset(
                    source.text,
                    base=source.base,
                    functions=functions,
                    shipped_examples=shipped_examples,
                    remote=remote() if remote is not None and in_git else None,
                )
            )
        except ConfigError as error:  # noqa: PERF203 - a handful of rulesets, each to be tried
            problems += error.problems
    problems += _repeated(rulesets)
    if problems:
        raise ConfigError(problems)
    return tuple(rulesets)


def _repeated(rulesets: Sequence[Ruleset]) -> list[Problem]:
    """Waivers and levels name rules by id alone, so ids are unique among the rulesets in use."""
    first: dict[str, Ruleset] = {}
    problems = []
    for ruleset in rulesets:
        before = first.setdefault(ruleset.id, ruleset)
        if before is not ruleset:
            message = f"the ruleset {show_name(ruleset.id)} is already loaded from {before.source}"
            problems.append(Problem(ruleset.source, message))
    return problems or repeated_rules([rule for ruleset in rulesets for rule in ruleset.rules])


def for_workspace(
    config: GateConfig,
    workspace: str,
    *,
    functions: FunctionTable | None = None,
    shipped_examples: bool = True,
) -> Effective:
    """Load what holds in a workspace. Raises ``ConfigError`` with every mistake."""
    rulesets = load_rulesets(
        sources_for(config, workspace),
        functions=functions,
        shipped_examples=shipped_examples,
        remote=lambda: config.remote,
    )
    return resolve(config, rulesets, workspace)


def sources_for(config: GateConfig, workspace: str) -> tuple[Source, ...]:
    """Return the rulesets in use: those of ``[gate]``, then those that the workspace adds."""
    sources = list(config.rulesets)
    for table in config.workspaces:
        if glob_matches(table.match, workspace):
            origin = Origin(From.FILE, config.shown)
            sources += [Source(text, config.folder, origin) for text in table.rulesets]
    return tuple({(source.text, source.base): source for source in sources}.values())


def resolve(config: GateConfig, rulesets: Sequence[Ruleset], workspace: str) -> Effective:
    """Apply levels, parameters and data files to loaded rulesets.

    The ``[[workspace]]`` tables of other workspaces are checked too, as far as they speak of these
    rulesets. Raises ``ConfigError`` with every mistake.
    """
    problems = config.file.problems() if config.file is not None else Problems(config.shown)
    resolver = _Resolver(config, rulesets, problems)
    applied = [
        i for i, table in enumerate(config.workspaces) if glob_matches(table.match, workspace)
    ]
    for number in range(len(config.workspaces)):
        if number not in applied:
            resolver.levels([number], only_new=True)
            resolver.check_params(number)
    levels = resolver.levels(applied)
    params = resolver.params(applied)
    loaded = tuple(resolver.with_data())
    found = [*problems.done(), *resolver.elsewhere, *_disagreements(rulesets)]
    if found:
        raise ConfigError(found)
    return Effective(loaded, levels, params)


def _disagreements(rulesets: Sequence[Ruleset]) -> list[Problem]:
    """Return a mistake for each name that a ruleset declares with another type than one before."""
    first: dict[str, tuple[Ruleset, ParamSpec]] = {}
    found = []
    for ruleset in rulesets:
        for name, spec in ruleset.context.items():
            before, other = first.setdefault(name, (ruleset, spec))
            if other.type != spec.type:
                message = (
                    f"the ruleset {show_name(ruleset.id)} declares it as {spec.type}, and the "
                    f"ruleset {show_name(before.id)} as {other.type}: one --context cannot be both"
                )
                found.append(Problem(ruleset.source, message, f"context.{show_name(name)}"))
    return found


class _Resolver:
    def __init__(self, config: GateConfig, rulesets: Sequence[Ruleset], problems: Problems) -> None:
        self.config = config
        self.rulesets = {ruleset.id: ruleset for ruleset in rulesets}
        self.rules = {rule.id: (rule, ruleset) for ruleset in rulesets for rule in ruleset.rules}
        self.problems = problems
        self.elsewhere: list[Problem] = []
        # A name that is in no loaded ruleset is a typing mistake, unless this run was told (by
        # flag or environment) to use other rulesets than the file's.
        self.strict = config.values["gate.rulesets"].origin.layer in {From.DEFAULT, From.FILE}

    def levels(
        self, workspaces: Sequence[int], *, only_new: bool = False
    ) -> dict[str, Enforcement]:
        """Return the levels in force; later lines and later tables win. Lowering is checked.

        ``only_new`` is for tables of other workspaces: what the base says is reported once.
        """
        layers: list[tuple[KeyPath, Mapping[str, Enforcement]]] = [
            (("levels",), self.config.levels),
            *((_at(i, "levels"), self.config.workspaces[i].levels) for i in workspaces),
        ]
        chosen: dict[str, tuple[KeyPath, Enforcement]] = {}
        for at, layer in layers:
            for glob, level in layer.items():
                matching = [rule_id for rule_id in self.rules if glob_matches(glob, rule_id)]
                chosen.update(dict.fromkeys(matching, ((*at, glob), level)))
                if not matching and not only_new:
                    self._unknown_rule(glob, (*at, glob))
        self._check_lowering(chosen, only_new=only_new)
        return {rule_id: level for rule_id, (_, level) in chosen.items()}

    def _unknown_rule(self, glob: str, at: KeyPath) -> None:
        if self.strict:
            near = suggest(glob, self.rules)
            self.problems.add(f"matches no rule of the rulesets in use{near}", at)

    def _check_lowering(
        self, chosen: Mapping[str, tuple[KeyPath, Enforcement]], *, only_new: bool
    ) -> None:
        for rule_id, (at, level) in chosen.items():
            rule, ruleset = self.rules[rule_id]
            own = rule.rule.enforcement
            if level.rank >= own.rank or rule.overridable or (only_new and at[0] == "levels"):
                continue
            self.problems.add(
                f"lowers {rule_id} from {own} to {level}, which the ruleset "
                f"{show_name(ruleset.id)} does not allow (it is not overridable)",
                at,
            )

    def params(self, workspaces: Sequence[int]) -> dict[str, dict[str, Any]]:
        """Return every parameter's value; a value is replaced as a whole, never merged."""
        given: dict[str, dict[str, Any]] = {ruleset_id: {} for ruleset_id in self.rulesets}
        layers: list[tuple[KeyPath, Mapping[str, Mapping[str, Any]]]] = [
            (("params",), self.config.params),
            *((_at(i, "params"), self.config.workspaces[i].params) for i in workspaces),
        ]
        for at, layer in layers:
            for ruleset_id, values in layer.items():
                if ruleset_id in self.rulesets:
                    ruleset = self.rulesets[ruleset_id]
                    given[ruleset_id] |= check_params(
                        ruleset.params, values, (*at, ruleset_id), self.problems
                    )
                elif self.strict:
                    self.problems.unknown_key(ruleset_id, at, self.rulesets)
        return {
            ruleset_id: complete_params(self.rulesets[ruleset_id], values, self.problems)
            for ruleset_id, values in given.items()
        }

    def check_params(self, number: int) -> None:
        """Check the values of a workspace's table that does not apply now."""
        for ruleset_id, values in self.config.workspaces[number].params.items():
            if ruleset_id in self.rulesets:
                at = ("workspace", number, "params", ruleset_id)
                check_params(self.rulesets[ruleset_id].params, values, at, self.problems)

    def with_data(self) -> Iterator[Ruleset]:
        """Return the rulesets, each with its data files: a flag wins, then the configuration.

        In the configuration, what is said of one ruleset wins over what is said of all.
        """
        declared = sorted({name for ruleset in self.rulesets.values() for name in ruleset.data})
        for key, named in self.config.data.items():
            known = declared if isinstance(named, str) else [*self.rulesets]
            if key not in known and self.strict:
                self.problems.unknown_key(key, ("data",), known)
        for name in self.config.given_data:
            if name not in declared:
                what = f"names {show_name(name)}, which no ruleset in use declares in [data]"
                self.elsewhere.append(Problem("--data", f"{what}{suggest(name, declared)}"))
        for ruleset in self.rulesets.values():
            yield msgspec.structs.replace(ruleset, data=self._data_of(ruleset))

    def _data_of(self, ruleset: Ruleset) -> dict[str, DataFile | None]:
        own = self.config.data.get(ruleset.id, {})
        named = {} if isinstance(own, str) else own
        for name in named:
            if name not in ruleset.data:
                self.problems.unknown_key(name, ("data", ruleset.id), ruleset.data)
        files: dict[str, DataFile | None] = {}
        for name, shipped in ruleset.data.items():
            for_all = self.config.data.get(name)
            path = named.get(name, for_all if isinstance(for_all, str) else None)
            given = self.config.given_data.get(name)
            if given is not None:
                files[name] = self._read_data(ruleset, name, given, str(given), "flag")
            elif path is not None:
                at = place(path, self.config.folder, self.config.home)
                files[name] = self._read_data(ruleset, name, at, path, "configuration")
            elif shipped is not None:
                files[name] = shipped
            else:
                message = (
                    f"the ruleset {show_name(ruleset.id)} needs the path of a file for {name}: "
                    f"here, or with --data {name}=FILE"
                )
                self.problems.add(message, ("data", ruleset.id, name))
        return {name: file for name, file in files.items() if file is not None}

    def _read_data(
        self, ruleset: Ruleset, name: str, path: Path, shown: str, source: str
    ) -> DataFile | None:
        try:
            schema = ruleset.schemas.get(name)
            return read_data(name, path, shown, schema=schema, source=source)
        except Unreadable as error:
            self.elsewhere.append(error.problem)
            return None


def _at(workspace: int, key: str) -> KeyPath:
    return ("workspace", workspace, key)
