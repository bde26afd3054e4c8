"""The published JSON Schemas, by name."""

from __future__ import annotations

from importlib.resources import files

from tfgate.errors import UsageError

_SCHEMAS = {
    "ruleset": ("tfgate.ruleset", "ruleset.schema.json", "ruleset.toml, and a ruleset in one file"),
    "rule": ("tfgate.ruleset", "rule.schema.json", "a rule file (rules/*.toml)"),
    "config": ("tfgate.ruleset", "tfgate.schema.json", "tfgate.toml"),
    "waivers": ("tfgate.ruleset", "waivers.schema.json", "a waiver file"),
    "record": ("tfgate.audit", "record.v1.schema.json", "a record of the audit trail"),
    "report": ("tfgate.report", "decision.v1.schema.json", "what --report json writes"),
}


def schema_names() -> dict[str, str]:
    """Give each schema's name and what it describes."""
    return {name: what for name, (_, _, what) in _SCHEMAS.items()}


def schema_text(name: str) -> str:
    """Give a schema as JSON text. Raises ``UsageError`` for a name there is not."""
    if name not in _SCHEMAS:
        raise UsageError(f"There is no schema {name}.", hint=f"There are: {', '.join(_SCHEMAS)}.")
    package, file, _ = _SCHEMAS[name]
    return (files(package) / "schemas" / file).read_text(encoding="utf-8")
