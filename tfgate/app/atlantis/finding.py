"""What the doctor finds, and how bad it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Danger(str, Enum):
    """What a setting can lead to."""

    OPEN = "open"
    """A plan that tfgate denies, or never sees, can be applied."""
    WEAK = "weak"
    """Less is proven than it seems, or one mistake more opens it."""
    BROKEN = "broken"
    """Plans are held that need not be, or Atlantis does not start."""
    NOTE = "note"
    """Good to know."""

    def __str__(self) -> str:
        return self.value


@dataclass(frozen=True)
class Finding:
    """One setting."""

    danger: Danger
    name: str
    """What kind of trap it is, in one word: ``no-policy-sets``."""
    file: str
    line: int | None
    what: str
    """What is wrong, in one sentence."""
    remedy: str

    @property
    def where(self) -> str:
        """File and line."""
        return self.file if self.line is None else f"{self.file}:{self.line}"
