"""``tfgate explain``: look into one evaluation; nothing is decided."""

from __future__ import annotations

import json
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from tfgate.command.options import evaluation_options, make_request
from tfgate.command.output import write_out
from tfgate.engine.explain import Explained
from tfgate.engine.explain import explain as explain_outcome
from tfgate.errors import UsageError
from tfgate.gate.gather import gather, load_config
from tfgate.query import Step
from tfgate.query.values import SENSITIVE, Maybe, Unknown
from tfgate.report.escape import console, log_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.gate.request import Request


def explain_rule(request: Request, rule_id: str, address: str | None) -> tuple[Explained, ...]:
    """Explain a rule on an address, or on every subject it selects. Raises ``UsageError``."""
    gathered = gather(replace(request, reading=True), load_config(request))
    known = [rule.id for ruleset in gathered.effective.rulesets for rule in ruleset.rules]
    if rule_id not in known:
        raise UsageError(f"No ruleset in force has a rule {rule_id}.{near(rule_id, known)}")
    found = explain_outcome(
        gathered.plan,
        gathered.effective.rulesets,
        gathered.context,
        rule_id=rule_id,
        address=address,
    )
    if not found and address is not None:
        addresses = [change.address for change in gathered.plan.changes]
        hint = near(address, addresses)
        raise UsageError(f"Nothing that {rule_id} could look at has the address {address}.{hint}")
    return found


def near(text: str, known: list[str]) -> str:
    """Return a question with the nearest known text, where there is one."""
    found = get_close_matches(text, known, n=1)
    return f" Did you mean {found[0]}?" if found else ""


def show(value: Any, *, indent: int | None = None, limit: int | None = None) -> str:
    """Write a value; ``limit`` cuts the text at so many characters."""
    text = "".join(_pieces(value, indent, 0))
    return text if limit is None or len(text) <= limit else f"{text[:limit]}…"


def _pieces(value: Any, indent: int | None, depth: int) -> Iterator[str]:
    if isinstance(value, Unknown):
        yield "(sensitive)" if value is SENSITIVE else "(known after apply)"
    elif isinstance(value, Maybe):
        yield "(perhaps) "
        yield from _pieces(value.value, indent, depth)
    elif isinstance(value, dict):
        pairs = ((f"{json.dumps(key, ensure_ascii=False)}: ", part) for key, part in value.items())
        yield from _group("{", "}", list(pairs), indent, depth)
    elif isinstance(value, list):
        yield from _group("[", "]", [("", part) for part in value], indent, depth)
    else:
        yield json.dumps(value, ensure_ascii=False)


def _group(
    opening: str, closing: str, members: list[tuple[str, Any]], indent: int | None, depth: int
) -> Iterator[str]:
    if not members:
        yield opening + closing
        return
    outer = "" if indent is None else "\n" + " " * (indent * depth)
    inner = "" if indent is None else "\n" + " " * (indent * (depth + 1))
    yield opening
    for number, (label, part) in enumerate(members):
        yield ("," + (" " if indent is None else "") if number else "") + inner + label
        yield from _pieces(part, indent, depth + 1)
    yield outer + closing


@click.command(
    epilog="Example: tfgate explain p.tfplan -r tfgate:aws --rule AWS-EC2-001 "
    "--address aws_security_group.web"
)
@click.argument("plan")
@click.option("--rule", "rule_id", required=True, metavar="RULE", help="Rule to explain.")
@click.option("--address", metavar="ADDRESS", help="Subject; default: all that the rule selects.")
@evaluation_options
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


def explained_steps(steps: Iterable[Step]) -> Iterator[str]:
    """Write each part of an expression with its value below it."""
    for step in steps:
        yield console(f"  {'  ' * step.depth}{step.text}")
        yield console(f"  {'  ' * step.depth}  = {_value(step)}")


def _lines(explained: Explained) -> Iterator[str]:
    yield console(f"{explained.rule} on {explained.address}: {explained.ruling}")
    for reason in explained.why_not:
        yield console(f"    {reason}")
    for message in explained.messages:
        yield console(f"    {message}")
    for key, steps in explained.steps:
        yield f"  {key}"
        yield from (f"  {line}" for line in explained_steps(steps))
    if explained.params:
        yield "  parameters"
        for name, value in explained.params.items():
            yield console(f"    {name} = {show(value, limit=200)}")
    yield ""
