"""Where something stands in HCL sources."""

from __future__ import annotations

import msgspec


class Location(msgspec.Struct, frozen=True, omit_defaults=True):
    """A place in a source file, with the chain of module calls that leads there."""

    file: str
    """Path relative to the root directory of the configuration, with ``/``."""
    line: int
    """1-based first line."""
    end_line: int | None = None
    """1-based last line, where known."""
    calls: tuple[Location, ...] = ()
    """The module calls from the root to here, outermost first; each without ``calls`` itself."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"

    def chain(self) -> str:
        """Write ``main.tf:12 → modules/net/main.tf:40``."""
        return " → ".join(str(place) for place in (*self.calls, self))
