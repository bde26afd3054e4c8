"""What Terraform says of its progress with ``-json``: which resources were made, and which failed.

developer.hashicorp.com/terraform/internals/machine-readable-ui: one JSON object a line.
"""

from __future__ import annotations

from typing import Any

import msgspec

MOST = 1_000
"""Addresses kept of each kind; the rest is counted."""
_LONGEST_LINE = 1 << 20
_WANTED = (b'"apply_complete"', b'"apply_errored"', b'"change_summary"')
_SUMMARY = ("add", "change", "import", "remove", "operation")


class Progress:
    """Reads the lines as they come, in pieces of any size."""

    def __init__(self) -> None:
        self._rest = b""
        self._applied: list[dict[str, str]] = []
        self._failed: list[dict[str, str]] = []
        self._left_out = 0
        self._summary: dict[str, Any] | None = None

    def feed(self, piece: bytes) -> None:
        """Take the next piece. What is not understood is passed over: it decides nothing."""
        *lines, self._rest = (self._rest + piece).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:
            self._rest = b""
        for line in lines:
            if any(word in line for word in _WANTED):
                self._take(line)

    def facts(self) -> dict[str, Any]:
        """Give what is known so far, for the record."""
        return {
            "reported_by": "terraform",
            "summary": self._summary,
            "applied": self._applied,
            "failed": self._failed,
            "left_out": self._left_out,
        }

    def _take(self, line: bytes) -> None:
        try:
            event = msgspec.json.decode(line)
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict):
            return
        if event.get("type") == "change_summary":
            self._summarise(event.get("changes"))
        elif event.get("type") == "apply_complete":
            self._note(self._applied, event.get("hook"))
        elif event.get("type") == "apply_errored":
            self._note(self._failed, event.get("hook"))

    def _summarise(self, changes: Any) -> None:
        """Keep the last summary: the plan has one as well, with another ``operation``."""
        if isinstance(changes, dict):
            kept = {name: changes[name] for name in _SUMMARY if name in changes}
            self._summary = {n: v for n, v in kept.items() if isinstance(v, int | str)}

    def _note(self, place: list[dict[str, str]], hook: Any) -> None:
        resource = hook.get("resource") if isinstance(hook, dict) else None
        address = resource.get("addr") if isinstance(resource, dict) else None
        if not isinstance(address, str):
            return
        if len(place) >= MOST:
            self._left_out += 1
        else:
            place.append({"address": address, "action": str(hook.get("action", ""))})
