"""Pages of the server itself: the list of decisions, and a decision without a page of its own."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

from tfgate.report.neutral import html_text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.web.store import Listed

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:72rem;padding:0 1rem;"
    "color-scheme:light dark}table{border-collapse:collapse;width:100%}"
    "th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid #8884;vertical-align:top}"
)


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="referrer" content="no-referrer"><title>{html_text(title)}</title>'
        f"<style>{_STYLE}</style></head><body>{body}</body></html>\n"
    )


def status_word(task: Listed) -> str:
    """Say what became of a task."""
    if task.passed is None:
        return "in work"
    word = "passed" if task.passed else "undecided, failed" if task.undecided else "failed"
    return word if task.state != "abandoned" else f"{word}, not taken"


def list_page(listed: Sequence[Listed], link: Callable[[str], str]) -> str:
    """Give the list of decisions, newest first."""
    rows = "".join(_row(task, link(task.id)) for task in listed)
    heads = ("Time", "Verdict", "Stage", "Organization", "Workspace", "Run", "Decision")
    head = "".join(f'<th scope="col">{name}</th>' for name in heads)
    table = f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    return _page("Decisions - tfgate", f"<h1>Decisions</h1>{table}")


def _row(task: Listed, link: str) -> str:
    moment = dt.datetime.fromtimestamp(task.accepted_at, dt.timezone.utc)
    cells = (
        f"{moment:%Y-%m-%d %H:%M:%S}Z",
        status_word(task),
        task.stage,
        task.organization,
        task.workspace,
        task.run_id,
    )
    told = "".join(f"<td>{html_text(cell)}</td>" for cell in cells)
    shown = html_text(task.decision_id or task.id)
    return f'<tr>{told}<td><a href="{html_text(link)}">{shown}</a></td></tr>'


def short_page(task: Listed) -> str:
    """Give the page of a task that has no review: undecided, in work, or after the apply."""
    facts = {
        "Verdict": status_word(task),
        "Said": task.message or "",
        "Stage": task.stage,
        "Organization": task.organization,
        "Workspace": task.workspace,
        "Run": task.run_id,
        "Decision": task.decision_id or "",
    }
    rows = "".join(
        f'<tr><th scope="row">{name}</th><td>{html_text(fact)}</td></tr>'
        for name, fact in facts.items()
        if fact
    )
    return _page(f"{task.run_id} - tfgate", f"<h1>Run task</h1><table>{rows}</table>")
