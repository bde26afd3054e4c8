"""A command of tfgate in a child of this process: nothing is imported again, nothing is left."""

from __future__ import annotations

import functools
import importlib
import os
import pkgutil
import select
import signal
import time
from typing import TYPE_CHECKING, NamedTuple

import tfgate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


BROKEN = 97
"""Exit code of a child that did not come to its end."""


@functools.cache
def preload() -> None:
    """Import all of tfgate, so that its children need not."""
    for module in pkgutil.walk_packages(tfgate.__path__, "tfgate."):
        if not module.name.endswith("__main__") and module.name not in _NOT:
            importlib.import_module(module.name)
    for name in ("re2", "rfc8785", "jmespath", "tomli", "rich.console"):
        importlib.import_module(name)


_NOT = ("tfgate.pytest_plugin", "tfgate.terraform.embedded")


class Ran(NamedTuple):
    """How a command ended; minus the signal where one ended it."""

    code: int
    out: bytes
    err: bytes
    seconds: float
    """Of a processor, with what it ran and waited for."""
    memory: int
    """Most bytes in memory, with what it shared with its parent."""


def run(
    words: Sequence[str],
    *,
    cwd: Path,
    env: Mapping[str, str],
    typed: bytes = b"",
    before: Callable[[], None] | None = None,
    seconds: float = 60,
) -> Ran:
    """Run ``tfgate`` with these words; ``before`` is called in the child."""
    preload()
    typed_read, typed_write = os.pipe()
    outs = [os.pipe() for _ in range(2)]
    os.write(typed_write, typed)
    os.close(typed_write)
    child = os.fork()
    if child == 0:
        _be_tfgate(words, cwd, env, (typed_read, outs[0][1], outs[1][1]), before)
    for descriptor in (typed_read, outs[0][1], outs[1][1]):
        os.close(descriptor)
    out, err = _read(outs[0][0], outs[1][0], time.monotonic() + seconds, child)
    _, status, used = os.wait4(child, 0)
    seconds = used.ru_utime + used.ru_stime
    return Ran(os.waitstatus_to_exitcode(status), out, err, seconds, used.ru_maxrss * 1024)


def _be_tfgate(
    words: Sequence[str],
    cwd: Path,
    env: Mapping[str, str],
    streams: tuple[int, int, int],
    before: Callable[[], None] | None,
) -> None:
    try:
        for number, descriptor in enumerate(streams):
            os.dup2(descriptor, number)
        os.closerange(3, 256)
        os.chdir(cwd)
        os.environ.clear()
        os.environ.update(env)
        import sys

        sys.argv = ["tfgate", *words]
        sys.stdin = os.fdopen(0, encoding="utf-8", closefd=False)
        sys.stdout = os.fdopen(1, "w", encoding="utf-8", closefd=False)
        sys.stderr = os.fdopen(2, "w", encoding="utf-8", errors="backslashreplace", closefd=False)
        sys.__stdin__, sys.__stdout__, sys.__stderr__ = sys.stdin, sys.stdout, sys.stderr
        if before is not None:
            before()
        from tfgate.cli.main import main

        code = main(list(words))
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    except BaseException:
        import traceback

        traceback.print_exc(file=os.fdopen(2, "w", closefd=False))
    finally:
        os._exit(BROKEN)


def _read(out: int, err: int, end: float, child: int) -> tuple[bytes, bytes]:
    found: dict[int, list[bytes]] = {out: [], err: []}
    still = {out, err}
    while still:
        left = end - time.monotonic()
        ready, _, _ = select.select(list(still), [], [], max(left, 0))
        if not ready:
            os.kill(child, signal.SIGKILL)
        for descriptor in ready:
            data = os.read(descriptor, 1 << 16)
            found[descriptor].append(data)
            if not data:
                still.discard(descriptor)
    os.close(out)
    os.close(err)
    return b"".join(found[out]), b"".join(found[err])
