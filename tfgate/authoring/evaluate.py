"""``tfgate eval``: evaluate an expression on a plan; without one, a prompt to try them at."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfgate.authoring.explain import explained_steps, show
from tfgate.authoring.session import Offer, Session, type_of
from tfgate.command.options import evaluation_options, make_request
from tfgate.command.output import write_out
from tfgate.errors import TfgateError, UsageError
from tfgate.exitcodes import ExitCode
from tfgate.gate.gather import gather, load_config
from tfgate.report.escape import console, log_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_LINES = 60
"""Lines of a result that the prompt shows."""
_HELP = """\
An expression is evaluated on the subject: after.tags.Name, changes[?type == 'aws_instance'].address
  :address ADDRESS   go to a subject; alone, list them; :address plan goes to the whole plan
  :rule RULE         take the names of a rule's let and of its ruleset; :rule none leaves it
  :why [EXPRESSION]  each part with its value; alone, of the last expression
  :fields            fields of the subject, with their types
  :help [FUNCTION]   this, or what a function does
  :quit              leave (also Ctrl-D)
Tab completes fields of the plan, functions, variables and addresses."""


class Prompt:
    """Answers the lines of somebody who tries expressions."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._last = ""

    @property
    def text(self) -> str:
        """What stands before the line."""
        rule = self.session.rule
        where = self.session.address or "plan"
        return f"{console(where)}{f' ({rule.rule.id})' if rule else ''}> "

    def answer(self, line: str) -> Iterator[str]:
        """Yield the lines of the answer. Raises ``TfgateError`` and ``EOFError``, to end."""
        command, _, rest = line.strip().partition(" ")
        rest = rest.strip()
        if not command:
            return
        if not command.startswith(":"):
            self._last = line.strip()
            value = self.session.evaluate(self._last)
            yield from bounded(value)
            yield f"  # {type_of(value)}"
            return
        known = self._commands()
        matching = [name for name in known if name.startswith(command)]
        if len(matching) != 1:
            raise UsageError(f"{command} is no command.", hint=f"There are {', '.join(known)}.")
        yield from known[matching[0]](rest)

    def _commands(self) -> dict[str, Callable[[str], Iterable[str]]]:
        return {
            ":address": self._address,
            ":rule": self._rule,
            ":why": self._why,
            ":fields": self._fields,
            ":help": _help,
            ":quit": _quit,
        }

    def _address(self, address: str) -> Iterator[str]:
        if not address:
            yield from self.session.addresses()
            return
        rule = self.session.rule
        self.session.at(None if address == "plan" else address, rule.rule.id if rule else None)

    def _rule(self, rule: str) -> Iterator[str]:
        if not rule:
            yield from self.session.rule_ids
            return
        self.session.at(self.session.address, None if rule == "none" else rule)
        yield from ()

    def _why(self, text: str) -> Iterator[str]:
        yield from explained_steps(self.session.why(text or self._last))

    def _fields(self, _: str) -> Iterator[str]:
        for name, value in sorted(self.session.document.items()):
            yield f"{name:20} {type_of(value)}"

    def complete(self, line: str) -> list[Offer]:
        """Return what may stand at the end of a line: its start, the text, and what it is."""
        command, space, rest = line.partition(" ")
        if not line.startswith(":"):
            return list(self.session.complete(line))
        if not space:
            return [Offer(0, name, "") for name in self._commands() if name.startswith(command)]
        start = len(line) - len(rest)
        if command == ":why":
            return [Offer(start + at, text, what) for at, text, what in self.session.complete(rest)]
        named = {":address": ["plan", *self.session.addresses()], ":rule": self.session.rule_ids}
        if command == ":help":
            from_start = [text.rstrip("(") for _, text, _ in self.session.complete("")]
            named[":help"] = from_start
        return [Offer(start, name, "") for name in named.get(command, []) if name.startswith(rest)]


def _help(name: str) -> Iterator[str]:
    from tfgate.engine.functions import rule_functions

    function = rule_functions().find(name.rstrip("()")) if name else None
    if function is None:
        if name:
            raise UsageError(f"There is no function {name}().")
        yield from _HELP.split("\n")
        return
    yield function.signature
    yield function.doc
    if function.errors:
        yield function.errors
    if function.example:
        yield f"{function.example}  # {show(function.result, limit=200)}"


def _quit(_: str) -> tuple[str, ...]:
    raise EOFError


def bounded(value: Any) -> Iterator[str]:
    """Yield the lines of a value, as many as a screen takes."""
    lines = show(value, indent=2).split("\n")
    yield from lines[:_LINES]
    if len(lines) > _LINES:
        yield f"  … {len(lines) - _LINES} more lines: ask for less of it, or give it to tfgate eval"


def write_lines(lines: Iterator[str]) -> None:
    """Write lines with nothing in them that a terminal would obey."""
    for line in lines:
        write_out(console(log_line(line)) + "\n")


def _one_a_line(prompt: Prompt) -> int:
    """Answer every line of standard input; the exit code says whether one was refused."""
    code = ExitCode.ALLOWED
    with contextlib.suppress(EOFError):
        for number, line in enumerate(sys.stdin, 1):
            if error := attempt(prompt, line):
                code = error.exit_code
                click.echo(f"line {number}: {readable(error)}", err=True)
    return int(code)


def readable(error: TfgateError) -> str:
    """Write an error with nothing in it that a terminal would obey."""
    return "\n".join(console(line) for line in str(error).split("\n"))


def attempt(prompt: Prompt, line: str) -> TfgateError | None:
    """Answer one line; return the error of a line that cannot be answered."""
    try:
        write_lines(prompt.answer(line))
    except TfgateError as error:
        return error
    return None


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
    request = make_request(plan, **options)
    session = Session(gather(request, load_config(request)), address, rule_id)
    if expression is not None:
        for line in show(session.evaluate(expression), indent=2).split("\n"):
            write_out(console(line) + "\n")
        return int(ExitCode.ALLOWED)
    if not sys.stdin.isatty():
        return _one_a_line(Prompt(session))
    from tfgate.authoring.terminal import run

    run(Prompt(session))
    return int(ExitCode.ALLOWED)
