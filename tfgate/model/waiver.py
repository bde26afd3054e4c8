"""A reviewed, dated exception, known before the plan."""

from __future__ import annotations

import datetime as dt

import msgspec

from tfgate.model.location import Location


class Waiver(msgspec.Struct, frozen=True, omit_defaults=True):
    """One exception to one rule (or rule glob) on one address (or address glob)."""

    rule: str
    address: str
    reason: str
    owner: str
    expires: dt.date
    """The last day on which it holds, in UTC."""
    ticket: str | None = None
    source: str = ""
    """Where it stands: ``tfgate.toml: waivers[2]`` or ``main.tf:12``."""
    location: Location | None = None
    kind: str = "file"
    """``file`` (``tfgate.toml``, a waiver file) or ``comment`` (on a block in HCL)."""
