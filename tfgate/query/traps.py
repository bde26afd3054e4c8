"""Expressions that mean something else than they look like, which depends on what is around them.

`piped_all` finds one kind in the syntax. `misplaced_fields` has to know what stands where: it asks
`tfgate.query.shapes`, and only about expressions that may be such.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tfgate.query import tree as ast
from tfgate.query.errors import ExpressionError
from tfgate.query.functions.registry import FunctionTable
from tfgate.query.grammar import Parser
from tfgate.query.parsing import tree_of
from tfgate.query.tree import Tree, children, operands
from tfgate.query.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from tfgate.query.expression import Expression
    from tfgate.query.grammar import Node
    from tfgate.query.shapes import Names


class PipedAll(NamedTuple):
    """``a || b | [?c]``: the pipe takes both, whichever it is, and not ``b`` alone."""

    column: int | None
    """Where it begins, counted from 0."""
    text: str
    """The part, as JMESPath."""
    forms: tuple[str, str]
    """The same with parentheses, and the other one that may have been meant."""


def piped_all(expression: Expression) -> Iterator[PipedAll]:
    """Find a bracket behind a pipe behind ``||`` without parentheses.

    The tree has no parentheses; the nodes of the parser say where there were some.
    """
    pending = [Parser().parse(expression.text).parsed]
    while pending:
        node = pending.pop()
        if node["type"] == "slice":
            continue
        pending.extend(node["children"])
        if node["type"] != "pipe":
            continue
        left, right = node["children"]
        if left["type"] == "or_expression" and not left.get("grouped") and _is_bracket(right):
            either_of, behind = tree_of(left), unparse(tree_of(right))
            assert isinstance(either_of, ast.Or)
            *before, last = operands(either_of)
            whole = unparse(either_of)
            either = " || ".join(map(unparse, before))
            forms = f"({whole}) | {behind}", f"{either} || ({unparse(last)} | {behind})"
            yield PipedAll(either_of.column, f"{whole} | {behind}", forms)


def _is_bracket(node: Node) -> bool:
    """Whether a part begins with a bracket, as ``[?a].b`` and ``[0]`` do."""
    begin = node
    while begin["type"] in _BRACKETS:
        begin = begin["children"][0]
    return begin is not node and begin["type"] in ("identity", "current")


_BRACKETS = frozenset(
    {"filter_projection", "projection", "flatten", "index_expression", "subexpression"}
)


# --- Fields of the document where the current value has none.


def misplaced_fields(
    expression: Expression,
    roots: Collection[str],
    names: Callable[[], Names],
    table: FunctionTable | None,
) -> list[ExpressionError]:
    """Return an error for each field of the root that is asked of an element without fields.

    In ``$params.bad[?contains(after.x, @)]`` the current value is a string of the list, so that
    ``after`` is null always. ``roots`` are the fields of the document; ``names`` makes what knows
    the shapes of the variables, where that is asked.
    """
    suspects = {
        column: name for name, column in _inner_fields(expression.node.tree) if name in roots
    }
    if not suspects:
        return []
    from tfgate.query.shapes import ANY, RemarkKind, infer  # 5 ms: docs/performance.md
    from tfgate.query.shapes.shape import object_of

    root = object_of(dict.fromkeys(roots, ANY))
    found = infer(expression, root, names=names(), table=table or FunctionTable.default())
    sorts = {RemarkKind.FIELD_OF_SCALAR, RemarkKind.FIELD_OF_LIST}
    misplaced = {r.part[0]: r for r in found.remarks if r.kind in sorts and r.part[0] in suspects}
    return [
        ExpressionError(
            f"{remark.detail} is a field of the current element here, and that is a "
            f"{remark.shape.words}",
            expression=expression.text,
            position=column or 0,
            kind="invalid-type",
            hint=f"Write $.{remark.detail} for that of the subject.",
        )
        for column, remark in sorted(misplaced.items(), key=lambda found: found[0] or 0)
    ]


_PROJECTIONS = ast.Projection | ast.FilterProjection | ast.ValueProjection


def _inner_fields(tree: Tree, *, inside: bool = False) -> Iterator[tuple[str, int | None]]:
    """Yield the fields that are asked of an element of something that may have no objects.

    A field of the document may be anything, so of its elements there is nothing to say.
    """
    match tree:
        case ast.Field():
            if inside:
                yield tree.name, tree.column
        case ast.Subexpression() | ast.Pipe():
            first, *rest = tree.parts
            yield from _inner_fields(first, inside=inside)
            for part in rest:
                computed = inside or not _is_path(first)
                is_step = isinstance(tree, ast.Subexpression)
                yield from (_of_step if is_step else _elements_of)(part, computed)
        case ast.Projection() | ast.FilterProjection() | ast.ValueProjection():
            yield from _inner_fields(tree.base, inside=inside)
            yield from _elements_of(tree, inside or not _is_path(tree.base))
        case ast.Reference():
            yield from _inner_fields(tree.body, inside=True)
        case _:
            for part in operands(tree) if isinstance(tree, ast.And | ast.Or) else children(tree):
                yield from _inner_fields(part, inside=inside)


def _elements_of(tree: Tree, computed: bool) -> Iterator[tuple[str, int | None]]:
    """Yield those asked of the elements of a projection, or of what stands before a pipe."""
    for part in children(tree)[1:] if isinstance(tree, _PROJECTIONS) else (tree,):
        yield from _inner_fields(part, inside=computed)


def _of_step(tree: Tree, computed: bool) -> Iterator[tuple[str, int | None]]:
    """Yield those of what follows a dot, which begins at the value before it."""
    while isinstance(tree, _BASED):
        yield from _elements_of(tree, computed) if isinstance(tree, _PROJECTIONS) else ()
        tree = tree.base
    if not isinstance(tree, ast.Field):
        yield from _inner_fields(tree, inside=computed)


_BASED = _PROJECTIONS | ast.Indexed | ast.Flatten


def _is_path(tree: Tree) -> bool:
    """Whether a part is what the document has at a path."""
    while isinstance(tree, _BASED):
        tree = tree.base
    if isinstance(tree, ast.Subexpression):
        return _is_path(tree.parts[0])
    return isinstance(tree, ast.Field | ast.Root | ast.Identity | ast.Current)
