"""Checkpoints as the configuration asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.audit.checkpoint import CheckpointPolicy, checkpoint_due, make_checkpoint
from tfgate.errors import TfgateError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfgate.audit.writer import AuditTrail
    from tfgate.ruleset import GateConfig


def automatic_checkpoints(config: GateConfig) -> Callable[[AuditTrail], None]:
    """Give what is to be done after each record: a checkpoint, where one is due."""
    key = config.path("audit.checkpoint_key")
    policy = CheckpointPolicy(
        every_records=config.number("audit.checkpoint_every"),
        every_minutes=config.number("audit.checkpoint_minutes"),
    )

    def after(trail: AuditTrail) -> None:
        if key is not None and checkpoint_due(trail, policy):
            _make(trail, key)

    return after


def _make(trail: AuditTrail, key: Path) -> None:
    """Make a checkpoint. One that cannot be made is recorded, and stops nothing.

    What it would vouch for is on the disk already, and an apply may be under way.
    """
    try:
        make_checkpoint(trail, key)
    except TfgateError as error:
        trail.append("checkpoint_failed", {"reason": error.message})
    except OSError as error:
        trail.append("checkpoint_failed", {"reason": error.strerror or type(error).__name__})
