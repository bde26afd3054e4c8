"""``tfgate explain`` and ``tfgate eval``: look into one evaluation; nothing is decided."""

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
from tfgate.engine.functions import rule_functions
from tfgate.engine.scope import SubjectScope
from tfgate.errors import ConfigError, Problem, UsageError
from tfgate.gate.gather import gather, load_config
from tfgate.model.rule import Scope
from tfgate.plan import EVERYTHING, iter_subjects
from tfgate.query import Expression, ExpressionError, Step
from tfgate.query import compile as compile_expression
from tfgate.query.values import SENSITIVE, Maybe, Unknown
from tfgate.report.escape import console, log_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.gate.request import Request


def explain_rule(request: Request, rule_id: str, address: str | None) -> tuple[Explained, ...]:
    """Explain a rule on an address, or on every subject it selects. Raises ``UsageError``."""
    gathered = gather(replace(request, reading=True), load_config(request))
    known = [rule.id for ruleset in gathered.effective.rulesets for rule in ruleset.rules]
    if rule_id not in known:
        raise UsageError(f"No ruleset in force has a rule {rule_id}.{_near(rule_id, known)}")
    found = explain_outcome(
        gathered.plan,
        gathered.effective.rulesets,
        gathered.context,
        rule_id=rule_id,
        address=address,
    )
    if not found and address is not None:
        addresses = [change.address for change in gathered.plan.changes]
        near = _near(address, addresses)
        raise UsageError(f"Nothing that {rule_id} could look at has the address {address}.{near}")
    return found


def evaluate_expression(request: Request, expression: str, address: str | None) -> Any:
    """Evaluate an expression on the redacted plan, or on one resource of it.

    What is not known comes back as ``UNKNOWN``, what must not be shown as ``SENSITIVE``. Raises
    ``ConfigError``, ``EvaluationError`` and ``UsageError``.
    """
    compiled = _compile(expression)
    gathered = gather(replace(request, reading=True), load_config(request))
    subject = _subject(gathered.plan, address, gathered.workspace.name)
    document = subject.redacted(EVERYTHING)
    scope = SubjectScope(gathered.plan, None, subject, document, gathered.context, redacted=True)
    return compiled.search(document, scope)


def _compile(expression: str) -> Expression:
    try:
        return compile_expression(expression, functions=rule_functions())
    except ExpressionError as error:
        message = f"{error.message} {error.hint or ''}".rstrip()
        column = min(error.position, len(expression)) + 1
        problem = Problem("expression", message, column=column, excerpt=expression)
        raise ConfigError([problem]) from None


def _subject(plan: Any, address: str | None, workspace: str) -> Any:
    scope = Scope.PLAN if address is None else Scope.RESOURCE
    subjects = list(iter_subjects(plan, scope, workspace=workspace, data_types=None))
    if address is None:
        return subjects[0]
    for subject in subjects:
        if subject.address == address:
            return subject
    near = _near(address, [subject.address for subject in subjects])
    raise UsageError(f"The plan has no resource change with the address {address}.{near}")


def _near(text: str, known: list[str]) -> str:
    near = get_close_matches(text, known, n=1)
    return f" Did you mean {near[0]}?" if near else ""


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
@evaluation_options
def evaluate(expression: str, plan: str, address: str | None, **options: Any) -> None:
    """Evaluate a JMESPath EXPRESSION on PLAN, as a rule of scope plan sees it.

    What is known only after the apply and what is sensitive is shown as such.
    """
    value = evaluate_expression(make_request(plan, **options), expression, address)
    for line in show(value, indent=2).split("\n"):
        write_out(console(line) + "\n")
