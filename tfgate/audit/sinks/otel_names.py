"""A record's members by their names in OpenTelemetry."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.audit.events import CHAIN, EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.audit.record import Record

RUN: Final = {
    "id": "cicd.pipeline.run.id",
    "url": "cicd.pipeline.run.url.full",
    "commit": "vcs.ref.head.revision",
    "repository": "vcs.repository.name",
}
"""Members of ``run`` by their names in OpenTelemetry's conventions."""


def attributes(record: Record) -> dict[str, Any]:
    """Give each attribute of the log record with its value: text, a number, a list of texts."""
    named: dict[str, Any] = {
        _named("seq"): record.seq,
        _named("prev"): record.prev,
        _named("hash"): record.hash,
    }
    event = EVENTS.get(record.event)  # one of a later version has its body
    for name, member in {} if event is None else event.members.items():
        value = record.fields.get(name)
        if member.otel is not None and value is not None:
            named.update(_attributes(name, member.otel, value))
    return named


def _named(member: str) -> str:
    name = CHAIN[member].otel
    assert name is not None, "members of the chain have one"
    return name


def _attributes(name: str, otel: str, value: Any) -> Iterator[tuple[str, Any]]:
    if name == "run":
        for key, attribute in RUN.items():
            if value.get(key):
                yield attribute, value[key]
    elif name == "rulesets":
        yield otel, [f"{each['id']}@{each['version']}" for each in value]
    elif otel.endswith(".*"):
        for key, one in value.items():
            if one is not None:
                yield f"{otel[:-1]}{key}", one
    else:
        yield otel, value
