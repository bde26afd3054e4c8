"""Waivers that are kept in ``tfgate.toml`` and in waiver files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.model.waiver import Waiver
from tfgate.ruleset.config_tables import WAIVER_FILE
from tfgate.ruleset.files import read_toml

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tfgate.errors import Problem
    from tfgate.ruleset.files import TomlFile


def build_waivers(read: Sequence[dict[str, Any]], file: str) -> tuple[Waiver, ...]:
    """Make waivers of tables that ``WAIVER`` read; incomplete ones, already reported, are left out.

    Whether a waiver holds on the day of a decision is the engine's question, not asked here.
    """
    return tuple(
        Waiver(**table, source=f"{file}: waivers[{number}]")
        for number, table in enumerate(read)
        if all(table[key] for key in ("rule", "address", "reason", "owner", "expires"))
    )


def read_waiver_file(
    path: Path, shown: str, problems: list[Problem]
) -> tuple[TomlFile, tuple[Waiver, ...]]:
    """Read a TOML file with ``[[waivers]]``. Raises ``Unreadable``; mistakes go to ``problems``."""
    file = read_toml(path, shown)
    found = file.problems()
    read = WAIVER_FILE.read(file.table, (), found)
    problems += found.done()
    return file, build_waivers(read["waivers"], shown)
