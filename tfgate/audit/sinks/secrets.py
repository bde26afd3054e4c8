"""Secrets of sinks: from the environment alone, and in no text that anybody reads."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from tfgate.audit.sinks.batch import SinkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

HIDDEN: Final = "(secret)"


class Secrets:
    """What a sink was told in confidence.

    Errors hold what peers say, and a peer may say anything, its caller's token too.
    """

    def __init__(self, sink: str, env: Mapping[str, str]) -> None:
        self._sink = sink
        self._env = env
        self._known: set[str] = set()

    def get(self, variable: str | None) -> str | None:
        """Give what the variable holds, ``None`` where none is named.

        Raises ``SinkError`` where it holds nothing: rather nothing is sent than without it.
        """
        if variable is None:
            return None
        value = self._env.get(variable, "").strip()
        if not value:
            raise SinkError(
                f"The variable {variable}, which the sink {self._sink} names, is not set."
            )
        if not (value.isascii() and value.isprintable()):
            raise SinkError(f"The variable {variable} does not hold printable ASCII.")
        self.add(value)
        return value

    def add(self, value: str) -> None:
        """Have this hidden too."""
        self._known.update(_forms(value))

    def hide(self, text: str) -> str:
        """Put a word in the place of each secret in ``text``, however it is written."""
        for known in sorted(self._known, key=len, reverse=True):
            text = text.replace(known, HIDDEN)
        return text


def _forms(value: str) -> Iterator[str]:
    yield value
    yield quote(value, safe="")
    yield json.dumps(value)[1:-1]
    # The end depends on what follows, so it is left out.
    yield base64.b64encode(value.encode()).decode("ascii").rstrip("=")
