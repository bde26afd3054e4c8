"""What an approver is shown."""

from __future__ import annotations

import datetime as dt

import pytest

from tests.support.decisions import HOSTILE, HOSTILE_ADDRESS, SOFT, decision, outcome
from tfgate.approvals.approve import render_approval
from tfgate.model.approval import (
    ApprovalRequest,
    ApprovalStatement,
    ApprovedFinding,
    ApprovedPlan,
    ApprovedWorkspace,
)

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)


def statement(text: str, address: str = "aws_instance.web") -> ApprovalStatement:
    """A statement in which everything free says ``text``."""
    found = outcome(
        text, address, enforcement=SOFT, title=text, message=text, action=text, deposed=text
    )
    request = ApprovalRequest(
        decision_id=text,
        created=NOW,
        expires=NOW,
        bind="findings",
        plan=ApprovedPlan("a" * 64, "b" * 64),
        workspace=ApprovedWorkspace(text, "s3", {"bucket": text}),
        operator=text,
        authors=(text, text),
        findings=(ApprovedFinding.of(found),),
    )
    return ApprovalStatement(request=request, reason=text, approved=NOW, expires=NOW)


def test_all_that_is_signed_is_shown() -> None:
    """Findings with messages, plan, workspace, operator, author, reason and end."""
    text = render_approval(statement("word"), width=80, color=False)
    for fact in ("aws_instance.web", "a" * 64, "b" * 64, "2026-11-24 12:00 UTC", "any plan"):
        assert fact in text
    assert text.count("word") == 12
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("color", [True, False])
def test_hostile_text_stays_text(color: bool) -> None:
    """Whoever wrote the request cannot clear the screen or hide a line from the approver."""
    plain = render_approval(statement(HOSTILE, HOSTILE_ADDRESS), width=80, color=color)
    allowed = {"\n", "\x1b"} if color else {"\n"}
    assert all(char.isprintable() or char in allowed for char in plain)
    assert "\x1b[2J" not in plain
    assert "\u202e" not in plain
    assert not any(line.lstrip().startswith("::error") for line in plain.splitlines())


def test_lone_surrogates_can_be_signed() -> None:
    """JSON of a plan may hold what no UTF-8 can."""
    found = ApprovedFinding.of(decision(outcome(message="\ud800", title="\udfff")).outcomes[0])
    assert (found.message, found.title) == ("\\ud800", "\\udfff")
