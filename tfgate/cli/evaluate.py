"""``tfgate eval``."""

from __future__ import annotations

from typing import Any

import click

from tfgate.app.explain import evaluate_expression
from tfgate.cli.options import judging_options, make_request
from tfgate.cli.output import write_out
from tfgate.cli.values import show
from tfgate.report.neutral import console


@click.command(
    "eval",
    epilog="Example: tfgate eval 'counts' p.tfplan   or   tfgate eval after.tags p.tfplan "
    "--address aws_s3_bucket.logs",
)
@click.argument("expression")
@click.argument("plan")
@click.option(
    "--address",
    metavar="ADDRESS",
    help="Evaluate on this resource change, as a rule of scope resource sees it.",
)
@judging_options
def evaluate(expression: str, plan: str, address: str | None, **options: Any) -> None:
    """Evaluate a JMESPath EXPRESSION on PLAN, as a rule of scope plan sees it.

    What is known only after the apply and what is sensitive is shown as such.
    """
    value = evaluate_expression(make_request(plan, **options), expression, address)
    for line in show(value, indent=2).split("\n"):
        write_out(console(line) + "\n")
