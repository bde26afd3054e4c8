"""``python -m tfgate`` and the ``tfgate`` command."""

from __future__ import annotations

import atexit
import contextlib
import gc
import os
import sys
from typing import NoReturn

from tfgate.exitcodes import ExitCode


def run() -> None:
    """Run the command line and leave the process with its exit code."""
    # A large plan becomes many objects and hardly any cycles: look for those less often.
    gc.set_threshold(500_000)
    try:
        from tfgate.cli.main import main

        code = main(sys.argv[1:])
    except BaseException as error:
        # A module that cannot be read, or Ctrl-C before the command line is looked at.
        code = _not_begun(error)
    _leave(code)


def _not_begun(error: BaseException) -> int:
    with contextlib.suppress(Exception):
        sys.stderr.write(f"tfgate: cannot be started or ended as it should ({_name(error)}).\n")
    return ExitCode.UNDECIDED


def _name(error: BaseException) -> str:
    missing = getattr(error, "name", None) if isinstance(error, ImportError) else None
    return f"{type(error).__name__}: {missing}" if missing else type(error).__name__


def _leave(code: int) -> NoReturn:
    """End the process without taking apart, object by object, what ends with it anyway.

    For a large plan that takes as long as some rules do. What must happen at the end happens:
    exit handlers run, and both streams are written out.
    """
    try:
        atexit._run_exitfuncs()
        # Closed before we came, or by who has written all of it.
        if sys.stdout is not None and not sys.stdout.closed:
            sys.stdout.flush()
    except BaseException:
        # The output was not written: that is no success.
        code = code or ExitCode.UNDECIDED
    with contextlib.suppress(Exception):  # nobody reads it any more
        sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    run()
