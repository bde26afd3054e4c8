"""Text to tree, within bounds and with errors that name the column.

Names, literals, keys, calls, variables, ``@``, ``$`` and ``let`` have a column of their own. Any
other node begins where its first part does.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Final

from jmespath.exceptions import (
    EmptyExpressionError,
    IncompleteExpressionError,
    JMESPathError,
    LexerError,
)

from tfgate.query import tree as ast
from tfgate.query.errors import ExpressionError
from tfgate.query.grammar import Node, Parser

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfgate.query.foreign import Correction
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
        _refuse_deep(text, node)
        return tree_of(node)
    except RecursionError:
        raise _too_deep(text) from None


def _parsed(text: str) -> Node:
    try:
        with warnings.catch_warnings():
            # A literal that is not JSON is read as a string, with a warning nobody here can act on.
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            parsed: Node = Parser().parse(text).parsed
    except JMESPathError as error:
        raise _refused(text, error) from None
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        # What the parser lets through on some malformed texts.
        raise ExpressionError("The expression is malformed.", expression=text) from None
    return parsed


def _refused(text: str, error: JMESPathError) -> ExpressionError:
    """Say what is wrong in the words of where the author comes from, where that shows."""
    position = _position(error, text)
    correction = None if isinstance(error, EmptyExpressionError) else _correct(text, position)
    if correction is None:
        return ExpressionError(_reason(error), expression=text, position=position)
    hint = f"Write: {correction.form}" if correction.form else None
    sentence = f"{correction.sentence[:1].upper()}{correction.sentence[1:]}."
    return ExpressionError(sentence, expression=text, position=correction.position, hint=hint)


def _correct(text: str, position: int) -> Correction | None:
    from tfgate.query.foreign import correct  # nothing that parses has need of it

    return correct(text, position, stops_at)


def stops_at(text: str) -> int | None:
    """Return where the parser stops in a text that is no expression; ``None`` where it is one."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", PendingDeprecationWarning)
            Parser().parse(text)
    except JMESPathError as error:
        return _position(error, text)
    except (ValueError, IndexError, KeyError, TypeError, AttributeError):
        return 0
    return None


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


def _refuse_deep(text: str, tree: Node) -> None:
    """Refuse what the evaluator could only follow with a deep stack."""
    pending = [(tree, 0)]
    while pending:
        node, depth = pending.pop()
        kind = node["type"]
        if depth > DEEPEST or (kind == "literal" and _literal_is_deep(node["value"])):
            raise _too_deep(text)
        if kind == "slice":
            continue
        for child in node["children"]:
            same_chain = kind in _CHAINS and child["type"] == kind
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


def tree_of(node: Node) -> Tree:  # noqa: C901 - a case for each type
    """Make the tree of a node, with the trees of its parts."""
    kind, found = node["type"], node["children"]
    match kind:
        case "field":
            return ast.Field(node["column"], node["value"])
        case "literal":
            return ast.Literal(node["column"], node["value"])
        case "current":
            return ast.Current(node["column"])
        case "root":
            return ast.Root(node["column"])
        case "variable":
            return ast.Variable(node["column"], node["value"])
        case "let":
            *bindings, body = found
            bound = tuple(
                ast.Binding(b["column"], b["value"], tree_of(*b["children"])) for b in bindings
            )
            return ast.Let(node["column"], bound, tree_of(body))
        case "identity":
            return ast.Identity(None)
        case "function_expression":
            return ast.Call(node["column"], node["value"], _trees(found))
        case "multi_select_dict":
            pairs = tuple(ast.Pair(p["column"], p["value"], tree_of(*p["children"])) for p in found)
            return ast.MultiSelectHash(_first(pairs), pairs)
        case "and_expression" | "or_expression" | "pipe":
            parts = _trees(_grouped(node))
            return _CHAINS[kind](_first(parts), parts)
        case "index_expression":
            return _indexed(tree_of(found[0]), found[1:])
        case "filter_projection":
            base, body, condition = _trees(found)
            return ast.FilterProjection(_first((base, condition, body)), base, body, condition)
    parts = _trees(found)
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
        case "arithmetic":
            return ast.Arithmetic(column, node["value"], *parts)
        case "sign":
            return ast.Sign(node["column"], node["value"], *parts)
        case "ternary":
            return ast.Ternary(column, *parts)
        case "expref":
            return ast.Reference(column, *parts)
    raise ValueError(kind)


def _trees(nodes: Iterable[Node]) -> tuple[Tree, ...]:
    return tuple([tree_of(node) for node in nodes])


def _first(parts: Iterable[ast.Part]) -> int | None:
    """Return the column of what has no sign of its own: that of its first part."""
    for part in parts:
        if part.column is not None:
            return part.column
    return None


def _grouped(node: Node) -> list[Node]:
    """Return the operands of a chain that groups to the left; it may be longer than the stack."""
    kind, operands = node["type"], []
    while node["type"] == kind:
        node, right = node["children"]
        operands.append(right)
    return [node, *reversed(operands)]


def _indexed(base: Tree, steps: list[Node]) -> ast.Indexed:
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
