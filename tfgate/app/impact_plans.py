"""Where the plans come from: files, folders, and the archive of the trail in force."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.app.check_many import find_plans
from tfgate.app.record import audit_paths
from tfgate.audit.archive import find_plan, kept_plans
from tfgate.audit.filters import Filters
from tfgate.audit.search import search_trail
from tfgate.errors import AuditError, UsageError

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfgate.ruleset import GateConfig

ARCHIVE = "archive"
_PACKED = (".json.gz", ".json.zst")


class RecordedPlan(msgspec.Struct, frozen=True):
    """A plan to be judged again, with what the record says of its run."""

    file: str
    name: str
    """For people: path or digest."""
    workspace: str
    now: str
    """The time to judge it at where no record says another: RFC 3339."""
    operator: str = "unknown"
    time: str | None = None
    """When it was judged: RFC 3339."""
    decision_id: str | None = None


def recorded_plans(
    sources: Sequence[str],
    config: GateConfig,
    env: Mapping[str, str],
    *,
    now: dt.datetime,
    workspace: str | None = None,
    since: str | None = None,
) -> list[RecordedPlan]:
    """Find the plans that ``sources`` name: files, folders, or ``archive``.

    A plan in a folder is taken to be of the workspace that ``workspace`` names, else of the one
    that its folder is called after (``plans/prod/net.json``), else ``default``. Of the archive,
    every plan that a decision names, once for each workspace, its last decision first; ``since``
    (as in a record) leaves older ones out. Raises ``UsageError`` where there is none.
    """
    found: list[RecordedPlan] = []
    for source in sources:
        if source == ARCHIVE and not Path(source).exists():
            found += _archived(config, env, now, since)
        else:
            found += _from_disk(Path(source), workspace, now)
    if not found:
        raise UsageError(
            f"There is no plan in {', '.join(sources)}.",
            hint="Name plan JSON, a folder of it, or archive (with audit.archive = true).",
        )
    return found


def _from_disk(place: Path, workspace: str | None, now: dt.datetime) -> Iterator[RecordedPlan]:
    if place.is_file():
        yield RecordedPlan(str(place), str(place), workspace or "default", now.isoformat())
        return
    if not place.is_dir():
        raise UsageError(f"There is no plan {place}.")
    files = [file for file in find_plans(place) if file.suffix == ".json"]
    files += [file for file in sorted(place.rglob("*")) if file.name.endswith(_PACKED)]
    for file in files:
        parent = file.parent.name if file.parent != place else ""
        name = workspace or parent or "default"
        yield RecordedPlan(str(file), str(file.relative_to(place)), name, now.isoformat())


def _archived(
    config: GateConfig, env: Mapping[str, str], now: dt.datetime, since: str | None
) -> Iterable[RecordedPlan]:
    log = audit_paths(config, env)[0]
    folder = log.parent / "archive"
    newest: dict[tuple[str, str], RecordedPlan] = {}
    try:
        for hit in search_trail([log], Filters(event="decision", since=since)):
            fields = hit.record.fields
            digest = fields.get("archive_sha256")
            file = find_plan(folder, digest) if isinstance(digest, str) else None
            if isinstance(digest, str) and file is not None:
                one = _of_record(file, digest, fields, hit.record.time, now)
                newest[digest, one.workspace] = one
    except AuditError:
        # Without a trail, what the archive holds can still be judged.
        return [
            RecordedPlan(str(file), file.name.split(".")[0][:16], "default", now.isoformat())
            for file in kept_plans(folder)
        ]
    return newest.values()


def _of_record(
    file: Path, digest: str, fields: Mapping[str, Any], time: str, now: dt.datetime
) -> RecordedPlan:
    return RecordedPlan(
        file=str(file),
        name=str(fields.get("input") or digest[:16]),
        workspace=str(fields.get("workspace") or "default"),
        now=now.isoformat(),
        operator=str(fields.get("operator") or "unknown"),
        time=time,
        decision_id=str(fields.get("decision_id")),
    )
