"""Who lets a plan through: the decision, and whatever else may speak for or against it.

The seam for approvals and receipts. An ``Authority`` is asked once, after the decision is on
record and before anything is shown, asked or applied.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from tfgate.app.check import exit_code_of
from tfgate.exitcodes import ExitCode
from tfgate.model.decision import Verdict

if TYPE_CHECKING:
    import datetime as dt

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
    """Let through what the decision allows, and nothing else: the default."""
    decision = judged.result.decision
    return Grant(allowed=is_allowed(decision), exit_code=exit_code_of(decision))


def is_allowed(decision: Decision) -> bool:
    """Say whether the decision by itself allows the apply."""
    return decision.verdict is Verdict.ALLOW and not decision.undecided
