"""The review of a plan as one page to open, keep or send: nothing is loaded, no plan text runs.

The content security policy allows this page's own style sheet and script by their hashes, and
nothing else. The script is the same for every plan; text out of a plan is only ever text.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING, Final

from tfgate.model.action import Action
from tfgate.model.rule import Severity
from tfgate.report import review_words as words
from tfgate.report import view
from tfgate.report.neutral import html_text
from tfgate.report.review_html_cards import Cards, facet
from tfgate.report.review_html_rules import index, rule_page
from tfgate.report.review_html_script import SCRIPT
from tfgate.report.review_html_style import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.model.review import Radius, Review, ReviewedChange
    from tfgate.report.interface import ReportContext

_FEW: Final = 40
"""Changes up to which every card is open at first."""


def render(review: Review, context: ReportContext) -> str:
    """Give the page."""
    word = view.verdict_word(review.decision).capitalize()
    body = "\n".join(_Page(review, context).body(word))
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="color-scheme" content="light dark">
<title>{word}: {html_text(review.plan_name)} - tfgate review</title>
<style>{STYLE}</style>
</head>
<body>
{body}
<script>{SCRIPT}</script>
</body>
</html>
"""


def _policy() -> str:
    return "; ".join(
        (
            "default-src 'none'",
            f"style-src '{_hash(STYLE)}'",
            f"script-src '{_hash(SCRIPT)}'",
            "base-uri 'none'",
            "form-action 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
    )


def _hash(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"sha256-{base64.b64encode(digest).decode()}"


class _Page:
    def __init__(self, review: Review, context: ReportContext) -> None:
        self._review = review
        self._context = context
        self._rules = {rule: f"r{number}" for number, rule in enumerate(review.rules)}
        self._modules = {group.module: number for number, group in enumerate(review.groups)}
        self._lists = [
            *((words.module_title(group.module), group.changes) for group in review.groups),
            ("Outputs", review.outputs),
            ("Actions invoked", review.invocations),
            ("Deferred to a later apply", review.deferred),
            ("Changed outside of Terraform", review.drift),
        ]
        self._entries = [change for _, changes in self._lists for change in changes]
        self._cards = Cards(self._rules, self._modules, few=len(self._entries) <= _FEW)
        self._anchors = {
            id(outcome): f"c{number}"
            for number, change in enumerate(self._entries)
            for outcome in change.findings
        }
        self._anchors |= {id(outcome): f"p{n}" for n, outcome in enumerate(review.findings)}

    def body(self, word: str) -> Iterator[str]:
        yield '<a class="skip" href="#changes">Skip to the changes</a>'
        yield from self._header(word)
        yield '<main id="changes">'
        yield from self._reach(self._review.radius)
        yield from self._findings()
        yield from self._filters()
        yield from self._changes()
        yield from self._rule_pages()
        yield "</main>"
        yield from self._footer()

    def _header(self, word: str) -> Iterator[str]:
        decision = self._review.decision
        groups = view.group(decision)
        yield f'<header class="verdict {word.lower()}"><div class="top"><div>'
        yield f'<p class="kicker">Review of a Terraform plan</p><h1>{word}</h1></div>'
        yield '<button type="button" id="theme" hidden>Colours: auto</button></div>'
        yield f'<p class="lead">{html_text(view.headline(decision, groups))}</p>'
        yield from (f"<p>{html_text(cause)}</p>" for cause in view.causes(decision, groups))
        yield '<dl class="about">'
        for name, fact in self._about():
            yield f"<div><dt>{name}</dt><dd>{html_text(fact)}</dd></div>"
        yield "</dl></header>"

    def _about(self) -> Iterator[tuple[str, str]]:
        decision = self._review.decision
        yield "Plan", self._review.plan_name
        yield "Workspace", decision.workspace.name
        if decision.plan.terraform_version:
            yield "Terraform", decision.plan.terraform_version
        if decision.plan.timestamp:
            yield "Planned", decision.plan.timestamp
        if decision.run is not None and decision.run.commit:
            yield "Commit", decision.run.commit[:12]
        filtered = words.shown_sentence(self._review)
        if filtered:
            yield "Filter", filtered

    def _reach(self, radius: Radius) -> Iterator[str]:
        yield '<section aria-labelledby="reach"><h2 id="reach">Reach</h2>'
        if radius.counts:
            yield '<ul class="tiles">'
            for action, number in radius.counts:
                name = words.action_word(action)
                yield f'<li class="{action}"><b>{number:,}</b> {name}</li>'
            yield "</ul>"
            yield _bar(radius)
        facts = [words.radius_sentence(radius), *words.radius_facts(radius)]
        yield f"<p>{' · '.join(map(html_text, facts))}</p>"
        if len(radius.types) > 1:
            yield f"<details><summary>{view.count(len(radius.types), 'type')}</summary>"
            yield from _type_table(radius)
            yield "</details>"
        yield "</section>"

    def _findings(self) -> Iterator[str]:
        review = self._review
        outcomes = review.decision.outcomes
        if not outcomes:
            return
        yield '<section aria-labelledby="findings"><h2 id="findings">Findings '
        yield f'<span class="count">({len(outcomes):,})</span></h2>'
        yield from index(outcomes, self._cards, self._anchors)
        if review.findings:
            yield "<h3>On no single change</h3>"
            for outcome in review.findings:
                anchor = self._anchors[id(outcome)]
                yield self._cards.finding(outcome, anchor=anchor)
        yield "</section>"

    def _filters(self) -> Iterator[str]:
        facets = dict.fromkeys(map(facet, self._entries))
        yield '<search class="filters" role="search" hidden>'
        yield '<form id="filters" aria-label="Filter the changes">'
        yield (
            '<label class="words">Search <input type="search" name="words" autocomplete="off" '
            'spellcheck="false" placeholder="address, type, value, rule"></label>'
        )
        if len(facets) > 1:
            yield "<fieldset><legend>Action</legend>"
            yield from (_checkbox("action", name, _facet_word(name)) for name in facets)
            yield "</fieldset>"
        if len(self._modules) > 1:
            options = [("", "all modules")]
            options += [
                (str(number), words.module_title(name)) for name, number in self._modules.items()
            ]
            yield _select("module", "Module", options)
        if self._review.decision.outcomes:
            ranks = [("0", "any")]
            ranks += [(str(n), f"{s} or worse") for n, s in enumerate(Severity, start=1)]
            yield _select("severity", "Severity", ranks)
            yield _checkbox("found", "1", "findings only")
        yield '<button type="button" data-fold="open">Open all</button>'
        yield '<button type="button" data-fold="close">Close all</button>'
        yield '<button type="reset">Reset</button>'
        yield '<output id="said" aria-live="polite"></output></form></search>'

    def _changes(self) -> Iterator[str]:
        number = 0
        for place, (title, changes) in enumerate(self._lists):
            if changes:
                yield from self._list(f"l{place}", title, changes, number)
            number += len(changes)
        yield (
            '<p id="none" hidden>Nothing fits these filters. '
            '<button type="button" id="again">Show everything</button></p>'
        )
        if not self._entries:
            yield "<p>There is nothing to show.</p>"

    def _list(
        self, anchor: str, title: str, changes: Sequence[ReviewedChange], first: int
    ) -> Iterator[str]:
        yield f'<section class="list" aria-labelledby="{anchor}"><h2 id="{anchor}">'
        yield f'{html_text(title)} <span class="count">({len(changes):,})</span></h2>'
        for number, change in enumerate(changes, start=first):
            yield self._cards.card(change, f"c{number}")
        yield "</section>"

    def _rule_pages(self) -> Iterator[str]:
        if not self._review.rules:
            return
        yield '<section aria-labelledby="rules"><h2 id="rules">Rules behind the findings</h2>'
        for name, rule in self._review.rules.items():
            yield from rule_page(rule, self._rules[name])
        yield "</section>"

    def _footer(self) -> Iterator[str]:
        decision, context = self._review.decision, self._context
        yield '<footer><h2>What this rests on</h2><dl class="facts">'
        facts = {"Outcomes": view.tally(decision)}
        for ruleset in decision.rulesets:
            facts[f"Ruleset {ruleset.id}"] = f"{ruleset.version}, {ruleset.digest}"
        facts["Plan JSON"] = f"SHA-256 {decision.plan.json_sha256}"
        facts["Made"] = context.now.isoformat(timespec="seconds") if context.now else ""
        facts["tfgate"] = context.tfgate_version
        for name, fact in facts.items():
            if fact:
                yield f"<dt>{html_text(name)}</dt><dd>{html_text(fact)}</dd>"
        yield "</dl>"
        yield from (f"<p>Warning: {html_text(warning)}</p>" for warning in decision.warnings)
        yield f"<p>{words.NO_RECORD}</p></footer>"


def _bar(radius: Radius) -> str:
    """Draw the shares of the actions; the tiles above say the same in numbers."""
    changing = [(a, n) for a, n in radius.counts if a not in (Action.NO_OP, Action.READ)]
    total = sum(number for _, number in changing)
    if len(changing) < 2:
        return ""
    parts, left = [], 0.0
    for action, number in changing:
        width = 100 * number / total
        parts.append(
            f'<rect class="{action}" x="{left:.3f}" width="{width:.3f}" height="1"></rect>'
        )
        left += width
    return (
        '<svg class="bar" viewBox="0 0 100 1" preserveAspectRatio="none" aria-hidden="true">'
        f"{''.join(parts)}</svg>"
    )


def _type_table(radius: Radius) -> Iterator[str]:
    used = [
        action
        for action in (Action.DELETE, Action.REPLACE, Action.FORGET, Action.UPDATE, Action.CREATE)
        if any(action in dict(row.counts) for row in radius.types)
    ]
    heads = "".join(f'<th scope="col">{words.action_word(action)}</th>' for action in used)
    yield '<div class="scroll" tabindex="0" role="region" aria-label="Changes by type"><table>'
    yield f'<thead><tr><th scope="col">type</th>{heads}</tr></thead><tbody>'
    for row in radius.types:
        counts = dict(row.counts)
        cells = "".join(
            f'<td class="n {action}">{counts[action]:,}</td>' if action in counts else "<td></td>"
            for action in used
        )
        yield f'<tr><th scope="row"><code>{html_text(row.type)}</code></th>{cells}</tr>'
    yield "</tbody></table></div>"


def _facet_word(name: str) -> str:
    if name in {action.value for action in Action}:
        return words.action_word(Action(name))
    return {"output": "outputs", "drift": "drift", "invoke": "actions"}.get(name, name)


def _checkbox(name: str, value: str, text: str) -> str:
    return f'<label><input type="checkbox" name="{name}" value="{value}">{text}</label>'


def _select(name: str, text: str, options: Sequence[tuple[str, str]]) -> str:
    inner = "".join(
        f'<option value="{value}">{html_text(label)}</option>' for value, label in options
    )
    return f'<label>{text} <select name="{name}">{inner}</select></label>'
