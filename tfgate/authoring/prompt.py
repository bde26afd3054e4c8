"""The prompt of ``tfgate eval``: its commands, and its terminal.

At a terminal it is prompt_toolkit's, or readline's where that is missing. What is typed is kept for
as long as the prompt runs, and written nowhere.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from tfgate.authoring.explain import explained_steps, show
from tfgate.authoring.session import Offer, Session, type_of
from tfgate.command.output import write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError, UsageError
from tfgate.report.escape import console, log_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

_MOST = 200
"""Ways to complete a word that are offered."""


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


def run(prompt: Prompt) -> None:
    """Read expressions and answer them until the end."""
    try:
        read = _toolkit(prompt)
    except ImportError:
        click.echo("For completion as you type: pip install 'tfgate[prompt]'", err=True)
        read = _plain(prompt)
    click.echo(":help says what there is, :quit ends.", err=True)
    with contextlib.suppress(EOFError):
        while True:
            with contextlib.suppress(KeyboardInterrupt):
                if error := attempt(prompt, read()):
                    click.echo(readable(error), err=True)


def _toolkit(prompt: Prompt) -> Callable[[], str]:
    from prompt_toolkit import PromptSession
    from prompt_toolkit.completion import Completer, Completion

    class Fields(Completer):
        """Offers what may stand where the cursor is."""

        def get_completions(self, document: Any, complete_event: Any) -> Iterator[Completion]:
            """Yield the ways to go on."""
            line = document.text_before_cursor
            for start, text, what in prompt.complete(line)[:_MOST]:
                yield Completion(console(text), start - len(line), display_meta=console(what))

    session: PromptSession[str] = PromptSession(completer=Fields(), complete_while_typing=True)
    return lambda: session.prompt(prompt.text)


def _plain(prompt: Prompt) -> Callable[[], str]:
    with contextlib.suppress(ImportError):  # Windows has none
        import readline

        def complete(word: str, state: int) -> str | None:
            line = readline.get_line_buffer()[: readline.get_endidx()]
            begin = readline.get_begidx()
            offers = prompt.complete(line)[:_MOST]
            found = [(line[:start] + text)[begin:] for start, text, _ in offers]
            return found[state] if state < len(found) else None

        readline.set_completer(complete)
        readline.set_completer_delims(" \t\n()[]{},.|&!=<>?:")
        readline.parse_and_bind("tab: complete")
    sys.stdout.flush()
    return lambda: input(prompt.text)
