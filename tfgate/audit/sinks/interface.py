"""What a sink is given, and what it may say to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol
from urllib.parse import quote

import msgspec

from tfgate.audit.record import Record, neutralise_text
from tfgate.errors import AuditError

LONGEST_REASON = 400
"""Characters of what a peer says that are kept."""


class Batch(msgspec.Struct, frozen=True):
    """Records that follow each other, at least one."""

    chain: str
    """``hash`` of the chain's record 0, or of the first one that was still there."""
    records: Sequence[Record]

    @property
    def first(self) -> int:
        """Number of the first record."""
        return self.records[0].seq

    @property
    def last(self) -> Record:
        """The last record."""
        return self.records[-1]

    @property
    def lines(self) -> bytes:
        """JSON Lines, byte for byte as the trail has them."""
        return b"".join(record.line + b"\n" for record in self.records)

    @property
    def name(self) -> str:
        """The same for the same records, and for no others: ``1f2e…-12-40-9a3c…``."""
        return f"{self.chain[:16]}-{self.first}-{self.last.seq}-{self.last.hash[:16]}"


class SinkError(AuditError):
    """The sink has not taken the batch, as far as is known. It is tried again."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retry_after: float | None = None,
        too_large: bool = False,
    ) -> None:
        super().__init__(_tame(message), hint=hint)
        self.retry_after = retry_after
        """Seconds that the sink asks for before the next attempt."""
        self.too_large = too_large
        """Whether fewer records at once might be taken."""


class Sink(Protocol):
    """Somewhere that takes records. One thread uses it at a time."""

    steady: bool = False
    """Whether a batch that is sent again must be the same batch, whatever has come since."""

    def send(self, batch: Batch) -> None:
        """Hand over a batch; when this returns, the sink keeps it. Raises ``SinkError``.

        A batch that the sink has already may come again.
        """

    def close(self) -> None:
        """Let connections go; most sinks have one for each batch alone."""
        return


def _tame(text: str) -> str:
    """Keep what a peer says from growing, and from being more than text."""
    line = neutralise_text(" ".join(text.split()))
    return line if len(line) <= LONGEST_REASON else f"{line[:LONGEST_REASON]}…"


HIDDEN: Final = "(secret)"


class Secrets:
    """The secrets that a sink is given.

    Errors hold what peers say, and a peer may say anything, its caller's token too.
    """

    def __init__(self, sink: str, env: Mapping[str, str]) -> None:
        self._sink = sink
        self._env = env
        self._known: set[str] = set()

    def get(self, variable: str | None) -> str | None:
        """Return what the variable holds, ``None`` where none is named.

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
        """Redact this too."""
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
