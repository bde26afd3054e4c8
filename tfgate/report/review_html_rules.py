"""The rules that found something, each with its page, and the list of what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.model.decision import OutcomeKind
from tfgate.report import view
from tfgate.report.neutral import html_text, link, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfgate.model.decision import Outcome
    from tfgate.model.rule import Rule
    from tfgate.report.review_html_cards import Cards


def index(outcomes: Iterable[Outcome], cards: Cards, anchors: Mapping[int, str]) -> Iterator[str]:
    """List the rules, what blocks first, with links to what they found.

    ``anchors`` has, by identity of the outcome, where it stands in the page.
    """
    blocking, other, waived = _parted(outcomes)
    yield '<ul class="index">'
    for css, word, members in (
        ("block", "blocks", blocking), ("", "does not block", other), ("waived", "waived", waived),
    ):  # fmt: skip
        for rule, found in view.by_rule(members):
            yield f'<li><div class="finding {css}"><p><span class="sev">{rule.severity}</span> '
            yield f'<span class="name">{cards.rule_link(rule.rule)} {html_text(rule.title)}</span> '
            yield f'<span class="soft">{rule.enforcement} · {word}</span></p>'
            yield f"<details><summary>{view.count(len(found), 'finding')}</summary><ul>"
            yield from (f"<li>{_where(outcome, anchors)}</li>" for outcome in found)
            yield "</ul></details></div></li>"
    yield "</ul>"


def _parted(
    outcomes: Iterable[Outcome],
) -> tuple[list[Outcome], list[Outcome], list[Outcome]]:
    blocking: list[Outcome] = []
    other: list[Outcome] = []
    waived: list[Outcome] = []
    for outcome in outcomes:
        if outcome.blocks:
            blocking.append(outcome)
        elif outcome.outcome is OutcomeKind.WAIVED:
            waived.append(outcome)
        else:
            other.append(outcome)
    return blocking, other, waived


def _where(outcome: Outcome, anchors: Mapping[int, str]) -> str:
    name = f"<code>{html_text(view.subject(outcome))}</code>"
    anchor = anchors.get(id(outcome))
    return f'<a href="#{anchor}">{name}</a>' if anchor else name


def rule_page(rule: Rule, anchor: str) -> Iterator[str]:
    """Write what a rule says, why, and how it decides."""
    yield f'<article class="rule" id="{anchor}" aria-labelledby="{anchor}h">'
    yield f'<h3 id="{anchor}h"><code>{html_text(rule.id)}</code> {html_text(rule.title)}</h3>'
    yield from _prose(rule.description)
    yield '<dl class="facts">'
    for name, fact in _facts(rule):
        yield f"<dt>{html_text(name)}</dt><dd>{html_text(fact)}</dd>"
    yield "</dl>"
    if rule.remediation:
        yield "<h4>How to mend it</h4>"
        yield from _prose(rule.remediation)
    yield "<h4>How it decides</h4>"
    yield f"<pre>{chr(10).join(map(html_text, _expressions(rule)))}</pre>"
    yield from _references(rule.references)
    yield "</article>"


def _prose(text: str | None) -> Iterator[str]:
    yield from (f"<p>{html_text(line)}</p>" for line in paragraphs(text or ""))


def _facts(rule: Rule) -> Iterator[tuple[str, str]]:
    yield "severity", str(rule.severity)
    yield "level in the ruleset", str(rule.enforcement)
    if rule.owners:
        yield "owners", ", ".join(rule.owners)
    for framework, controls in sorted(rule.controls.items()):
        yield framework, ", ".join(controls)
    if rule.file:
        yield "file", f"{rule.file}:{rule.line}" if rule.line else rule.file


def _expressions(rule: Rule) -> Iterator[str]:
    lets = ((f"let {name}", text) for name, text in rule.let.items())
    for key, text in (*lets, ("when", rule.when), ("deny", rule.deny), ("require", rule.require)):
        if text is not None:
            yield f"{key}: {' '.join(text.split())}"


def _references(references: Sequence[str]) -> Iterator[str]:
    links = [html_text(url) for url in references if link(url)]
    if links:
        yield "<h4>References</h4><ul>"
        yield from (
            f'<li><a href="{url}" rel="noreferrer noopener">{url}</a></li>' for url in links
        )
        yield "</ul>"
