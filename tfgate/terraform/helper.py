"""Run a command for its output, which stays in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import IO

_STDERR_KEPT = 1 << 16


class Helped(NamedTuple):
    """How a helper command ended."""

    code: int
    """Exit code, or minus the signal that ended it."""
    stdout: bytes
    stderr: str
    """Its first 64 KiB."""


def run_helper(command: Sequence[str], *, cwd: str | Path | None, env: Mapping[str, str]) -> Helped:
    """Run ``command`` without input and give its output. Raises ``OSError`` where it cannot start.

    An exception meanwhile, Ctrl-C among them, ends the command before it is passed on.
    """
    # Late: it costs 5 ms, and a plan that comes as JSON needs no process.
    import subprocess
    from threading import Thread

    with subprocess.Popen(
        list(command),
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        kept = bytearray()
        try:
            reader = Thread(target=_drain, args=(process.stderr, kept), daemon=True)
            reader.start()
            stdout = process.stdout.read() if process.stdout else b""
            code = process.wait()
            reader.join()
        except BaseException:
            process.kill()
            raise
    return Helped(code, stdout, kept.decode("utf-8", "replace"))


def _drain(stream: IO[bytes], kept: bytearray) -> None:
    """Read a stream to its end, so that the writer never waits, and keep its beginning."""
    while chunk := stream.read(_STDERR_KEPT):
        kept += chunk[: _STDERR_KEPT - len(kept)]
