"""Which rules hold where: loaded once, so that a change on disk changes nothing by halves."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tfgate.engine.functions import rule_functions
from tfgate.errors import ConfigError, Problem, TfgateError
from tfgate.model.glob import glob_matches
from tfgate.ruleset import From, Origin, load_gate_config
from tfgate.ruleset.config import Source
from tfgate.ruleset.effective import Effective, load_rulesets, resolve, sources_for
from tfgate.ruleset.settings import Value

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tfgate.ruleset import GateConfig
    from tfgate.ruleset.ruleset import Ruleset
    from tfgate.web.settings import PolicyTable, Settings

_Key = tuple[str, Path]


class Policy(NamedTuple):
    """One table, with everything of it in memory."""

    table: PolicyTable
    config: GateConfig
    rulesets: Mapping[_Key, Ruleset]
    before_plan: tuple[Source, ...]

    def rules(self, config: GateConfig, workspace: str) -> Effective:
        """Give the rules in force in a workspace, from memory."""
        return self._resolve(config, workspace, ())

    def source_rules(self, config: GateConfig, workspace: str) -> Effective:
        """The same before there is a plan."""
        return self._resolve(config, workspace, self.before_plan)

    def _resolve(self, config: GateConfig, workspace: str, more: Sequence[Source]) -> Effective:
        wanted = {_key(source): None for source in (*sources_for(config, workspace), *more)}
        return resolve(config, [self.rulesets[key] for key in wanted], workspace)


def load_policies(settings: Settings, env: Mapping[str, str]) -> tuple[Policy, ...]:
    """Load every policy. Raises ``ConfigError`` with what is wrong in any of them."""
    policies: list[Policy] = []
    problems: list[Problem] = []
    for table in settings.policy:
        try:
            policies.append(_load(settings, table, env))
        except ConfigError as error:  # noqa: PERF203 - a handful, each to be tried
            problems += error.problems
        except TfgateError as error:
            problems.append(Problem(table.config, str(error)))
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)))
    return tuple(policies)


def choose(
    tables: Sequence[PolicyTable], organization: str, project: str | None, workspace: str
) -> int | None:
    """Give the number of the first table that fits, ``None`` where none does.

    A project that the request does not name fits ``*`` alone.
    """
    for number, table in enumerate(tables):
        in_project = (
            table.project == "*" if project is None else glob_matches(table.project, project)
        )
        if (
            in_project
            and glob_matches(table.organization, organization)
            and glob_matches(table.workspace, workspace)
        ):
            return number
    return None


def _load(settings: Settings, table: PolicyTable, env: Mapping[str, str]) -> Policy:
    folder = settings.path(".")
    config = _with_table(
        load_gate_config(folder, env, config=str(settings.path(table.config))), table, folder
    )
    origin = Origin(From.FLAG, "source_rulesets")
    before_plan = tuple(Source(text, folder, origin) for text in table.source_rulesets)
    of_tables = [
        Source(text, config.folder, Origin(From.FILE, config.shown))
        for workspace in config.workspaces
        for text in workspace.rulesets
    ]
    sources = {_key(s): s for s in (*config.rulesets, *of_tables, *before_plan)}
    loaded = load_rulesets(
        sources.values(),
        functions=rule_functions(),
        shipped_examples=False,
        remote=lambda: config.remote,
    )
    # With the data files that the configuration names: from now on they are part of the rulesets.
    rulesets = dict(zip(sources, resolve(config, loaded, "").rulesets, strict=True))
    approvals = tuple(str(settings.path(text)) for text in table.approvals)
    table = msgspec.structs.replace(table, approvals=approvals)
    return Policy(table, msgspec.structs.replace(config, data={}), rulesets, before_plan)


def _with_table(config: GateConfig, table: PolicyTable, folder: Path) -> GateConfig:
    values = dict(config.values)
    if table.rulesets is not None:
        origin = Origin(From.FLAG, "policy.rulesets")
        values["gate.rulesets"] = Value(list(table.rulesets), origin, folder)
    params = {
        name: {**config.params.get(name, {}), **table.params.get(name, {})}
        for name in (*config.params, *table.params)
    }
    return msgspec.structs.replace(
        config, values=values, levels={**config.levels, **table.levels}, params=params
    )


def _key(source: Source) -> _Key:
    """Shipped rulesets are the same from everywhere."""
    return (source.text, Path("/") if source.text.startswith("tfgate:") else source.base)
