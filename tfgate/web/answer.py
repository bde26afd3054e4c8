"""What is sent back, as JSON:API documents that stay below the limit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.web.job import Finding

RUNNING, PASSED, FAILED = "running", "passed", "failed"


def status_body(status: str, message: str, url: str | None = None) -> bytes:
    """Give a body that says a status and nothing else."""
    return msgspec.json.encode({"data": _data(status, message, url)})


def _data(status: str, message: str, url: str | None) -> dict[str, Any]:
    attributes = {"status": status, "message": message}
    if url is not None:
        attributes["url"] = url
    return {"type": "task-results", "attributes": attributes}


def outcomes_body(
    message: str, url: str | None, findings: Sequence[Finding], *, most: int, limit: int
) -> bytes:
    """Give a ``running`` body with one outcome a finding: the worst first, at most ``limit`` bytes.

    Findings that do not fit are counted in a last outcome.
    """
    data = _data(RUNNING, message, url)
    size = len(msgspec.json.encode(data)) + 2_000
    taken: list[dict[str, Any]] = []
    for finding in findings[:most]:
        outcome = _outcome(finding, url)
        size += len(msgspec.json.encode(outcome)) + 1
        if size > limit:
            break
        taken.append(outcome)
    left = len(findings) - len(taken)
    if left:
        taken.append(_rest(left, url))
    data["relationships"] = {"outcomes": {"data": taken}}
    return msgspec.json.encode({"data": data})


def _outcome(finding: Finding, url: str | None) -> dict[str, Any]:
    tags = {
        "Status": [{"label": finding.status, "level": finding.level}],
        "Severity": [{"label": finding.severity, "level": finding.level}],
    }
    attributes = {
        "outcome-id": finding.id,
        "description": finding.description,
        "body": finding.body,
        "tags": tags,
    }
    if url is not None:
        attributes["url"] = url
    return {"type": "task-result-outcomes", "attributes": attributes}


def _rest(number: int, url: str | None) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "outcome-id": "tfgate-more",
        "description": f"{number} more findings are on the page of the decision.",
        "tags": {"Status": [{"label": "More", "level": "info"}]},
    }
    if url is not None:
        attributes["url"] = url
    return {"type": "task-result-outcomes", "attributes": attributes}
