"""Whatever stops a command ends as one sentence on standard error and an exit code.

The one thing that must hold whatever is raised, and whatever becomes of standard error: the code
is not 0. Nothing here raises.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback

import click

from tfgate.cli.output import tell
from tfgate.errors import TfgateError
from tfgate.exitcodes import ExitCode


def answer(error: BaseException, *, debug: bool) -> int:
    """Say what has stopped the command, and give the exit code."""
    try:
        return _answer(error, debug=debug)
    except BaseException:
        # Standard error cannot be written either, or there is no memory for the sentence.
        return ExitCode.UNDECIDED


def _answer(error: BaseException, *, debug: bool) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        click.echo(error.format_message())
        return ExitCode.USAGE
    if isinstance(error, click.ClickException):
        return _usage(error)
    if isinstance(error, BrokenPipeError):
        return _broken_pipe()
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return fail("Interrupted; nothing was decided.", ExitCode.UNDECIDED)
    if isinstance(error, TfgateError):
        # No error allows anything, whatever a class of it may say.
        return fail(str(error), error.exit_code or ExitCode.UNDECIDED)
    if isinstance(error, OSError) and error.strerror:
        return _refused(error, debug=debug)
    return _unexpected(error, debug=debug)


def fail(text: str, code: ExitCode) -> int:
    """Say it, line by line, with nothing in it that a terminal or a CI log would obey."""
    _say(f"tfgate: {text}")
    return code


def _usage(error: click.ClickException) -> int:
    """Say it as click does, with nothing in it that a terminal or a CI log would obey."""
    said = io.StringIO()
    error.show(said)
    _say(said.getvalue().rstrip("\n"))
    return ExitCode.USAGE


def _say(text: str) -> None:
    with contextlib.suppress(OSError):
        tell(text)


def _broken_pipe() -> int:
    """Keep the interpreter from complaining again when it flushes a closed stdout."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ else 1)
        os.close(nowhere)
    return ExitCode.UNDECIDED


def _refused(error: OSError, *, debug: bool) -> int:
    """Say what the system did not do: names of files and its own words, no value of a plan."""
    if debug:
        _show_frames(error)
    names = [name for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    what = " to ".join(os.fsdecode(name) for name in names) or "A file, pipe or process"
    # Not what the error itself says: a library may have put anything into it.
    reason = os.strerror(error.errno or 0)
    return fail(
        f"{what}: the system says {reason!r}, so nothing more was done.",
        ExitCode.UNDECIDED,
    )


def _unexpected(error: BaseException, *, debug: bool) -> int:
    """Say that tfgate has a bug. Frames and type alone are shown: the message may hold a secret."""
    if debug:
        _show_frames(error)
    text = (
        f"An unexpected {type(error).__name__} stopped tfgate, so nothing was decided. "
        "Please report it with the output of the same command and --debug."
    )
    return fail(text, ExitCode.UNDECIDED)


def _show_frames(error: BaseException) -> None:
    frames = "".join(traceback.format_tb(error.__traceback__))
    name = type(error).__name__
    with contextlib.suppress(OSError):
        click.echo(f"{frames}{name} (message withheld: it may hold a value)", err=True)
