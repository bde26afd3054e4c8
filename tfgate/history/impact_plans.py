"""Where the plans come from: files, folders, and the archive of the trail in force."""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.archive import find_plan, kept_plans
from tfgate.audit.filters import Filters
from tfgate.audit.search import search_trail
from tfgate.engine.functions import rule_functions
from tfgate.errors import AuditError, UsageError
from tfgate.gate.check import find_plans
from tfgate.gate.record import audit_paths
from tfgate.gate.rules import RulesPlace, rules_at
from tfgate.history.impact import Impact, Judge, PlanImpact, TwoRules, begin, judge_one
from tfgate.ruleset import GateConfig, for_workspace

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence


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


MIN_PARALLEL = 16
"""Plans below which starting processes costs more than it saves."""


def run_impact(
    place: RulesPlace,
    base: str,
    sources: Sequence[str],
    *,
    now: dt.datetime,
    since: str | None = None,
    workspace: str | None = None,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Impact:
    """Judge the plans in ``sources`` under the rules of ``base`` and those of the working tree.

    Raises ``UsageError`` where there is nothing to compare or to judge, and ``ConfigError`` where
    one of the two sets of rules does not load.
    """
    after = place.gate_config()
    plans = recorded_plans(sources, after, place.env, now=now, workspace=workspace, since=since)
    with rules_at(place, base) as (before, commit):
        for config in (before, after):
            # A mistake in the rules is one error, not one for each plan.
            for_workspace(config, plans[0].workspace, functions=rule_functions())
        judge = Judge(TwoRules(before, after))
        found = tuple(judge_plans(judge, plans, workers=workers, progress=progress))
    return Impact(base, commit, found)


def judge_plans(
    judge: Judge,
    plans: Sequence[RecordedPlan],
    *,
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[PlanImpact]:
    """Judge each plan under the old and the new rules, in order, on all processors.

    ``workers`` processes share the work (default: one per processor, none for a few plans).
    """
    count = workers if workers is not None else (os.cpu_count() or 1)
    if count <= 1 or len(plans) < MIN_PARALLEL:
        found: Iterable[PlanImpact] = map(judge, plans)
        yield from _counted(found, len(plans), progress)
        return

    size = max(1, min(32, len(plans) // (count * 4)))
    with ProcessPoolExecutor(count, initializer=begin, initargs=(judge.rules,)) as pool:
        found = pool.map(judge_one, plans, chunksize=size)
        yield from _counted(found, len(plans), progress)


def _counted(
    found: Iterable[PlanImpact], total: int, progress: Callable[[int, int], None] | None
) -> Iterator[PlanImpact]:
    for number, one in enumerate(found, 1):
        yield one
        if progress is not None:
            progress(number, total)
