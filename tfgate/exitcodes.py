"""Exit codes of the command, each a different thing to do next (docs/reference/exit-codes.md)."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """What a caller may conclude. Everything but ``ALLOWED`` means: do not apply."""

    ALLOWED = 0
    """The plan may be applied."""
    DENIED = 1
    """A rule, or an unknown that a rule does not tolerate, stops the apply."""
    USAGE = 2
    """The command line, ``tfgate.toml`` or a ruleset is wrong; nothing was evaluated."""
    UNDECIDED = 3
    """tfgate could not decide or could not record: treated as denied."""
    TERRAFORM_FAILED = 4
    """The gate allowed, and the wrapped terraform command itself failed."""
