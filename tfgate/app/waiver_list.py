"""``tfgate waivers list``: every waiver that is written down, and whether it holds."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfgate.app.gather import gather_sources, load_config
from tfgate.model.glob import glob_matches

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.request import Request
    from tfgate.engine.context import Context
    from tfgate.model.waiver import Waiver


@dataclass(frozen=True)
class ListedWaiver:
    """One waiver, or a comment that was meant to be one."""

    source: str
    state: str
    """``holds``, ``ends soon``, ``expired``, ``unknown rule``, ``not permitted``, ``not valid``."""
    waiver: Waiver | None = None
    problem: str = ""
    """What is wrong with a comment that is no waiver."""


def list_waivers(request: Request) -> tuple[ListedWaiver, ...]:
    """List the waivers of the configuration, of waiver files and of comments.

    Raises ``ConfigError``.
    """
    gathered = gather_sources(request, load_config(request))
    rules = {rule.id for ruleset in gathered.effective.rulesets for rule in ruleset.rules}
    return tuple(_listed(gathered.context, rules))


def _listed(context: Context, rules: set[str]) -> Iterator[ListedWaiver]:
    today = context.now.astimezone(dt.timezone.utc).date()
    for waiver in context.waivers:
        yield ListedWaiver(waiver.source, _state(waiver, context, rules, today), waiver)
    for problem in context.waiver_problems:
        yield ListedWaiver(str(problem.location), "not valid", None, problem.message)


def _state(waiver: Waiver, context: Context, rules: set[str], today: dt.date) -> str:
    if waiver.expires < today:
        return "expired"
    if not any(glob_matches(waiver.rule, rule) for rule in rules):
        return "unknown rule"
    is_glob = "*" in waiver.rule or "?" in waiver.rule
    if waiver.kind == "comment" and is_glob and not context.comment_waiver_globs:
        return "not permitted"
    soon = today + dt.timedelta(days=context.waiver_notice_days)
    return "ends soon" if waiver.expires <= soon else "holds"
