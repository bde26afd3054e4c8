"""Findings as HTML: every text goes through ``html_text``, every tag is written here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.model.decision import OutcomeKind
from tfgate.report import view
from tfgate.report.neutral import html_text, link, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfgate.model.decision import Outcome


def tag(name: str, text: str, css: str = "") -> str:
    """Write an element with nothing but text in it; ``css`` is our own class name."""
    attribute = f' class="{css}"' if css else ""
    return f"<{name}{attribute}>{html_text(text)}</{name}>"


def code(text: str) -> str:
    """Write a name as code."""
    return tag("code", text)


def rule_articles(outcomes: Sequence[Outcome], css: str = "") -> Iterator[str]:
    """Write one article a rule, with its findings."""
    for rule, members in view.by_rule(outcomes):
        yield f'<article class="{css}">' if css else "<article>"
        yield f"<h3>{code(rule.rule)} {html_text(rule.title)}</h3>"
        yield tag("p", f"{rule.severity} · {rule.enforcement} · {rule.ruleset}", "tags")
        yield "<ul>"
        for outcome in members:
            yield f"<li>{''.join(_finding(outcome))}</li>"
        yield "</ul>"
        yield from _remedy(rule, members)
        yield "</article>"


def waived_list(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Write what was silenced: by whom, until when, why, and where that stands."""
    for rule, members in view.by_rule(outcomes):
        yield "<article>"
        yield f"<h3>{code(rule.rule)} {html_text(rule.title)}</h3>"
        yield "<ul>"
        for outcome in members:
            note = tag("p", view.waiver_note(outcome), "at")
            yield f"<li>{''.join(_finding(outcome))}{note}</li>"
        yield "</ul>"
        yield "</article>"


def finding_list(addresses: Iterable[str]) -> Iterator[str]:
    """Write addresses as a list."""
    yield "<ul>"
    yield from (f"<li>{code(address)}</li>" for address in addresses)
    yield "</ul>"


def _finding(outcome: Outcome) -> Iterator[str]:
    yield tag("span", view.subject(outcome), "address")
    if outcome.action:
        yield f" ({html_text(outcome.action)})"
    yield tag("p", view.problem(outcome))
    if outcome.location is not None:
        yield tag("p", f"at {outcome.location.chain()}", "at")
    if outcome.override is not None:
        yield tag("p", view.override_note(outcome), "at")


def _remedy(rule: Outcome, members: Sequence[Outcome]) -> Iterator[str]:
    """Write what to do and where to read on; a broken rule gives no advice on the plan."""
    if all(outcome.outcome is OutcomeKind.ERROR for outcome in members):
        return
    lines = paragraphs(rule.remediation or "")
    links = [url for url in rule.references if link(url)]
    controls = [f"{name} {key}" for name, keys in sorted(rule.controls.items()) for key in keys]
    if not (lines or links or controls):
        return
    yield '<div class="remedy">'
    for number, line in enumerate(lines):
        yield f"<p>{'' if number else '<strong>Remedy:</strong> '}{html_text(line)}</p>"
    for url in links:
        shown = html_text(url)
        yield f'<p>See <a href="{shown}" rel="noreferrer noopener">{shown}</a></p>'
    if controls:
        yield tag("p", f"Controls: {', '.join(controls)}", "tags")
    yield "</div>"
