"""The configuration in force, as text: every value with its origin."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from tfgate.command.output import write_out
from tfgate.gate.record import audit_paths
from tfgate.ruleset import SETTINGS, From, GateConfig, Origin, load_gate_config


def describe_settings(cwd: Path, env: Mapping[str, str], *, config: str | None = None) -> str:
    """Write ``name = value  # origin`` for each setting. Raises ``ConfigError``."""
    loaded = load_gate_config(cwd, env, config=config)
    rows = list(_rows(loaded, env))
    width = max(len(f"{name} = {value}") for name, value, _ in rows)
    return "".join(f"{f'{name} = {value}':{width}}  # {origin}\n" for name, value, origin in rows)


def _rows(config: GateConfig, env: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    log, evidence = audit_paths(config, env)
    derived = {"audit.log": str(log), "audit.evidence": str(evidence)}
    for setting in SETTINGS:
        value = config.values[setting.name].value
        shown = derived.get(setting.name) if value is None else value
        yield setting.name, _show(shown), _origin(config.origin(setting.name))
    for rule, level in config.levels.items():
        yield f"levels.{json.dumps(rule)}", _show(level), config.shown
    for ruleset, params in config.params.items():
        for name, value in params.items():
            yield f"params.{ruleset}.{name}", _show(value), config.shown
    for table in config.workspaces:
        for rule, level in table.levels.items():
            yield f"workspace[{table.match}].levels.{json.dumps(rule)}", _show(level), config.shown
        for ruleset, params in table.params.items():
            for name, value in params.items():
                key = f"workspace[{table.match}].params.{ruleset}.{name}"
                yield key, _show(value), config.shown


def _origin(origin: Origin) -> str:
    return origin.layer.value if origin.layer is From.DEFAULT else str(origin)


def _show(value: Any) -> str:
    if isinstance(value, (frozenset, set)):
        value = sorted(value)
    return json.dumps(value, default=str, ensure_ascii=False)


@click.command(epilog="Example: tfgate config --config ops/tfgate.toml")
@click.option("--config", metavar="FILE", help="Configuration to use.")
def config(config: str | None) -> None:
    """Show the configuration in force, and where each value comes from."""
    write_out(describe_settings(Path.cwd(), os.environ, config=config))
