"""Where reports go: the terminal, a pipe, or files."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from typing import TYPE_CHECKING

import click

from tfgate.errors import TfgateError
from tfgate.opening import open_for_report
from tfgate.report import render, step_summary, terminal_of
from tfgate.report.escape import console, log_commands, log_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tfgate.model.decision import Decision
    from tfgate.report import ReportContext, ReportRequest, Terminal

    Progress = Callable[[int, int], None]


_AT_A_TIME = 500
"""Lines: each write to standard output is flushed."""


def terminal() -> Terminal:
    """Return what standard output can show."""
    return terminal_of(
        os.environ,
        is_terminal=sys.stdout.isatty(),
        columns=_columns(),
        encoding=sys.stdout.encoding,
    )


def _columns() -> int | None:
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns
    except (OSError, ValueError):  # no terminal, or no file at all
        return None


def write_reports(
    requests: Iterable[ReportRequest], decision: Decision, context: ReportContext
) -> None:
    """Render every report and write it where it goes. Raises ``TfgateError`` where it cannot be.

    Beside annotations for GitHub goes the page of the step, where ``GITHUB_STEP_SUMMARY`` says.
    """
    for request in requests:
        text = render(request.format, decision, context)
        if request.format == "github" and (page := os.environ.get("GITHUB_STEP_SUMMARY")):
            write_file(page, step_summary(decision, context), append=True)
        if request.file is None:
            write_out(text)
        else:
            write_file(request.file, text)


def write_err(text: str) -> None:
    """Write to standard error, escaped for a terminal and a CI log."""
    for line in text.split("\n"):
        click.echo(log_line(console(line)), err=True)


def write_out(text: str) -> None:
    """Write to standard output, whatever characters it can show."""
    _write(_for_a_log(text))


def _for_a_log(text: str, like: str = "") -> str:
    """Break the commands that Azure's, GitHub's and TeamCity's agents look for in a log.

    In a document (JSON, TOML, XML, as the beginning of ``like`` or else of the text shows) by an
    escape that its reader takes for the very character.
    """
    if "##" not in text:
        return text

    return log_commands(text, "&#35;" if (like or text).lstrip()[:1] == "<" else "\\u0023")


def _write(text: str) -> None:
    if sys.stdout is None:
        raise TfgateError("Standard output is closed.", hint="The decision itself is on record.")
    data = text.encode(sys.stdout.encoding or "utf-8", "backslashreplace")
    with contextlib.suppress(ValueError):
        sys.stdout.flush()
    try:
        binary = getattr(sys.stdout, "buffer", None)
        if binary is None:
            sys.stdout.write(data.decode(sys.stdout.encoding or "utf-8"))
        else:
            binary.write(data)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise TfgateError(
            f"Standard output cannot be written: {error.strerror}.",
            hint="The decision itself is on record.",
        ) from None


def write_lines(lines: Iterable[str]) -> None:
    """Write lines to standard output as they come, some hundred at a time."""
    kept: list[str] = []
    first = ""
    for line in lines:
        first = first or line
        kept.append(line)
        if len(kept) == _AT_A_TIME:
            _write(_for_a_log("\n".join([*kept, ""]), first))
            kept.clear()
    if kept:
        _write(_for_a_log("\n".join([*kept, ""]), first))


def write_file(path: str, text: str, *, append: bool = False) -> None:
    """Write a report to a file. Raises ``TfgateError`` where it cannot be."""
    try:
        mode = "a" if append else "w"
        with open(
            path,
            mode,
            encoding="utf-8",
            newline="\n",
            errors="backslashreplace",
            opener=open_for_report,
        ) as file:
            file.write(text)
    except OSError as error:
        raise TfgateError(
            f"The report {path} cannot be written: {error.strerror}.",
            hint="The decision itself is on record.",
        ) from None


PATIENCE = 0.5
"""Seconds before anything is shown: what is quicker needs no bar."""
_WIDTH = 30


@contextlib.contextmanager
def bytes_bar(what: str) -> Iterator[Progress | None]:
    """Yield a callback for bytes done and in all; ``None`` where standard error is no terminal."""
    with _bar(what, lambda number: f"{number / 1e6:,.0f} MB") as progress:
        yield progress


@contextlib.contextmanager
def items_bar(what: str, noun: str) -> Iterator[Progress | None]:
    """Yield a callback for things done and in all; ``None`` where nobody would see it."""
    with _bar(what, lambda number: f"{number:,} {noun}") as progress:
        yield progress


@contextlib.contextmanager
def _bar(what: str, show: Callable[[int], str]) -> Iterator[Progress | None]:
    if not sys.stderr.isatty():
        yield None
        return
    begun = shown = time.monotonic()
    drawn = False

    def progress(done: int, total: int) -> None:
        nonlocal shown, drawn
        now = time.monotonic()
        if now - begun < PATIENCE or (now - shown < 0.1 and done < total):
            return
        shown, drawn = now, True
        full = _WIDTH if total <= 0 else min(_WIDTH, done * _WIDTH // total)
        bar = "#" * full + "." * (_WIDTH - full)
        sys.stderr.write(f"\r{what} [{bar}] {show(done)} of {show(total)}\x1b[K")
        sys.stderr.flush()

    try:
        yield progress
    finally:
        if drawn:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
