"""Frozen value types: what the rooms hand each other. No I/O, no logic beyond derivation."""

from __future__ import annotations

import msgspec

# --- The base of this room's value types.


class Frozen(msgspec.Struct, frozen=True):
    """A frozen value. (A dataclass does the same and takes ten times as long to define.)"""
