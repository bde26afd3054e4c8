"""Expressions as Python functions, for the documents on which everything they look at is known.

An expression is compiled to closures (`tfgate.query.compiler`), which evaluate it on everything.
One that is evaluated many times is worth more: its tree is written out as the source of one Python
function, several times as fast. That function either gives exactly what the closures give, or
`DECLINED`, whereupon they are asked: where something that it looks at is unknown, where something
raises, and where lists are so long that steps must be counted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tfgate.query.codegen.calls import Calls, Surroundings, Value
from tfgate.query.codegen.nodes import DOCUMENT, Writer
from tfgate.query.codegen.runtime import DECLINED
from tfgate.query.codegen.source import Source, Unsuited

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.nodes.node import Node


class Answers(NamedTuple):
    """What the function of a rule gives."""

    skipped: Any
    """Where the guard is falsy."""
    on_true: Any
    on_false: Any
    settled: bool = True
    """Whether truth is all that is asked. Otherwise ``on_true`` is called with the value."""


def generate_value(node: Node, surroundings: Surroundings) -> Value | None:
    """Make a function that gives an expression's value; None where none can be made."""
    source, calls = Source(), Calls(surroundings)
    try:
        found = Writer(source, calls).value(node, DOCUMENT)
        if not found.known:
            source.decline_if(f"type({found.name}) is Unknown")
        source.line(f"return {found.name}")
        return Value(node, source.finish(None), calls.scoped)
    except (Unsuited, RecursionError):
        return None


def generate(
    guard: Node | None,
    node: Node,
    answers: Answers,
    surroundings: Surroundings,
    make_scope: Callable[[Any, Any, dict[Any, Any]], Any] | None = None,
) -> Callable[[Any, dict[Any, Any], Any], Any] | None:
    """Make a function of an expression and of another that guards it; None where none can be made.

    It takes a document, which must be an object, what was found on that before, and the subject; it
    gives one of ``answers``, or `DECLINED`. ``make_scope`` makes the scope that some functions want
    of the subject, the document and what was found before.
    """
    source, calls = Source(), Calls(surroundings)
    writer = Writer(source, calls)
    skipped, on_true, on_false = (source.constant(answer) for answer in answers[:3])
    try:
        if guard is not None:
            source.line(f"if not {writer.test(guard, DOCUMENT)}: return {skipped}")
        if answers.settled:
            source.line(f"return {on_true} if {writer.test(node, DOCUMENT)} else {on_false}")
        else:
            found = writer.value(node, DOCUMENT)
            source.line(f"if not {writer.truth(found)}: return {on_false}")
            source.line(f"return {on_true}({found.name})")
        if not calls.scoped:
            return source.finish(None)
        return None if make_scope is None else source.finish(source.constant(make_scope))
    except (Unsuited, RecursionError):
        return None


__all__ = ["DECLINED", "Answers", "Surroundings", "Value", "generate", "generate_value"]
