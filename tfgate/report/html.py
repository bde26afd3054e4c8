"""``html``: one page to keep or to send. Self-contained: no script, no network, nothing loaded.

The content security policy allows this page's own style sheet, by its hash, and nothing else; text
out of a plan is only ever text.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from tfgate.report import view
from tfgate.report.html_findings import code, finding_list, rule_articles, tag, waived_list
from tfgate.report.html_style import STYLE
from tfgate.report.neutral import html_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.model.decision import Decision
    from tfgate.report.interface import ReportContext


def render(decision: Decision, context: ReportContext) -> str:
    """Give the page."""
    groups = view.group(decision)
    word = view.verdict_word(decision)
    body = "\n".join(_body(decision, groups, context, word))
    workspace = html_text(decision.workspace.name)
    return f"""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{_policy()}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{word.capitalize()}: {workspace} - tfgate</title>
<style>{STYLE}</style>
</head>
<body>
{body}
</body>
</html>
"""


def _policy() -> str:
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    parts = ("default-src 'none'", f"style-src 'sha256-{digest}'", "base-uri 'none'")
    return "; ".join((*parts, "form-action 'none'"))


def _body(
    decision: Decision, groups: view.Groups, context: ReportContext, word: str
) -> Iterator[str]:
    yield f'<header class="verdict {word.lower()}">'
    yield f"<h1><strong>{word.capitalize()}</strong></h1>"
    yield tag("p", view.headline(decision, groups))
    yield from (tag("p", reason) for reason in view.causes(decision, groups))
    yield "</header>"
    yield "<main>"
    yield from _facts(_about(decision, context))
    yield from _section("Blocks the apply", len(groups.blocking))
    yield from rule_articles(groups.blocking, "block")
    yield from _section("Found, does not block", len(groups.advisory))
    yield from rule_articles(groups.advisory)
    yield from _section("To be checked after the apply", len(groups.obligations))
    yield from rule_articles(groups.obligations)
    yield from _section("Waived", len(groups.waived))
    yield from waived_list(groups.waived)
    yield from _sentences("Warnings", decision.warnings)
    yield from _sentences("What next", view.next_steps(decision, groups))
    yield from _passed(decision)
    yield "</main>"
    yield from _basis(decision, context)


def _section(title: str, number: int) -> Iterator[str]:
    if number:
        yield f"<h2>{html_text(title)} ({number:,})</h2>"


def _sentences(title: str, sentences: Iterable[str]) -> Iterator[str]:
    sentences = tuple(sentences)
    if sentences:
        yield f"<h2>{html_text(title)}</h2>"
        yield "<ul>"
        yield from (tag("li", sentence) for sentence in sentences)
        yield "</ul>"


def _facts(facts: dict[str, str]) -> Iterator[str]:
    yield "<dl>"
    for name, fact in facts.items():
        yield f"{tag('dt', name)}{tag('dd', fact)}"
    yield "</dl>"


def _about(decision: Decision, context: ReportContext) -> dict[str, str]:
    where, who, plan = decision.workspace, decision.operator, decision.plan
    state = "/".join(where.identity.values())
    proven = "verified" if who.verified else "not verified"
    word, which = view.what(decision, context.plan_name)
    facts = {
        "Workspace": f"{where.name} (from {where.source})",
        "State": f"{where.backend} {state}".strip() if where.backend else "",
        "Operator": f"{who.name} (from {who.source}, {proven})",
        word.capitalize(): which,
        "Terraform": plan.terraform_version or "",
        "Outcomes": view.tally(decision),
        "Run": (decision.run.url or decision.run.id or "") if decision.run else "",
        "Commit": (decision.run.commit or "") if decision.run else "",
        "Made": context.now.isoformat(timespec="seconds") if context.now else "",
    }
    return {name: fact for name, fact in facts.items() if fact}


def _passed(decision: Decision) -> Iterator[str]:
    """List what passed, closed: the reader who wants it opens it."""
    if not decision.passed:
        return
    number = sum(len(addresses) for addresses in decision.passed.values())
    yield f"<h2>Passed ({number:,})</h2>"
    for rule, addresses in sorted(decision.passed.items()):
        yield f"<details><summary>{code(rule)} ({len(addresses):,})</summary>"
        yield from finding_list(addresses)
        yield "</details>"


def _basis(decision: Decision, context: ReportContext) -> Iterator[str]:
    """Say what the verdict rests on, pinned by digests."""
    yield "<footer>"
    yield "<h2>What this rests on</h2>"
    if decision.rulesets:
        yield '<div class="scroll"><table>'
        heads = ("Ruleset", "Version", "Applied", "Source", "Digest")
        yield "<tr>" + "".join(f'<th scope="col">{head}</th>' for head in heads) + "</tr>"
        for ruleset in decision.rulesets:
            used = f"{ruleset.selected} of {ruleset.rules}"
            cells = [
                tag("td", cell) for cell in (ruleset.id, ruleset.version, used, ruleset.source)
            ]
            yield f"<tr>{''.join(cells)}{tag('td', ruleset.digest, 'digest')}</tr>"
        yield "</table></div>"
    facts = {name: f"SHA-256 {digest}" for name, digest in view.digests(decision).items()}
    if context.audit is not None:
        number = f"number {context.audit.seq} " if context.audit.seq is not None else ""
        facts["Record"] = f"{number}in {context.audit.path}"
    if context.decision_id is not None:
        facts["Decision"] = context.decision_id
    facts["tfgate"] = context.tfgate_version
    yield from _facts(facts)
    yield "</footer>"
