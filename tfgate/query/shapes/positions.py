"""Where the parts of an expression stand in its text.

The parser's tree has no positions. Names, literals and calls come in the same order in the text and
in the tree: the n-th there is the n-th here. A node without such a sign begins where its first part
does.
"""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from jmespath.lexer import Lexer

from tfgate.query.parsing import children

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.query.nodes.node import Ast

_NAMES = {"unquoted_identifier", "quoted_identifier"}


def positions(text: str, tree: Ast) -> dict[int, int]:
    """Give the 0-based columns of the tree's nodes by their identity; empty where it cannot be."""
    signs = list(_signs(text))
    nodes = list(_signed(tree))
    if [sign for sign, _ in signs] != [_sign(node) for node in nodes]:
        return {}
    found = {id(node): start for node, (_, start) in zip(nodes, signs, strict=True)}
    _spread(tree, found)
    return found


def _signs(text: str) -> Iterator[tuple[str, int]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", PendingDeprecationWarning)
        tokens: list[dict[str, Any]] = list(Lexer().tokenize(text))
    for token, following in pairwise(tokens):
        if token["type"] in _NAMES:
            kind = {"lparen": "call", "colon": "key"}.get(following["type"], "name")
            # In ``[a:b]`` no name may stand: a colon behind one belongs to a {key: …}.
            yield f"{kind} {token['value']}", token["start"]
        elif token["type"] == "literal":
            yield "literal", token["start"]
        elif token["type"] == "current":
            yield "@", token["start"]


def _sign(node: Ast) -> str:
    if node["type"] == "literal":
        return "literal"
    if node["type"] == "current":
        return "@"
    kinds = {"field": "name", "key_val_pair": "key", "function_expression": "call"}
    return f"{kinds[node['type']]} {node['value']}"


def _signed(tree: Ast) -> Iterator[Ast]:
    pending = [tree]
    while pending:
        node = pending.pop()
        if node["type"] in {"field", "key_val_pair", "function_expression", "literal", "current"}:
            yield node
        pending.extend(reversed(children(node)))


def _spread(tree: Ast, found: dict[int, int]) -> None:
    """Give a node that has no sign of its own the place of its first part."""
    order: list[Ast] = []
    pending = [tree]
    while pending:
        node = pending.pop()
        order.append(node)
        pending.extend(children(node))
    for node in reversed(order):
        _after_each_other(node, found)
        inner = [found[id(child)] for child in children(node) if id(child) in found]
        if id(node) not in found and inner:
            found[id(node)] = min(inner)


def _after_each_other(node: Ast, found: dict[int, int]) -> None:
    """Give an index the place of what it follows."""
    inside = children(node)
    for before, step in pairwise(inside):
        if step["type"] in {"index", "slice"} and id(before) in found:
            found.setdefault(id(step), found[id(before)])
