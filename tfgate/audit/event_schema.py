"""The JSON Schema of a record, made from the table of events.

The file in ``schemas/`` is what ``record_schema()`` gives, kept so that other programs find it in
the package; a test fails where they differ. As a reader must, it accepts members and events that it
does not know: ``strict`` gives the one that does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tfgate.audit.events import CHAIN, EVENTS, Event, Member

_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_REF: Final = "#/$defs/{name}"
PATH: Final = Path(__file__).parent / "schemas" / "record.v1.schema.json"


def record_schema(*, strict: bool = False) -> dict[str, Any]:
    """Return the schema of any record. ``x-otel`` and ``x-ocsf`` say what others call the same."""
    every = [*CHAIN.values(), *_members()]
    types, definitions = msgspec.json.schema_components(
        [member.type for member in every], ref_template=_REF
    )
    schemas = {id(member): schema for member, schema in zip(every, types, strict=True)}
    if strict:
        for definition in definitions.values():
            if definition.get("type") == "object" and "properties" in definition:
                definition["additionalProperties"] = False
    schema: dict[str, Any] = {
        "$schema": _DIALECT,
        "title": "tfgate audit record",
        "type": "object",
        "properties": _properties(CHAIN, schemas),
        "required": list(CHAIN),
        "allOf": [_of_event(name, event, schemas, strict=strict) for name, event in EVENTS.items()],
        "$defs": definitions,
    }
    if strict:
        schema["properties"]["event"] = {"enum": list(EVENTS)}
    return schema


def schema_text() -> str:
    """Return the schema as its file in the package has it."""
    return json.dumps(record_schema(), indent=2, ensure_ascii=False) + "\n"


def _members() -> Iterator[Member]:
    for event in EVENTS.values():
        yield from event.members.values()


def _of_event(
    name: str, event: Event, schemas: Mapping[int, dict[str, Any]], *, strict: bool
) -> dict[str, Any]:
    then: dict[str, Any] = {
        "description": f"{event.text}.",
        "properties": _properties(event.members, schemas),
        "required": [one for one, member in event.members.items() if member.always],
    }
    if strict:
        then["propertyNames"] = {"enum": [*CHAIN, *event.members]}
    return {"if": {"properties": {"event": {"const": name}}, "required": ["event"]}, "then": then}


def _properties(
    members: Mapping[str, Member], schemas: Mapping[int, dict[str, Any]]
) -> dict[str, Any]:
    found = {}
    for name, member in members.items():
        names = {"x-otel": member.otel, "x-ocsf": member.ocsf}
        found[name] = {
            "description": f"{member.text}.",
            **schemas[id(member)],
            **{key: value for key, value in names.items() if value is not None},
        }
    return found
