"""Who lets a plan through: the decision, and whatever else may speak for or against it.

The seam for approvals and receipts. An ``Authority`` is asked once, after the decision is on
record and before anything is shown, asked or applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from tfgate.app.check import exit_code_of
from tfgate.exitcodes import ExitCode
from tfgate.model.decision import Verdict

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator

    from tfgate.app.check import Judged
    from tfgate.model.decision import Decision


@dataclass(frozen=True)
class Grant:
    """Whether a plan may be applied, and what is to be recorded of the reason."""

    allowed: bool
    exit_code: ExitCode = ExitCode.ALLOWED
    """What the command ends with where it is not allowed."""
    notes: tuple[str, ...] = ()
    """Sentences for the person: which approval was used, why a receipt was refused."""
    records: tuple[tuple[str, dict[str, Any]], ...] = field(default=())
    """``(event, fields)`` to record before the apply begins: ``approval_used``, …"""


class Authority(Protocol):
    """Decides from the decision and the hash of the plan file whether it goes through."""

    def __call__(self, judged: Judged, plan_sha256: str, now: dt.datetime) -> Grant:
        """Give the grant. Raises ``TfgateError`` where it cannot be told: nothing is applied."""


def decision_alone(judged: Judged, plan_sha256: str, now: dt.datetime) -> Grant:
    """Let through what the decision allows, unless the configuration asks for a receipt as well."""
    grant = decided(judged)
    if grant.allowed and judged.gathered.config.receipt_required:
        note = "This gate applies only what has a receipt: see --receipt (receipts.required)."
        return Grant(allowed=False, exit_code=ExitCode.DENIED, notes=(note,))
    return grant


def decided(judged: Judged) -> Grant:
    """Say whether the decision by itself allows the apply, and which approvals it rests on."""
    decision = judged.result.decision
    return Grant(
        allowed=decision.verdict is Verdict.ALLOW and not decision.undecided,
        exit_code=exit_code_of(decision),
        records=tuple(used_records(decision)),
    )


def used_records(decision: Decision) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the ``approval_used`` events of a decision that rests on approvals."""
    for approval in decision.approvals:
        findings = [
            {"rule": each.rule, "address": each.address, "fingerprint": each.fingerprint}
            for each in decision.outcomes
            if each.override is not None and approval in each.override.approvals
        ]
        yield "approval_used", {**msgspec.to_builtins(approval), "findings": findings}
