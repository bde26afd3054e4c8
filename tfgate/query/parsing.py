"""Text to tree, with jmespath's own parser, within bounds and with errors that name the column.

The parser's nodes have no positions. Names, literals, keys, calls and ``@`` come in the same order
in the text and in the tree: the n-th there is the n-th here. Any other node begins where its first
part does.
"""

from __future__ import annotations

import re
import warnings
from itertools import repeat
from typing import TYPE_CHECKING, Any, Final

from jmespath.exceptions import (
    EmptyExpressionError,
    IncompleteExpressionError,
    JMESPathError,
    LexerError,
)
from jmespath.parser import Parser

from tfgate.model.text import late
from tfgate.query import tree as ast
from tfgate.query.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.query.tree import Tree

LONGEST: Final = 20_000
"""Characters of the longest expression."""

DEEPEST: Final = 60
"""Levels of nesting of the deepest expression; a chain of && or || is one level."""

_CHAINS: Final[dict[str, type[ast.And | ast.Or | ast.Pipe]]] = {
    "and_expression": ast.And,
    "or_expression": ast.Or,
    "pipe": ast.Pipe,
}

_Node = dict[str, Any]
"""A node as jmespath's parser makes it: ``type``, ``children`` and sometimes ``value``."""


def parse(text: str) -> Tree:
    """Parse an expression; ExpressionError says what is wrong and at which column."""
    if len(text) > LONGEST:
        raise ExpressionError(
            f"The expression is longer than {LONGEST:,} characters.",
            expression=text,
            position=LONGEST,
            hint="Split it into several rules, or put its lists into data.",
        )
    try:
        node = _parsed(text)
        signs = _signs(text, node)
        return _tree(node, _columns(text, signs))
    except RecursionError:
        raise _too_deep(text) from None


def _parsed(text: str) -> _Node:
    try:
        with warnings.catch_warnings():
            # A literal that is not JSON is read as a string, with a warning nobody here can act on.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            parsed: _Node = Parser().parse(text).parsed
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


def _signs(text: str, tree: _Node) -> list[str]:
    """List the kinds of the nodes that show in the text, in its order.

    Refuses what the evaluator could only follow with a deep stack.
    """
    signs = []
    pending = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        kind = node["type"]
        if depth > DEEPEST or (kind == "literal" and _literal_is_deep(node["value"])):
            raise _too_deep(text)
        if kind in _SIGNS:
            signs.append(kind)
        if kind == "slice":
            continue
        children = node["children"]
        if kind == "filter_projection":
            base, body, condition = children
            children = (base, condition, body)
        for child in reversed(children):
            same_chain = kind in _CHAINS and child["type"] == kind
            pending.append((child, depth if same_chain else depth + 1))
    return signs


def _literal_is_deep(constant: Any) -> bool:
    level = [constant]
    for _ in range(DEEPEST):
        lists = [part for part in level if type(part) is list]
        objects = [part for part in level if type(part) is dict]
        level = [p for part in lists for p in part] + [p for part in objects for p in part.values()]
        if not level:
            return False
    return True


_TOKEN: Final = late(
    r"""'(?:[^'\\]|\\.)*'|`(?:[^`\\]|\\.)*`|(@)|("(?:[^"\\]|\\.)*"|[A-Za-z_][A-Za-z0-9_]*)\s*([(:])?""",
    re.DOTALL,
)
"""A literal, ``@``, or a name with what stands behind it: as jmespath's lexer reads them."""

_SIGNS: Final = frozenset({"field", "literal", "current", "function_expression", "key_val_pair"})
"""Types of the nodes that have a token of their own, see `_TOKEN`."""

_NAMES: Final = {"(": "function_expression", ":": "key_val_pair", None: "field"}


def _columns(text: str, signs: list[str]) -> Iterator[int | None]:
    """Yield the columns of the nodes with such a sign; None for all where text and tree disagree.

    They do for ``(name)(…)``, which the parser takes for a call.
    """
    starts, kinds = [], []
    for found in _TOKEN.finditer(text):
        starts.append(found.start())
        current, name, behind = found.groups()
        kinds.append("current" if current else _NAMES[behind] if name else "literal")
    return iter(starts) if kinds == signs else repeat(None)


def _tree(node: _Node, columns: Iterator[int | None]) -> Tree:  # noqa: C901 - a case for each type
    """Make the tree of a node, asking for the columns of its parts in the order of the source."""
    kind, found = node["type"], node["children"]
    match kind:
        case "field":
            return ast.Field(next(columns), node["value"])
        case "literal":
            return ast.Literal(next(columns), node["value"])
        case "current":
            return ast.Current(next(columns))
        case "identity":
            return ast.Identity(None)
        case "function_expression":
            return ast.Call(next(columns), node["value"], _trees(found, columns))
        case "multi_select_dict":
            pairs = tuple(_pair(pair, columns) for pair in found)
            return ast.MultiSelectHash(_first(pairs), pairs)
        case "and_expression" | "or_expression" | "pipe":
            parts = _trees(_grouped(node), columns)
            return _CHAINS[kind](_first(parts), parts)
        case "index_expression":
            return _indexed(_tree(found[0], columns), found[1:])
        case "filter_projection":
            base, condition, body = _trees((found[0], found[2], found[1]), columns)
            return ast.FilterProjection(_first((base, condition, body)), base, body, condition)
    parts = _trees(found, columns)
    column = _first(parts)
    match kind:
        case "subexpression":
            return ast.Subexpression(column, parts)
        case "multi_select_list":
            return ast.MultiSelectList(column, parts)
        case "projection":
            return ast.Projection(column, *parts)
        case "value_projection":
            return ast.ValueProjection(column, *parts)
        case "flatten":
            return ast.Flatten(column, *parts)
        case "not_expression":
            return ast.Not(column, *parts)
        case "comparator":
            return ast.Comparison(column, node["value"], *parts)
        case "expref":
            return ast.Reference(column, *parts)
    raise ValueError(kind)


def _trees(nodes: Iterable[_Node], columns: Iterator[int | None]) -> tuple[Tree, ...]:
    return tuple([_tree(node, columns) for node in nodes])


def _first(parts: Iterable[ast.Part]) -> int | None:
    """Return the column of what has no sign of its own: that of its first part."""
    for part in parts:
        if part.column is not None:
            return part.column
    return None


def _pair(node: _Node, columns: Iterator[int | None]) -> ast.Pair:
    return ast.Pair(next(columns), node["value"], _tree(node["children"][0], columns))


def _grouped(node: _Node) -> list[_Node]:
    """Return the operands of a chain that groups to the left; it may be longer than the stack."""
    kind, operands = node["type"], []
    while node["type"] == kind:
        node, right = node["children"]
        operands.append(right)
    return [node, *reversed(operands)]


def _indexed(base: Tree, steps: list[_Node]) -> ast.Indexed:
    """An index and a slice have the place of what they follow."""
    column = base.column
    return ast.Indexed(
        column,
        base,
        tuple(
            ast.Slice(column, *step["children"])
            if step["type"] == "slice"
            else ast.Index(column, step["value"])
            for step in steps
        ),
    )
