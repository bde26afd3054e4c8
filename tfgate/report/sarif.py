"""``sarif``: SARIF 2.1.0, for code scanning. Points at the .tf line where one is known.

Written after the OASIS standard (errata 01) and what GitHub's code scanning reads of it. Passes are
not results: the ``json`` report has them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from tfgate.model.address import Location
from tfgate.model.decision import NO_PLAN, Decision, Outcome, OutcomeKind
from tfgate.model.rule import Enforcement, Rule, Severity
from tfgate.report import view
from tfgate.report.escape import (
    dumps,
    link,
    markdown_prose,
    paragraphs,
    sarif_text,
    visible,
    without_links,
)
from tfgate.report.interface import ReportContext, exit_code, repository_path

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
    """Return ``version``, and ``semanticVersion`` where it is one (3.19.12)."""
    shown = visible(version)
    return {"version": shown, **({"semanticVersion": shown} if _SEMVER.fullmatch(shown) else {})}


def descriptor(outcome: Outcome, rule: Rule | None) -> Json:
    """Describe the rule of ``outcome``; ``rule`` is its metadata, where at hand."""
    title = without_links(outcome.title) or without_links(outcome.rule)
    description = paragraphs((rule.description if rule else None) or outcome.title)
    entry: Json = {
        "id": visible(outcome.rule),
        "shortDescription": {"text": title},
        "fullDescription": {"text": without_links(" ".join(description)) or title},
        "help": {
            "text": "\n".join(map(without_links, _help_text(outcome, description))) or title,
            "markdown": "\n\n".join(_help_markdown(outcome, description))
            or markdown_prose(outcome.title or outcome.rule),
        },
        "defaultConfiguration": {"level": _level(outcome)},
        "properties": _properties(outcome),
    }
    if links := [url for url in outcome.references if link(url)]:
        entry["helpUri"] = links[0]
    return entry


def _level(outcome: Outcome) -> str:
    if outcome.enforcement is not Enforcement.ADVISORY:
        return "error"
    return _found_level(outcome)


def _found_level(outcome: Outcome) -> str:
    return "note" if outcome.severity in {Severity.INFO, Severity.LOW} else "warning"


def _help_text(outcome: Outcome, description: list[str]) -> Iterator[str]:
    yield from description
    yield from paragraphs(outcome.remediation or "")
    yield from _controls(outcome)
    yield from (visible(reference) for reference in outcome.references)


def _help_markdown(outcome: Outcome, description: list[str]) -> Iterator[str]:
    for text in description:
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


SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_ROOT = "%SRCROOT%"
"""The name that code scanning tools use for the root of the repository."""


def render(decision: Decision, context: ReportContext) -> str:
    """Return the log file, one run in it."""
    return dumps({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(decision, context)]})


def _run(decision: Decision, context: ReportContext) -> Json:
    by_id = {outcome.rule: outcome for outcome in reversed(decision.outcomes)}
    rules = dict(sorted(by_id.items()))
    index = {rule: number for number, rule in enumerate(rules)}
    return {
        "tool": {
            "driver": {
                "name": "tfgate",
                **tool_version(context.tfgate_version),
                "rules": [
                    descriptor(rule, context.rules.get(rule.rule)) for rule in rules.values()
                ],
            }
        },
        "automationDetails": {"id": f"tfgate/{visible(decision.workspace.name)}/"},
        "invocations": [_invocation(decision, context)],
        "originalUriBaseIds": {_ROOT: {"description": {"text": "The root of the repository."}}},
        "columnKind": "unicodeCodePoints",
        "results": list(_results(decision.outcomes, index, context)),
        "properties": {
            "decision": decision.verdict.value,
            "workspace": visible(decision.workspace.name),
            **_digests(decision),
        },
    }


def _digests(decision: Decision) -> Json:
    found = {}
    if decision.plan != NO_PLAN:
        found["planJsonSha256"] = visible(decision.plan.json_sha256)
    if decision.sources is not None:
        found["sourcesSha256"] = decision.sources.sha256
    return found


def _invocation(decision: Decision, context: ReportContext) -> Json:
    """Describe the run: whether tfgate could decide, what it warned of, why it could not decide."""
    notes = [(text, "warning") for text in decision.warnings]
    if decision.undecided:
        notes += [(reason, "error") for reason in decision.reasons]
    return {
        "executionSuccessful": not decision.undecided,
        "exitCode": exit_code(decision, context),
        "toolExecutionNotifications": [
            {"level": level, "message": {"text": sarif_text(text)}} for text, level in notes
        ],
    }


def _results(
    outcomes: Iterable[Outcome], index: dict[str, int], context: ReportContext
) -> Iterator[Json]:
    seen: dict[str, int] = {}
    for outcome in outcomes:
        number = seen[outcome.fingerprint] = seen.get(outcome.fingerprint, 0) + 1
        yield _result(outcome, index[outcome.rule], number, context)


def _result(outcome: Outcome, rule_index: int, number: int, context: ReportContext) -> Json:
    """Write one finding; ``number`` distinguishes findings of one fingerprint."""
    result: Json = {
        "ruleId": visible(outcome.rule),
        "ruleIndex": rule_index,
        **_weight(outcome),
        "message": {"text": _message(outcome)},
        "locations": [_location(outcome, context)],
        "partialFingerprints": {
            "tfgate/v1": f"{outcome.fingerprint}:{number}",
            # The key that GitHub tracks alerts by; it would hash the line's text otherwise, and
            # close and reopen an alert whenever somebody edits the line.
            "primaryLocationLineHash": f"{outcome.fingerprint[:16]}:{number}",
        },
        "properties": _result_properties(outcome),
    }
    if outcome.location is not None and outcome.location.calls:
        result["relatedLocations"] = list(_calls(outcome.location, context))
    if outcome.outcome is OutcomeKind.WAIVED:
        result["suppressions"] = [_suppression(outcome, context)]
    if outcome.override is not None:
        result["suppressions"] = [_approved(outcome)]
    return result


def _weight(outcome: Outcome) -> Json:
    """Return kind and level (3.27.9, 3.27.10: any kind but ``fail`` has the level ``none``)."""
    if outcome.outcome is OutcomeKind.UNKNOWN and not outcome.blocks:
        return {"kind": "open", "level": "none"}
    if outcome.blocks:
        return {"kind": "fail", "level": "error"}
    mandatory = outcome.enforcement is not Enforcement.ADVISORY
    if mandatory and (outcome.outcome is OutcomeKind.WAIVED or outcome.override is not None):
        return {"kind": "fail", "level": "error"}
    return {"kind": "fail", "level": _found_level(outcome)}


def _message(outcome: Outcome) -> str:
    found = sarif_text(view.sentence(outcome))
    remedy = _remedy(outcome.remediation) if outcome.remediation else ""
    return f"{found}\n{remedy}" if remedy else found


@lru_cache(maxsize=256)
def _remedy(text: str) -> str:
    """Write the remediation once for all findings of a rule."""
    return "\n".join(map(sarif_text, paragraphs(text)))


def _location(outcome: Outcome, context: ReportContext) -> Json:
    """Return the address always, and a place in a file where there is one."""
    name = view.subject(outcome)
    location: Json = {
        "logicalLocations": [
            {"name": name, "fullyQualifiedName": name, "kind": outcome.scope.value}
        ]
    }
    if outcome.location is not None:
        location["physicalLocation"] = _physical(outcome.location, context)
    elif context.fallback_file is not None:
        location["physicalLocation"] = {"artifactLocation": _artifact(context.fallback_file)}
    return location


def _physical(place: Location, context: ReportContext) -> Json:
    region = {"startLine": place.line}
    if place.end_line is not None and place.end_line >= place.line:
        region["endLine"] = place.end_line
    return {
        "artifactLocation": _artifact(repository_path(place.file, context)),
        "region": region,
    }


def _artifact(path: str) -> Json:
    return {"uri": quote(visible(path), safe="/"), "uriBaseId": _ROOT}


def _calls(place: Location, context: ReportContext) -> Iterator[Json]:
    for number, call in enumerate(place.calls, start=1):
        yield {
            "id": number,
            "physicalLocation": _physical(call, context),
            "message": {"text": f"Module call {number} of {len(place.calls)} that leads here"},
        }


def _suppression(outcome: Outcome, context: ReportContext) -> Json:
    waiver = outcome.waiver
    suppression: Json = {
        "kind": "inSource" if waiver is not None and waiver.kind == "comment" else "external",
        "status": "accepted",
        "justification": visible(view.waiver_note(outcome)),
    }
    if waiver is not None and waiver.location is not None:
        suppression["location"] = {"physicalLocation": _physical(waiver.location, context)}
    return suppression


def _approved(outcome: Outcome) -> Json:
    note = visible(view.override_note(outcome))
    return {"kind": "external", "status": "accepted", "justification": note}


def _result_properties(outcome: Outcome) -> Json:
    facts = {
        "address": outcome.address,
        "deposed": outcome.deposed,
        "type": outcome.type,
        "action": outcome.action,
        "attribute": outcome.attribute,
    }
    shown: Json = {name: visible(fact) for name, fact in facts.items() if fact is not None}
    shown["outcome"] = outcome.outcome.value
    shown["ruleset"] = visible(outcome.ruleset)
    shown["severity"] = outcome.severity.value
    shown["enforcement"] = outcome.enforcement.value
    if outcome.on_unknown is not None:
        shown["onUnknown"] = outcome.on_unknown.value
    shown["blocks"] = outcome.blocks
    return shown
