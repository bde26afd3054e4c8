"""``tfgate explain``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tfgate.app.explain import explain_rule
from tfgate.cli.options import judging_options, make_request
from tfgate.cli.output import write_out
from tfgate.cli.values import show
from tfgate.report.neutral import console, log_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.engine.explain import Explained
    from tfgate.query import Step


@click.command(
    epilog="Example: tfgate explain p.tfplan -r tfgate:aws --rule AWS-EC2-001 "
    "--address aws_security_group.web"
)
@click.argument("plan")
@click.option("--rule", "rule_id", required=True, metavar="RULE", help="Rule to explain.")
@click.option("--address", metavar="ADDRESS", help="Subject; default: all that the rule selects.")
@judging_options
def explain(plan: str, rule_id: str, address: str | None, **options: Any) -> None:
    """Show why a rule passed, failed or is unknown: each sub-expression and its value.

    Values are redacted; nothing is decided or recorded.
    """
    found = explain_rule(make_request(plan, **options), rule_id, address)
    if not found:
        write_out(f"{rule_id} selects nothing in this plan. With --address it says why.\n")
    for explained in found:
        write_out("\n".join(explained_lines(explained)) + "\n")


def _value(step: Step) -> str:
    if not step.evaluated:
        return "(not evaluated)"
    if step.error is not None:
        return f"(error: {step.error})"
    note = " (some values it may get make it an error)" if step.may_raise else ""
    return show(step.value, limit=200) + note


def explained_lines(explained: Explained) -> Iterator[str]:
    """Write a rule on a subject as lines: ruling, messages, each sub-expression with its value."""
    return map(log_line, _lines(explained))


def _lines(explained: Explained) -> Iterator[str]:
    yield console(f"{explained.rule} on {explained.address}: {explained.ruling}")
    for reason in explained.why_not:
        yield console(f"    {reason}")
    for message in explained.messages:
        yield console(f"    {message}")
    for key, steps in explained.steps:
        yield f"  {key}"
        for step in steps:
            yield console(f"    {'  ' * step.depth}{step.text}")
            yield console(f"    {'  ' * step.depth}  = {_value(step)}")
    if explained.params:
        yield "  parameters"
        for name, value in explained.params.items():
            yield console(f"    {name} = {show(value, limit=200)}")
    yield ""
