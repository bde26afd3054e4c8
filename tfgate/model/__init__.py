"""Frozen value types: what the rooms hand each other. No I/O, no logic beyond derivation."""

from __future__ import annotations

from enum import Enum

import msgspec


class Frozen(msgspec.Struct, frozen=True):
    """A frozen value. (A dataclass does the same and takes ten times as long to define.)"""


class Word(str, Enum):
    """One of the words that a field may hold. (Python 3.11 has it as ``StrEnum``.)"""

    def __str__(self) -> str:
        return str(self.value)
