"""Text to tree, with jmespath's own parser, within bounds and with errors that name the column.

The tree that the parser gives has no positions. Those of function calls are recovered from the
tokens: the n-th call in the order of the source is the n-th name with a parenthesis behind it.
"""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any, Final

import msgspec
from jmespath.exceptions import (
    EmptyExpressionError,
    IncompleteExpressionError,
    JMESPathError,
    LexerError,
)
from jmespath.parser import Parser

from tfgate.model.text import late
from tfgate.query.errors import ExpressionError
from tfgate.query.nodes.node import Ast

if TYPE_CHECKING:
    from collections.abc import Iterator

LONGEST: Final = 20_000
"""Characters of the longest expression."""

DEEPEST: Final = 60
"""Levels of nesting of the deepest expression; a chain of && or || is one level."""

CHAINS: Final = frozenset({"and_expression", "or_expression", "pipe"})


class Parsed(msgspec.Struct, frozen=True):
    """An expression's tree, and the columns of its calls by the identity of their nodes."""

    text: str
    tree: Ast
    positions: dict[int, int]


def parse(text: str) -> Parsed:
    """Parse an expression; ExpressionError says what is wrong and at which column."""
    if len(text) > LONGEST:
        raise ExpressionError(
            f"The expression is longer than {LONGEST:,} characters.",
            expression=text,
            position=LONGEST,
            hint="Split it into several rules, or put its lists into data.",
        )
    tree = _tree(text)
    _refuse_depth(text, tree)
    return Parsed(text, tree, _call_positions(text, tree))


def _tree(text: str) -> Ast:
    try:
        with warnings.catch_warnings():
            # A literal that is not JSON is read as a string, with a warning nobody here can act on.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            parsed: Ast = Parser().parse(text).parsed
    except RecursionError:
        raise _too_deep(text) from None
    except JMESPathError as error:
        raise ExpressionError(
            _reason(error), expression=text, position=_position(error, text)
        ) from None
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        # What the parser lets through on some malformed texts.
        raise ExpressionError("The expression is malformed.", expression=text) from None
    return parsed


def _reason(error: Exception) -> str:
    if isinstance(error, EmptyExpressionError):
        return "The expression is empty."
    token = getattr(error, "token_value", None)
    if isinstance(error, IncompleteExpressionError) or token == "":
        return "The expression ends too early."
    if isinstance(error, LexerError):
        return f"The expression cannot be read here: {error.message}."
    return f"The expression cannot go on with {token!r} here."


def _position(error: Exception, text: str) -> int:
    position = getattr(error, "lex_position", 0)
    return min(position, len(text)) if type(position) is int else len(text)


def _too_deep(text: str) -> ExpressionError:
    return ExpressionError(
        f"The expression is nested more than {DEEPEST} levels deep.",
        expression=text,
        hint="Move parts of it into `let` values.",
    )


def _refuse_depth(text: str, tree: Ast) -> None:
    """Refuse what the evaluator could only follow with a deep stack."""
    pending = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        if depth > DEEPEST:
            raise _too_deep(text)
        if node["type"] == "literal" and _literal_is_deep(node["value"]):
            raise _too_deep(text)
        for child in children(node):
            same_chain = child["type"] == node["type"] and node["type"] in CHAINS
            pending.append((child, depth if same_chain else depth + 1))


def _literal_is_deep(constant: Any) -> bool:
    level = [constant]
    for _ in range(DEEPEST):
        lists = [part for part in level if type(part) is list]
        objects = [part for part in level if type(part) is dict]
        level = [p for part in lists for p in part] + [p for part in objects for p in part.values()]
        if not level:
            return False
    return True


def children(node: Ast) -> list[Ast]:
    """Give a node's children in the order of the source."""
    found = node["children"]
    if node["type"] == "slice":
        return []
    if node["type"] == "filter_projection":
        return [found[0], found[2], found[1]]
    return list(found)


def flattened(node: Ast) -> list[Ast]:
    """Give the operands of a chain of one operator, ``a && b && c``, in order."""
    operands: list[Ast] = []
    pending = [node]
    while pending:
        part = pending.pop()
        if part["type"] == node["type"]:
            pending.extend(reversed(part["children"]))
        else:
            operands.append(part)
    return operands


def calls_in_order(tree: Ast) -> Iterator[Ast]:
    """Give the nodes of function calls in the order of their names in the source."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if node["type"] == "function_expression":
            yield node
        pending.extend(reversed(children(node)))


def _call_positions(text: str, tree: Ast) -> dict[int, int]:
    calls = list(calls_in_order(tree))
    if not calls:
        return {}
    names = _called_names(text)
    if [name for name, _ in names] != [call["value"] for call in calls]:
        return {}  # ``(name)(…)``, which the parser takes for a call
    return {id(call): start for call, (_, start) in zip(calls, names, strict=True)}


_CALLED = late(
    r"""'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|"(?:[^"\\]|\\.)*"|([A-Za-z_][A-Za-z0-9_]*)(?=\s*\()""",
    re.DOTALL,
)
"""A string, a literal, a quoted name, or the name of a call: what jmespath's lexer sees there."""


def _called_names(text: str) -> list[tuple[str, int]]:
    return [(found[1], found.start()) for found in _CALLED.finditer(text) if found[1]]
