"""The command line: arguments in, exit code out. Nothing here decides anything."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from typing import TYPE_CHECKING

import click

from tfgate._version import __version__
from tfgate.command.lazy import LazyGroup
from tfgate.command.output import write_err
from tfgate.errors import TfgateError
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.model.decision import Decision
    from tfgate.plan import Plan
    from tfgate.report import ReportContext


# Errors: whatever is raised, and even where standard error cannot be written, the exit code is
# not 0. Nothing here raises.


def report_error(error: BaseException, *, debug: bool) -> int:
    """Say what has stopped the command, and return the exit code."""
    try:
        return _report_error(error, debug=debug)
    except BaseException:
        # Standard error cannot be written either, or there is no memory for the sentence.
        return ExitCode.UNDECIDED


def _report_error(error: BaseException, *, debug: bool) -> int:
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
        return _system_error(error, debug=debug)
    return _unexpected(error, debug=debug)


def fail(text: str, code: ExitCode) -> int:
    """Write the sentence to standard error, escaped, and return ``code``."""
    _write(f"tfgate: {text}")
    return code


def _usage(error: click.ClickException) -> int:
    """Write what click would, escaped for a terminal and a CI log."""
    shown = io.StringIO()
    error.show(shown)
    _write(shown.getvalue().rstrip("\n"))
    return ExitCode.USAGE


def _write(text: str) -> None:
    with contextlib.suppress(OSError):
        write_err(text)


def _broken_pipe() -> int:
    """Keep the interpreter from complaining again when it flushes a closed stdout."""
    with contextlib.suppress(OSError, ValueError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.__stdout__.fileno() if sys.__stdout__ else 1)
        os.close(nowhere)
    return ExitCode.UNDECIDED


def _system_error(error: OSError, *, debug: bool) -> int:
    """Report the files and the system's own words: neither holds a value of a plan."""
    if debug:
        _show_frames(error)
    names = [name for name in (error.filename, error.filename2) if isinstance(name, (str, bytes))]
    what = " to ".join(os.fsdecode(name) for name in names) or "A file, pipe or process"
    # Not what the error itself says: a library may have put anything into it.
    reason = os.strerror(error.errno or 0)
    return fail(
        f"{what}: the system says {reason!r}, so nothing more was done.", ExitCode.UNDECIDED
    )


def _unexpected(error: BaseException, *, debug: bool) -> int:
    """Report a bug by type and frames alone: the message may hold a secret."""
    if debug:
        _show_frames(error)
    text = (
        f"An unexpected {type(error).__name__} stopped tfgate, so nothing was decided. "
        "Please report it with the output of the same command and --debug."
    )
    return fail(text, ExitCode.UNDECIDED)


def _show_frames(error: BaseException) -> None:
    frames, place = "", error.__traceback__
    while place is not None:
        code = place.tb_frame.f_code
        frames += f'  File "{code.co_filename}", line {place.tb_lineno}, in {code.co_name}\n'
        place = place.tb_next
    name = type(error).__name__
    with contextlib.suppress(OSError):
        click.echo(f"{frames}{name} (message withheld: it may hold a value)", err=True)


_COMMANDS = {
    "init": ("tfgate.authoring.init", "init", "Write a configuration and a first ruleset."),
    "check": (
        "tfgate.command.check",
        "check",
        "Evaluate a plan, record and report the decision.",
    ),
    "apply": ("tfgate.command.apply", "apply", "Evaluate a plan, and apply exactly that plan."),
    "approve": ("tfgate.approvals.approve", "approve", "Sign an approval of a denied plan."),
    "login": ("tfgate.command.login", "login", "Log in, to prove who is at this terminal."),
    "logout": ("tfgate.command.login", "logout", "Forget a login."),
    "whoami": ("tfgate.command.login", "whoami", "Print who the operator is, and what proves it."),
    "approvals": (
        "tfgate.approvals.wait",
        "approvals",
        "Wait for approvals that people give in a browser.",
    ),
    "review": (
        "tfgate.review.command",
        "review",
        "Write a page of the plan for reviewers.",
    ),
    "verify": ("tfgate.command.apply", "verify", "Check after the apply what was unknown before."),
    "exec": (
        "tfgate.command.exec",
        "execute",
        "Run terraform, or a program that calls it, with the gate.",
    ),
    "shim": ("tfgate.command.exec", "shim", "Put the gate in front of terraform on PATH."),
    "explain": ("tfgate.authoring.explain", "explain", "Show how a rule came to its outcome."),
    "eval": ("tfgate.authoring.evaluate", "evaluate", "Evaluate an expression, or try several."),
    "rules": ("tfgate.cli.rules", "rules", "List and show rules."),
    "impact": (
        "tfgate.history.impact_command",
        "impact",
        "Show what changed rules decide on past plans.",
    ),
    "audit": ("tfgate.trail.command", "audit", "Verify and search the audit trail."),
    "atlantis": (
        "tfgate.atlantis.command",
        "atlantis",
        "Run the gate as a step of an Atlantis workflow.",
    ),
    "serve": ("tfgate.server.command", "serve", "Run the server for HCP Terraform run tasks."),
    "waivers": (
        "tfgate.approvals.waivers",
        "waivers",
        "List waivers; import those of other tools.",
    ),
    "config": (
        "tfgate.command.config",
        "config",
        "Show the configuration in force, and where each value is set.",
    ),
    "schema": (
        "tfgate.authoring.schema",
        "schema",
        "Print the JSON Schema of one of tfgate's files.",
    ),
    "lsp": (
        "tfgate.authoring.lsp.command",
        "lsp",
        "Run the language server for rules in an editor.",
    ),
    "completion": ("tfgate.cli.completion", "completion", "Print a shell's completion script."),
}


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 allowed, 1 denied, 2 wrong usage or configuration, 3 could not decide "
    "(treat as denied), 4 the wrapped terraform command failed.",
)
@click.version_option(__version__, prog_name="tfgate")
@click.option("--debug", is_flag=True, help="Show where in tfgate an unexpected error arose.")
def cli(**_: bool) -> None:
    """Evaluate Terraform plans before Terraform applies them.

    Example: terraform plan -out=p.tfplan && tfgate check p.tfplan
    """


def main(argv: Sequence[str]) -> int:
    """Run one command and return its exit code; every error ends as one sentence on stderr.

    0 comes of a command that has ended alone, never of one that something has stopped.
    """
    arguments, debug = _take_debug(argv)
    try:
        result = _invoke(arguments)
        return int(result) if isinstance(result, int) else ExitCode.ALLOWED
    except BaseException as error:
        return report_error(error, debug=debug)
    finally:
        _finish_deliveries()


def _invoke(arguments: list[str]) -> object:
    """Call the command, and return what it returns.

    Not by ``cli.main``: that makes exit code 1, which is a denial, of a reader that is gone.
    """
    try:
        if "_TFGATE_COMPLETE" in os.environ:  # a shell asks what may come next
            return _complete()
        with cli.make_context("tfgate", arguments, obj=_review_page) as context:
            return cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code


def _review_page(plan: Plan, decision: Decision, context: ReportContext) -> str:
    """Render the page of a review, for commands that know nothing of that feature."""
    from tfgate.review.html import render_plan

    return render_plan(plan, decision, context)


def _complete() -> object:
    try:
        return cli.main(prog_name="tfgate")
    except SystemExit as end:  # how click ends it
        return end.code


def _finish_deliveries() -> None:
    """Let deliveries to sinks end, where any were begun: only then is there such a module."""
    delivering = sys.modules.get("tfgate.gate.delivery")
    if delivering is None:
        return
    # What they make of it decides nothing.
    with contextlib.suppress(Exception, KeyboardInterrupt):
        for sentence in delivering.finish_deliveries():
            write_err(f"tfgate: {sentence} See `tfgate audit status`.")


def _take_debug(argv: Sequence[str]) -> tuple[list[str], bool]:
    """Take ``--debug`` out, wherever it stands before a ``--``."""
    end = argv.index("--") if "--" in argv else len(argv)
    own = [argument for argument in argv[:end] if argument != "--debug"]
    asked = len(own) < end or bool(os.environ.get("TFGATE_DEBUG"))
    return [*own, *argv[end:]], asked
