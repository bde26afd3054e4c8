"""The prompt of ``tfgate eval`` at a terminal: prompt_toolkit, or readline where it is missing.

What is typed is kept for as long as the prompt runs, and written nowhere.
"""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Any

import click

from tfgate.authoring.evaluate import Prompt, attempt, readable
from tfgate.report.escape import console

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_MOST = 200
"""Ways to complete a word that are offered."""


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
