"""Standard output or standard error as a sink: for whoever collects a container's output."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from tfgate.audit.sinks.batch import SinkError

if TYPE_CHECKING:
    from tfgate.audit.sinks.batch import Batch


class StreamSink:
    """Writes each record as one line to a file descriptor (1 or 2)."""

    steady = False

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def send(self, batch: Batch) -> None:
        """Write the lines. A record is whole or not there, unless the process dies in between."""
        rest = memoryview(batch.lines)
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
        except OSError as error:
            raise SinkError(f"The records cannot be written: {error.strerror}.") from None

    def close(self) -> None:
        """Nothing to let go: the stream is the process's."""
