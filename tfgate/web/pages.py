"""Pages of the server itself: the list of decisions, and a decision without a page of its own."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tfgate.report.page import asset, content_policy, render_page

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.web.store import Listed

_PACKAGE = "tfgate.web"
_STYLES = ("server.css",)


def page_policy() -> str:
    """Return the content security policy of these pages, for their HTTP header."""
    return content_policy("".join(asset(_PACKAGE, name) for name in _STYLES))


def status_word(task: Listed) -> str:
    """Say what became of a task."""
    if task.passed is None:
        return "in work"
    word = "passed" if task.passed else "undecided, failed" if task.undecided else "failed"
    return word if task.state != "abandoned" else f"{word}, not taken"


def list_page(listed: Sequence[Listed], link: Callable[[str], str]) -> str:
    """Render the list of decisions, newest first."""
    return render_page(
        _PACKAGE, "decisions.html", styles=_STYLES,
        tasks=listed, link=link, status_word=status_word, time_of=_time,
    )  # fmt: skip


def _time(task: Listed) -> str:
    return f"{dt.datetime.fromtimestamp(task.accepted_at, dt.timezone.utc):%Y-%m-%d %H:%M:%S}Z"


def short_page(task: Listed) -> str:
    """Render a task that has no review: undecided, in work, or after the apply."""
    facts = {
        "Verdict": status_word(task),
        "Said": task.message or "",
        "Stage": task.stage,
        "Organization": task.organization,
        "Workspace": task.workspace,
        "Run": task.run_id,
        "Decision": task.decision_id or "",
    }
    return render_page(_PACKAGE, "task.html", styles=_STYLES, task=task, facts=facts)
