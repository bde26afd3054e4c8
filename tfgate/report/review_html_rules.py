"""The rules that found something, each with its page, and the list of what they found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.report import review_words as words
from tfgate.report import view
from tfgate.report.neutral import html_text, link, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfgate.model.decision import Outcome
    from tfgate.model.rule import Rule
    from tfgate.report.review_html_cards import Cards

_IN_SIGHT: Final = 3
"""Places of a rule's findings that are listed without a fold."""


def index(outcomes: Iterable[Outcome], cards: Cards, anchors: Mapping[int, str]) -> Iterator[str]:
    """List the rules, what blocks first, with links to what they found.

    ``anchors`` has, by identity of the outcome, where it stands in the page.
    """
    yield '<ul class="index">'
    for members in _by_standing(outcomes):
        for rule, found in view.by_rule(members):
            css = words.css_of(rule)
            yield f'<li class="{css}"><p><span class="sev">{rule.severity}</span> '
            name = f"{cards.rule_link(rule.rule)} {html_text(rule.title)}"
            yield f'<span class="name">{name}</span> '
            yield f'<span class="soft">{rule.enforcement} · {words.standing(rule)}</span></p>'
            yield from _places([_where(outcome, anchors) for outcome in found])
            yield "</li>"
    yield "</ul>"


def _by_standing(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """Put what blocks first, what is waived last; a rule may be in several."""
    parts: dict[str, list[Outcome]] = {standing: [] for standing in words.STANDINGS}
    for outcome in outcomes:
        parts[words.standing(outcome)].append(outcome)
    return list(parts.values())


def _places(links: Sequence[str]) -> Iterator[str]:
    if len(links) <= _IN_SIGHT:
        yield f'<p class="where">{" ".join(links)}</p>'
        return
    yield f"<details><summary>{view.count(len(links), 'finding')}</summary><ul>"
    yield from (f"<li>{link}</li>" for link in links)
    yield "</ul></details>"


def _where(outcome: Outcome, anchors: Mapping[int, str]) -> str:
    name = f"<code>{html_text(view.subject(outcome))}</code>"
    anchor = anchors.get(id(outcome))
    return f'<a href="#{anchor}">{name}</a>' if anchor else f"<span>{name}</span>"


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
