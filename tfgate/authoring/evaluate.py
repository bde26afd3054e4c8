"""``tfgate eval``: evaluate an expression on a plan; without one, a prompt to try them at."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import Any

import click
from msgspec.structs import replace

from tfgate.authoring.explain import show
from tfgate.authoring.prompt import Prompt, attempt, readable, run
from tfgate.authoring.session import Session
from tfgate.command.options import evaluation_options, make_request
from tfgate.command.output import write_out
from tfgate.errors import UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.gather import gather, load_config
from tfgate.report.escape import console


def _one_a_line(prompt: Prompt) -> int:
    """Answer every line of standard input; the exit code says whether one was refused."""
    code = ExitCode.ALLOWED
    with contextlib.suppress(EOFError):
        for number, line in enumerate(sys.stdin, 1):
            if error := attempt(prompt, line):
                code = error.exit_code
                click.echo(f"line {number}: {readable(error)}", err=True)
    return int(code)


@click.command(
    "eval",
    epilog="Example: tfgate eval p.tfplan counts   or   tfgate eval p.tfplan after.tags "
    "--address aws_s3_bucket.logs",
)
@click.argument("plan")
@click.argument("expression", required=False)
@click.option(
    "--address",
    metavar="ADDRESS",
    help="Evaluate on this resource, data source, output, module or provider, as a rule sees it.",
)
@click.option(
    "--rule",
    "rule_id",
    metavar="RULE",
    help="Evaluate with the names of this rule's let and of its ruleset, in its scope.",
)
@evaluation_options
def evaluate(
    plan: str, expression: str | None, address: str | None, rule_id: str | None, **options: Any
) -> int:
    """Evaluate a JMESPath EXPRESSION on PLAN, as a rule of scope plan sees it.

    $params, $data and $context are what the rulesets in force give. What is known only after the
    apply and what is sensitive is shown as such. Without EXPRESSION, a prompt to try them at, with
    completion (extra `prompt`); where standard input is no terminal, one expression a line.
    """
    if expression is not None and not Path(plan).exists() and Path(expression).is_file():
        plan, expression = expression, plan  # the order of earlier versions
    if expression is None and plan == "-":
        raise UsageError("The plan and the expressions cannot both come from standard input.")
    request = replace(make_request(plan, **options), reading=True)
    session = Session(gather(request, load_config(request)), address, rule_id)
    if expression is not None:
        for line in show(session.evaluate(expression), indent=2).split("\n"):
            write_out(console(line) + "\n")
        return int(ExitCode.ALLOWED)
    if not sys.stdin.isatty():
        return _one_a_line(Prompt(session))
    run(Prompt(session))
    return int(ExitCode.ALLOWED)
