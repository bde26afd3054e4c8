"""The command line: arguments in, exit code out. Nothing here decides anything."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING

import click

from tfgate._version import __version__
from tfgate.cli.failing import answer
from tfgate.cli.lazy import LazyGroup
from tfgate.cli.output import tell
from tfgate.exitcodes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

_COMMANDS = {
    "init": ("tfgate.cli.init", "init", "Write a configuration and a first ruleset."),
    "check": ("tfgate.cli.check", "check", "Judge a plan, record the decision, say allow or deny."),
    "apply": ("tfgate.cli.apply", "apply", "Judge a plan and apply that plan and no other."),
    "approve": ("tfgate.cli.approve", "approve", "Sign that a denied plan may be applied."),
    "review": ("tfgate.cli.review", "review", "Show a plan to read, with findings beside changes."),
    "verify": ("tfgate.cli.verify", "verify", "Check what was unknown, after the apply."),
    "exec": ("tfgate.cli.exec", "execute", "Run terraform, tofu or what calls them, gated."),
    "shim": ("tfgate.cli.shim", "shim", "Put the gate in front of terraform on PATH."),
    "explain": ("tfgate.cli.explain", "explain", "Show why a rule came out as it did."),
    "eval": ("tfgate.cli.evaluate", "evaluate", "Evaluate a JMESPath expression on a plan."),
    "rules": ("tfgate.cli.rules", "rules", "List and show rules."),
    "impact": ("tfgate.cli.impact", "impact", "Show what a change of rules would have done."),
    "audit": ("tfgate.cli.audit", "audit", "Verify and search the audit trail."),
    "atlantis": ("tfgate.cli.atlantis", "atlantis", "Judge as a step of an Atlantis workflow."),
    "serve": ("tfgate.cli.serve", "serve", "Answer run tasks of HCP Terraform."),
    "waivers": ("tfgate.cli.waivers", "waivers", "List waivers; import those of other tools."),
    "config": ("tfgate.cli.config", "config", "Show the configuration in force and its origins."),
    "schema": ("tfgate.cli.schema", "schema", "Print a JSON Schema of a file of tfgate."),
    "lsp": ("tfgate.cli.lsp", "lsp", "Serve an editor: findings, hover, completion for rules."),
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
    """Judge Terraform plans before they are applied.

    Example: terraform plan -out=p.tfplan && tfgate check p.tfplan
    """


def main(argv: Sequence[str]) -> int:
    """Run one command and give its exit code; every error ends as one sentence on stderr.

    0 comes of a command that has ended alone, never of one that something has stopped.
    """
    arguments, debug = _take_debug(argv)
    try:
        result = _invoke(arguments)
        return int(result) if isinstance(result, int) else ExitCode.ALLOWED
    except BaseException as error:
        return answer(error, debug=debug)
    finally:
        _finish_deliveries()


def _invoke(arguments: list[str]) -> object:
    """Call the command, and give what it returns.

    Not by ``cli.main``: that makes exit code 1, which is a denial, of a reader that is gone.
    """
    try:
        if "_TFGATE_COMPLETE" in os.environ:  # a shell asks what may come next
            return _complete()
        with cli.make_context("tfgate", arguments) as context:
            return cli.invoke(context)
    except click.exceptions.Exit as end:
        return end.exit_code


def _complete() -> object:
    try:
        return cli.main(prog_name="tfgate")
    except SystemExit as end:  # how click ends it
        return end.code


def _finish_deliveries() -> None:
    """Let deliveries to sinks end, where any were begun: only then is there such a module."""
    delivering = sys.modules.get("tfgate.app.delivering")
    if delivering is None:
        return
    # What they make of it decides nothing.
    with contextlib.suppress(Exception, KeyboardInterrupt):
        for sentence in delivering.finish_deliveries():
            tell(f"tfgate: {sentence} See `tfgate audit status`.")


def _take_debug(argv: Sequence[str]) -> tuple[list[str], bool]:
    """Take ``--debug`` out, wherever it stands before a ``--``."""
    end = argv.index("--") if "--" in argv else len(argv)
    own = [argument for argument in argv[:end] if argument != "--debug"]
    asked = len(own) < end or bool(os.environ.get("TFGATE_DEBUG"))
    return [*own, *argv[end:]], asked
