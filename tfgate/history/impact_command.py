"""``tfgate impact``: what a change of rules would have done to plans that were evaluated before."""

from __future__ import annotations

import datetime as dt
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from tfgate.audit.decision import find_plan, kept_plans
from tfgate.audit.search import Filters, parse_moment, search_trail
from tfgate.command.options import named
from tfgate.command.output import items_bar, write_file, write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import AuditError, UsageError
from tfgate.gate.absent import refuse_absent
from tfgate.gate.check import find_plans
from tfgate.gate.record import audit_paths
from tfgate.gate.rules import RulesPlace, rules_at
from tfgate.history.impact import (
    Evaluator,
    FindingChange,
    Impact,
    PlanImpact,
    RecordedPlan,
    TwoRules,
    evaluate_plans,
)
from tfgate.history.log import place_options
from tfgate.report.escape import clip, console, markdown_code, markdown_prose
from tfgate.report.layout import in_columns
from tfgate.ruleset import GateConfig, for_workspace

ARCHIVE = "archive"
_PACKED = (".json.gz", ".json.zst")
EXAMPLES = 5
"""Plans, and findings in each, that are shown of many."""
_MESSAGE = 160


def _json(impact: Impact) -> Iterator[str]:
    """Write an impact as JSON, with its sums."""
    data = {
        "v": 1,
        "base": impact.base,
        "commit": impact.commit,
        "plans": len(impact.plans),
        "newly_denied": [plan.plan for plan in impact.newly_denied],
        "newly_allowed": [plan.plan for plan in impact.newly_allowed],
        "problems": len(impact.problems),
        "rules": msgspec.to_builtins(impact.by_rule()),
        "workspaces": {
            name: {"plans": plans, "newly_denied": denied, "newly_allowed": allowed}
            for name, (plans, denied, allowed) in impact.by_workspace().items()
        },
        "changed": [
            msgspec.to_builtins(plan) for plan in impact.plans if plan.changes or plan.problem
        ],
    }
    yield json.dumps(data, indent=2)


def _text(impact: Impact) -> Iterator[str]:
    yield f"{_headline(impact)} (against {console(impact.base)}, {impact.commit[:12]})"
    rules = impact.by_rule()
    if rules:
        yield ""
        rows = [("rule", "denies now", "denied before", "other", "plans")]
        rows += [
            (console(r.rule), str(r.newly_blocking), str(r.no_longer_blocking), str(r.other),
             str(r.plans))
            for r in rules
        ]  # fmt: skip
        yield from in_columns(rows, numbers=True)
    yield from _workspaces_text(impact)
    for title, plans in _groups(impact):
        yield ""
        yield f"{title}:"
        for plan in plans[:EXAMPLES]:
            yield f"  {console(plan.plan)} ({console(plan.workspace)}){_decision(plan)}"
            yield from (f"    {line}" for line in _examples(plan, console))
        if len(plans) > EXAMPLES:
            yield f"  … and {len(plans) - EXAMPLES} more (all of them with --format json)"


def _workspaces_text(impact: Impact) -> Iterator[str]:
    touched = {name: c for name, c in impact.by_workspace().items() if c[1] or c[2]}
    if touched:
        yield ""
        rows: list[tuple[str, ...]] = [("workspace", "plans", "newly denied", "newly allowed")]
        rows += [(console(name), *map(str, counts)) for name, counts in touched.items()]
        yield from in_columns(rows, numbers=True)


def _markdown(impact: Impact) -> Iterator[str]:
    yield f"### Impact: {_headline(impact)}"
    yield ""
    yield f"Against {markdown_code(impact.base)} ({markdown_code(impact.commit[:12])})."
    rules = impact.by_rule()
    if rules:
        yield ""
        yield "| rule | denies now | denied before | other changes | plans | workspaces |"
        yield "| --- | ---: | ---: | ---: | ---: | --- |"
        for r in rules:
            names = ", ".join(map(_cell, r.workspaces[:EXAMPLES]))
            sums = f"{r.newly_blocking} | {r.no_longer_blocking} | {r.other} | {r.plans}"
            yield f"| {_cell(r.rule)} | {sums} | {names} |"
    for title, plans in _groups(impact):
        yield ""
        yield f"<details><summary>{title}: {len(plans)}</summary>"
        yield ""
        for plan in plans[:EXAMPLES]:
            yield f"- {markdown_code(plan.plan)} ({markdown_code(plan.workspace)})"
            yield from (f"  - {line}" for line in _examples(plan, markdown_prose))
        if len(plans) > EXAMPLES:
            yield f"- and {len(plans) - EXAMPLES} more"
        yield ""
        yield "</details>"


def _cell(text: str) -> str:
    # A bar ends a cell even inside a code span (GitHub Flavored Markdown, section 4.10).
    return markdown_code(text).replace("|", "\\|")


def _headline(impact: Impact) -> str:
    denied, allowed = len(impact.newly_denied), len(impact.newly_allowed)
    text = f"{len(impact.plans)} plans, {denied} newly denied, {allowed} newly allowed"
    return text + (f", {len(impact.problems)} not evaluated" if impact.problems else "")


def _groups(impact: Impact) -> Iterator[tuple[str, Sequence[PlanImpact]]]:
    decided = {id(plan) for plan in (*impact.newly_denied, *impact.newly_allowed)}
    others = [plan for plan in impact.plans if plan.changes and id(plan) not in decided]
    for title, plans in (
        ("Newly denied", impact.newly_denied),
        ("Newly allowed", impact.newly_allowed),
        ("Same decision, other findings", others),
        ("Not evaluated", impact.problems),
    ):
        if plans:
            yield title, plans


def _examples(plan: PlanImpact, safe: Callable[[str], str]) -> Iterator[str]:
    if plan.problem is not None:
        yield safe(clip(plan.problem, _MESSAGE))
    # What decides comes first: it is what a reviewer looks for.
    deciding = sorted(plan.changes, key=lambda change: change.blocked == change.blocks)
    for change in deciding[:EXAMPLES]:
        yield safe(_sentence(change))
    if len(deciding) > EXAMPLES:
        yield f"… and {len(deciding) - EXAMPLES} more findings"


def _sentence(change: FindingChange) -> str:
    words = (_word(change.before, change.blocked), _word(change.after, change.blocks))
    return f"{change.rule} {change.address}: {' → '.join(words)}. {clip(change.message, _MESSAGE)}"


def _word(outcome: str, blocks: bool) -> str:
    return f"{outcome} (denies)" if blocks else outcome


def _decision(plan: PlanImpact) -> str:
    return f", decision {console(plan.decision_id)}" if plan.decision_id else ""


_WRITERS: dict[str, Callable[[Impact], Iterator[str]]] = {
    "text": _text,
    "markdown": _markdown,
    "json": _json,
}
FORMATS = tuple(_WRITERS)


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
        # Without a trail, what the archive holds can still be evaluated.
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


@click.command(
    epilog="Example: tfgate impact --base origin/main --plans archive --since 30d --format markdown"
)
@click.option("--base", required=True, metavar="REF",
              help="Where the old rules are: a commit, branch or tag of the checkout here. The new "
                   "ones are those of the working tree.")  # fmt: skip
@click.option("--plans", multiple=True, required=True, metavar="DIR|FILE|archive",
              help="Plan JSON, a folder of it (also .json.gz, .json.zst), or the archive of the "
                   "trail in force. Repeatable.")  # fmt: skip
@click.option("--since", metavar="TIME",
              help="Of the archive: evaluated since then (30d, 2026-01-31).")  # fmt: skip
@click.option("--workspace", "-w", metavar="NAME",
              help="Workspace of the plans in folders (default: the name of a plan's "
                   "folder).")  # fmt: skip
@place_options
@click.option("--data", multiple=True, metavar="NAME=FILE",
              help="JSON, TOML or YAML file that both sets of rules read as $data.NAME. "
                   "Repeatable.")  # fmt: skip
@click.option("--format", "kind", type=click.Choice(FORMATS), default="text", show_default=True)
@click.option("--output", metavar="FILE", help="Where to write it (default: standard output).")
@click.option("--jobs", "-j", type=click.IntRange(1), metavar="N",
              help="Processes that share the work (default: one per processor).")  # fmt: skip
def impact(
    base: str,
    plans: tuple[str, ...],
    kind: str,
    rulesets: tuple[str, ...],
    config: str | None,
    data: tuple[str, ...],
    **options: Any,
) -> None:
    """Evaluate recorded plans under the rules of REF and under those here; show what differs.

    Newly denied and newly allowed plans, by rule, workspace and address. Nothing is recorded.
    """
    place = RulesPlace(Path.cwd(), os.environ, config, rulesets)
    files = {name: place.cwd / path for name, path in named(data, "--data", "FILE").items()}
    write_impact(place, base, plans, kind, data=files, **options)


def write_impact(
    place: RulesPlace,
    base: str,
    plans: Sequence[str],
    kind: str,
    *,
    since: str | None = None,
    workspace: str | None = None,
    output: str | None = None,
    jobs: int | None = None,
    data: Mapping[str, Path] = MappingProxyType({}),
) -> None:
    """Evaluate the plans under the rules of ``base`` and those of the working tree, and write it.

    Raises ``UsageError`` where there is nothing to compare, and ``ConfigError`` where one of the
    two sets of rules does not load.
    """
    now = dt.datetime.now(dt.timezone.utc)
    moment = None if since is None else parse_moment(since, now)
    after = place.gate_config()
    with items_bar("evaluating", "plans") as progress:
        sources = recorded_plans(
            plans, after, place.env, now=now, workspace=workspace, since=moment
        )
        with rules_at(place, base) as (old, commit):
            before, now_in_force = (replace(one, given_data=data) for one in (old, after))
            # A mistake in the rules is one error, not one for each plan.
            _, loaded = (
                for_workspace(config, sources[0].workspace, functions=rule_functions())
                for config in (before, now_in_force)
            )
            refuse_absent(loaded.rulesets, now_in_force.gate.allow, place.env)
            evaluator = Evaluator(TwoRules(before, now_in_force))
            evaluated = evaluate_plans(evaluator, sources, workers=jobs, progress=progress)
            found = Impact(base, commit, tuple(evaluated))
    text = "\n".join(_WRITERS[kind](found)) + "\n"
    if output is None:
        write_out(text)
    else:
        write_file(output, text)
