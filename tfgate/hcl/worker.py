"""A second process that parses a share of the files.

It is started with nothing of the working directory on its path, which the author of a change
controls, and gets its search path from this process. Texts go in and shapes come out through pipes:
no source is written to a disk.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import msgspec

from tfgate.hcl.shapes import FileShapes

if TYPE_CHECKING:
    from collections.abc import Sequence

_PROGRAM = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from tfgate.hcl.worker import main
main()
"""


class Job(msgspec.Struct, frozen=True, array_like=True):
    """What the other process gets: the parser's tables, and texts to parse."""

    tables: bytes
    texts: list[str]


class Worker:
    """One process at work on some texts, or none where it could not be started."""

    def __init__(self, texts: Sequence[str], tables: bytes) -> None:
        self._output: bytes | None = None
        self._process: subprocess.Popen[bytes] | None = None
        path = json.dumps([place for place in sys.path if place])
        command = [sys.executable, "-I", "-c", _PROGRAM, path]
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return
        given = msgspec.msgpack.encode(Job(tables, list(texts)))
        self._thread = threading.Thread(target=self._talk, args=(self._process, given))
        self._thread.start()

    def _talk(self, process: subprocess.Popen[bytes], given: bytes) -> None:
        output, _ = process.communicate(given)
        if process.returncode == 0:
            self._output = output

    def results(self) -> list[FileShapes] | None:
        """Wait, and give the shapes in order; ``None`` where the process failed."""
        if self._process is None:
            return None
        self._thread.join()
        try:
            return msgspec.msgpack.decode(self._output or b"", type=list[FileShapes])
        except (msgspec.DecodeError, UnicodeError, RecursionError):
            return None


def main() -> None:
    """Do the job on standard input; the other side of `Worker`."""
    from tfgate.hcl.grammar import from_tables
    from tfgate.hcl.parse import parse_file

    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    lark = from_tables(job.tables)
    if lark is not None:
        shapes = [parse_file(lark, text) for text in job.texts]
        sys.stdout.buffer.write(msgspec.msgpack.encode(shapes))
