"""Showing keys and addresses of a plan inside an error: one line, no control characters."""

from __future__ import annotations

from typing import Final

from tfgate.model.printable import is_printable

MAX_SHOWN: Final = 200
"""Characters of an address or key that an error shows."""


def shown(text: str) -> str:
    """Give ``text`` fit for an error: control and format characters escaped, long ones cut."""
    cut = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return "".join(c if is_printable(c) else c.encode("unicode_escape").decode() for c in cut)
