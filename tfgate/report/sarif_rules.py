"""How SARIF describes a rule: help for a person, and what code scanning sorts and filters by."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tfgate.model.rule import Enforcement, Severity
from tfgate.report.neutral import link, markdown_prose, paragraphs, visible, without_links

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.model.decision import Outcome
    from tfgate.model.rule import Rule

Json = dict[str, Any]

SECURITY_SEVERITY = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
}
"""GitHub reads above 9.0 as critical, from 7.0 as high, from 4.0 as medium, below as low."""

_MOST_TAGS = 20
"""GitHub takes no more tags of a rule."""

_SEMVER = re.compile(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?")


def tool_version(version: str) -> Json:
    """Give ``version``, and ``semanticVersion`` where it is one (3.19.12)."""
    shown = visible(version)
    return {"version": shown, **({"semanticVersion": shown} if _SEMVER.fullmatch(shown) else {})}


def descriptor(outcome: Outcome, rule: Rule | None) -> Json:
    """Describe the rule of ``outcome``; ``rule`` is its metadata, where at hand."""
    title = without_links(outcome.title) or without_links(outcome.rule)
    entry: Json = {
        "id": visible(outcome.rule),
        "shortDescription": {"text": title},
        "fullDescription": {"text": without_links(_description(outcome, rule)) or title},
        "help": {
            "text": "\n".join(map(without_links, _help_text(outcome, rule))) or title,
            "markdown": "\n\n".join(_help_markdown(outcome, rule))
            or markdown_prose(outcome.title or outcome.rule),
        },
        "defaultConfiguration": {"level": _level(outcome)},
        "properties": _properties(outcome),
    }
    if links := [url for url in outcome.references if link(url)]:
        entry["helpUri"] = links[0]
    return entry


def _description(outcome: Outcome, rule: Rule | None) -> str:
    return " ".join(paragraphs((rule.description if rule else None) or outcome.title))


def _level(outcome: Outcome) -> str:
    if outcome.enforcement is not Enforcement.ADVISORY:
        return "error"
    return "note" if outcome.severity in {Severity.INFO, Severity.LOW} else "warning"


def _help_text(outcome: Outcome, rule: Rule | None) -> Iterator[str]:
    yield from paragraphs((rule.description if rule else None) or outcome.title)
    yield from paragraphs(outcome.remediation or "")
    yield from _controls(outcome)
    yield from (visible(reference) for reference in outcome.references)


def _help_markdown(outcome: Outcome, rule: Rule | None) -> Iterator[str]:
    for text in paragraphs((rule.description if rule else None) or outcome.title):
        yield markdown_prose(text)
    for text in paragraphs(outcome.remediation or ""):
        yield f"**Remedy:** {markdown_prose(text)}"
    for text in _controls(outcome):
        yield f"**Control:** {markdown_prose(text)}"
    for reference in outcome.references:
        yield f"**See:** <{reference}>" if link(reference) else markdown_prose(reference)


def _controls(outcome: Outcome) -> list[str]:
    return [visible(f"{name}/{c}") for name, cs in sorted(outcome.controls.items()) for c in cs]


def _properties(outcome: Outcome) -> Json:
    tags = dict.fromkeys(["terraform", "policy", *_controls(outcome)])
    properties: Json = {
        "tags": list(tags)[:_MOST_TAGS],
        "precision": "very-high",
        "problem.severity": "error" if _level(outcome) == "error" else "warning",
        "ruleset": visible(outcome.ruleset),
        "enforcement": outcome.enforcement.value,
    }
    if outcome.severity in SECURITY_SEVERITY:
        properties["security-severity"] = SECURITY_SEVERITY[outcome.severity]
    return properties
