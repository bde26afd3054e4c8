"""Turns the syntax tree of python-hcl2's grammar into a shape."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from lark import Token, Tree

from tfgate.hcl import shapes

if TYPE_CHECKING:
    from collections.abc import Mapping

Branch: TypeAlias = "Tree[Token] | Token"

_NUMBERS = ("int_lit", "float_lit")
_LINE_ENDS = "new_line_or_comment"


class Shaper:
    """Shapes of one block, whose text began at ``offset`` in its file."""

    def __init__(self, literals: Mapping[int, tuple[int, int]], offset: int) -> None:
        self._literals = literals
        self._offset = offset

    def block(self, tree: Tree[Token]) -> shapes.Nested:
        """Give the only block in the tree of a whole text. Raises ValueError for another tree."""
        (body,) = _parts(tree)
        (block,) = _parts(body)
        return self._block(block)

    def _block(self, tree: Branch) -> shapes.Nested:
        if _name(tree) != "block":
            raise ValueError("no block")
        kind, *labels, _, body, _ = _parts(tree)
        arguments: list[tuple[shapes.Word, shapes.Node]] = []
        blocks: list[shapes.Nested] = []
        for part in _parts(body):
            if _name(part) == "attribute":
                name, _, value = _parts(part)
                arguments.append((shapes.Word(*self._span(name)), self._node(value)))
            else:
                blocks.append(self._block(part))
        named: list[shapes.Node] = [self._name_or_text(label) for label in labels]
        return shapes.Nested(shapes.Word(*self._span(kind)), named, shapes.Body(arguments, blocks))

    def _node(self, tree: Branch) -> shapes.Node:
        inner = _unwrapped(tree)
        name = _name(inner)
        if name == "identifier":
            found = self._name_or_text(inner)
            return found if isinstance(found, shapes.Text) else shapes.Code(*self._span(tree))
        if name == "literal_value":
            return shapes.Word(*self._span(inner))
        if name in _NUMBERS or (name == "unary_op" and _is_signed_number(inner)):
            return shapes.Number(*self._span(inner))
        if name == "tuple":
            return shapes.Items([self._node(part) for part in _parts(inner) if _name(part)])
        if name == "object":
            members = [self._member(part) for part in _parts(inner) if _name(part)]
            return shapes.Members(*self._span(inner), members)
        return shapes.Code(*self._span(tree))

    def _member(self, tree: Branch) -> tuple[shapes.Node, shapes.Node]:
        key, _, value = _parts(tree)
        (written,) = _parts(key)
        if _name(written) == "keyword" or _name(_only(written)) == "identifier":
            return self._name_or_text(written), self._node(value)
        return self._node(written), self._node(value)

    def _name_or_text(self, tree: Branch) -> shapes.Word | shapes.Text:
        start, end = self._span(tree)
        is_text = (_leaf(tree, 0).start_pos or 0) + self._offset in self._literals
        return shapes.Text(start, end) if is_text else shapes.Word(start, end)

    def _span(self, tree: Branch) -> tuple[int, int]:
        return self._edges(_leaf(tree, 0))[0], self._edges(_leaf(tree, -1))[1]

    def _edges(self, token: Token) -> tuple[int, int]:
        start = (token.start_pos or 0) + self._offset
        literal = self._literals.get(start)
        return (start, (token.end_pos or 0) + self._offset) if literal is None else literal


def _name(tree: Branch) -> str:
    """Give the name of a tree's rule; of a token, nothing."""
    return str(tree.data) if isinstance(tree, Tree) else ""


def _parts(tree: Branch) -> list[Branch]:
    """Give the children that mean something: no line ends, and nothing where nothing stands."""
    if isinstance(tree, Token):
        return []
    children: list[Branch | None] = [*tree.children]
    return [one for one in children if one is not None and _name(one) != _LINE_ENDS]


def _only(tree: Branch) -> Branch:
    """Give the only part of a term; the term itself where it has more, as in parentheses."""
    parts = _parts(tree)
    return parts[0] if _name(tree) == "expr_term" and len(parts) == 1 else tree


def _unwrapped(tree: Branch) -> Branch:
    """Take parentheses and terms of one part off an expression."""
    while _name(tree) == "expr_term":
        parts = _parts(tree)
        if len(parts) == 3 and isinstance(parts[0], Token) and parts[0].type == "LPAR":
            tree = parts[1]
        elif len(parts) == 1:
            tree = parts[0]
        else:
            break
    return tree


def _is_signed_number(tree: Branch) -> bool:
    sign, number = _parts(tree)
    return str(sign) == "-" and _name(_only(number)) in _NUMBERS


def _leaf(tree: Branch, side: int) -> Token:
    """Give the first (0) or last (-1) token of a tree."""
    while not isinstance(tree, Token):
        parts = _parts(tree)
        if not parts:
            raise ValueError("an expression of no tokens")
        tree = parts[side]
    return tree
