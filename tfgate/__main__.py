"""``python -m tfgate`` and the ``tfgate`` command."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from typing import NoReturn

from tfgate.cli.main import main


def run() -> None:
    """Run the command line and leave the process with its exit code."""
    # A large plan becomes many objects and hardly any cycles: look for those less often.
    gc.set_threshold(100_000)
    _leave(main(sys.argv[1:]))


def _leave(code: int) -> NoReturn:
    """End the process without taking apart, object by object, what ends with it anyway.

    For a large plan that takes as long as some rules do. What must happen at the end happens:
    exit handlers run, and both streams are written out.
    """
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # the reader is gone: nobody is left to tell
            stream.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
