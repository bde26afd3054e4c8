"""The base of this room's value types."""

from __future__ import annotations

import msgspec


class Frozen(msgspec.Struct, frozen=True):
    """A frozen value. (A dataclass does the same and takes ten times as long to define.)"""
