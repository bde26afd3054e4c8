"""JSON Schemas of the formats, made from the tables that the strict reader uses.

The files in ``schemas/`` are what ``schemas()`` gives, kept so that editors and other programs find
them in the package; a test fails where they differ.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tfgate.ruleset.config_tables import CONFIG, WAIVER_FILE
from tfgate.ruleset.rule_tables import RULE, RULESET

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_TABLES = {
    "ruleset": (RULESET, "tfgate ruleset: ruleset.toml of a folder, or a single-file ruleset"),
    "rule": (RULE, "tfgate rule: one file in the rules folder of a ruleset"),
    "tfgate": (CONFIG, "tfgate.toml: configuration of the gate"),
    "waivers": (WAIVER_FILE, "tfgate waiver file"),
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return each schema by name: ``ruleset``, ``rule``, ``tfgate``, ``waivers``."""
    return {
        name: {"$schema": _DIALECT, "title": title, **table.schema()}
        for name, (table, title) in _TABLES.items()
    }


def schema_text(name: str) -> str:
    """Return a schema as its file in the package has it. Raises ``KeyError``."""
    return json.dumps(schemas()[name], indent=2, ensure_ascii=False) + "\n"


def schema_path(name: str) -> Path:
    """Return the path of a schema's file in the package."""
    return Path(__file__).parent / "schemas" / f"{name}.schema.json"


def outdated() -> list[str]:
    """Name the schemas whose files in the package are not current."""
    return [
        name
        for name in _TABLES
        if not schema_path(name).exists()
        or schema_path(name).read_text(encoding="utf-8") != schema_text(name)
    ]


def write() -> None:
    """Write every schema's file in the package."""
    for name in _TABLES:
        schema_path(name).parent.mkdir(exist_ok=True)
        schema_path(name).write_text(schema_text(name), encoding="utf-8")


if __name__ == "__main__":
    write()
