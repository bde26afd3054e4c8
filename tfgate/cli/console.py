"""The person in front of the gate. Standard output is Terraform's; the gate speaks on stderr."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from msgspec.structs import asdict, replace

from tfgate.cli.output import write_file
from tfgate.cli.reporting import report_context
from tfgate.report import render, terminal_of
from tfgate.report.neutral import console

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Sequence

    from tfgate.app.check import CheckResult
    from tfgate.report import ReportRequest, Terminal


class TerminalConsole:
    """Speaks on standard error, and asks on standard input."""

    def __init__(
        self, reports: Sequence[ReportRequest], now: dt.datetime, *, drop_in: bool = False
    ) -> None:
        self._reports = reports
        self._now = now
        self._drop_in = drop_in

    @property
    def can_ask(self) -> bool:
        """Whether standard input is a terminal; in place of Terraform it is read in any case."""
        return self._drop_in or sys.stdin.isatty()

    @property
    def can_color(self) -> bool:
        """Whether standard output is a terminal that did not ask for no colour.

        In place of Terraform its own habit is kept: colour, unless ``-no-color`` is given.
        """
        return self._drop_in or _stream(sys.stdout.fileno()).color

    def verdict(self, result: CheckResult) -> None:
        """Show the decision: text on standard error, unless reports were asked for."""
        formats = [report.format for report in self._reports]
        layout = asdict(_stream(2))
        context = replace(report_context(result, self._now, formats), **layout)
        for report in self._reports:
            text = render(report.format, result.decision, context)
            if report.file is None:
                self._write(text)
            else:
                write_file(report.file, text)

    def say(self, text: str) -> None:
        """Show a sentence, with nothing in it that a terminal would obey."""
        self._write(f"tfgate: {console(text)}\n")

    def ask(self, question: str) -> str:
        """Ask until the line ends; the end of input is no answer."""
        self._write(
            f"\n{console(question)}\n  Only 'yes' will be accepted to approve.\n\n  Enter a value: "
        )
        answer = sys.stdin.readline()
        if not answer.endswith("\n"):
            self._write("\n")
        return answer

    def output(self, data: bytes) -> None:
        """Pass on what Terraform prints."""
        sys.stdout.flush()
        view = memoryview(data)
        while view:
            view = view[os.write(sys.stdout.fileno(), view) :]

    @staticmethod
    def _write(text: str) -> None:
        sys.stdout.flush()
        data = text.encode(sys.stderr.encoding or "utf-8", "backslashreplace")
        sys.stderr.flush()
        sys.stderr.buffer.write(data)
        sys.stderr.flush()


def _stream(descriptor: int) -> Terminal:
    return terminal_of(
        os.environ,
        is_terminal=os.isatty(descriptor),
        columns=shutil.get_terminal_size((80, 24)).columns,
        encoding=sys.stderr.encoding,
    )
