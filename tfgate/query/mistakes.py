"""Parts of an expression that JMESPath accepts and that mean something else than they say.

Each makes a rule that never fires, or always does: whoever loads rules refuses them. Only what is
so on every document is a mistake here; what depends on types is lint's.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from tfgate.query import tree as ast
from tfgate.query.errors import ExpressionError
from tfgate.query.tree import children, operands
from tfgate.query.unparse import unparse
from tfgate.query.values import TRUTHY, kinds

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.query.expression import Expression
    from tfgate.query.tree import Tree

_ORDERINGS = frozenset({"lt", "lte", "gt", "gte"})
_LISTS = (ast.Projection, ast.FilterProjection, ast.ValueProjection, ast.Flatten)


def mistakes(expression: Expression) -> list[ExpressionError]:
    """Return what is certainly wrong with an expression although it compiles."""
    found: list[ExpressionError] = []
    pending: list[Tree] = [expression.node.tree]
    while pending:
        part = pending.pop()
        for message, hint, at in _of(part, expression.text):
            found.append(
                ExpressionError(
                    message,
                    expression=expression.text,
                    position=at.column or 0,
                    kind="invalid-value",
                    hint=hint,
                )
            )
        pending.extend(children(part))
    places = {error.position for error in found}
    known = {position - before for position in places for before in (0, 1)}  # `!` and behind it
    return found + [error for error in expression.problems if error.position not in known]


def place_of(expression: Expression, name: str) -> int:
    """Return the 0-based column of the first field of that name that no dot precedes."""
    pending: list[Tree] = [expression.node.tree]
    places = []
    while pending:
        part = pending.pop()
        if isinstance(part, ast.Field) and part.name == name and part.column is not None:
            places.append(part.column)
        pending.extend(children(part))
    first = [at for at in places if not expression.text[:at].rstrip().endswith(".")]
    return min(first or places, default=0)


_Mistake = tuple[str, "str | None", "Tree"]


def _of(part: Tree, text: str) -> Iterator[_Mistake]:
    match part:
        case ast.Comparison():
            yield from _comparison(part)
            yield from _quoted((part.left, part.right), text)
        case ast.Call():
            yield from _quoted((*part.arguments[1:], ast.Literal(None, None)), text, of_call=True)
            for argument in part.arguments:
                if isinstance(argument, ast.Indexed) and isinstance(argument.base, ast.Identity):
                    yield from _lone_index(argument, part)
        case ast.Or():
            yield from _if_else(part)
        case ast.Arithmetic():
            yield from _hyphen(part, text)


def _comparison(part: ast.Comparison) -> Iterator[_Mistake]:
    sign = ast.SIGNS[part.sign]
    for side, other in ((part.left, part.right), (part.right, part.left)):
        if part.sign in _ORDERINGS and isinstance(side, ast.Comparison):
            left, right = (side, other) if side is part.left else (other, side)
            yield (
                f"{unparse(part)} orders a boolean, and is null always.",
                f"Write: {_joined(left, right, sign)}",
                part,
            )
        constant = other.value if isinstance(other, ast.Literal) else None
        negated = _negated(side)
        if negated is not None and constant is not None and not isinstance(constant, bool):
            opposite = {"==": "!=", "!=": "=="}.get(sign)
            form = f"{unparse(negated)} {opposite or sign} {unparse(other)}"
            yield (
                "`!` binds tighter than a comparison.",
                f"Write: {form if opposite else f'!({form})'}",
                part,
            )
        if _is_list(side) and constant is not None and _is_scalar(constant):
            yield _list_and_value(part, side, other)


def _negated(side: Tree) -> Tree | None:
    """Return what ``!a`` and ``!a.b`` are meant to negate."""
    if isinstance(side, ast.Subexpression) and isinstance(side.parts[0], ast.Not):
        return ast.Subexpression(None, (side.parts[0].operand, *side.parts[1:]))
    return side.operand if isinstance(side, ast.Not) else None


def _is_list(side: Tree) -> bool:
    """Whether a part is a list or null, on every document; what is cut out may be a string."""
    if isinstance(side, ast.Subexpression):
        return _is_list(side.parts[-1])
    is_cut = isinstance(side, ast.Projection) and isinstance(side.base, ast.Indexed)
    return isinstance(side, _LISTS) and not is_cut


def _joined(left: Tree, right: Tree, sign: str) -> str:
    """Write ``1 < a < 5`` as two comparisons."""
    if isinstance(left, ast.Comparison):
        return f"{unparse(left)} && {unparse(left.right)} {sign} {unparse(right)}"
    assert isinstance(right, ast.Comparison)
    return f"{unparse(left)} {sign} {unparse(right.left)} && {unparse(right)}"


def _is_scalar(constant: Any) -> bool:
    return isinstance(constant, (str, int, float))


def _list_and_value(part: ast.Comparison, side: Tree, other: Tree) -> _Mistake:
    """Say that ``a[*].b == 'x'`` compares a list with a string, which it never equals."""
    whole, value = unparse(side), unparse(other)
    sign = ast.SIGNS[part.sign]
    sentence = f"{whole} is a list, and {value} is none"
    if part.sign == "eq":
        return (
            f"{sentence}: == compares the whole list.",
            f"Write: contains({whole}, {value})",
            part,
        )
    if part.sign == "ne":
        return (
            f"{sentence}: != compares the whole list.",
            f"Write: !contains({whole}, {value})",
            part,
        )
    return f"{sentence}: {sign} is null always.", f"Write: any({whole}, &@ {sign} {value})", part


def _lone_index(part: ast.Indexed, call: Tree) -> Iterator[_Mistake]:
    if len(part.steps) == 1 and isinstance(part.steps[0], ast.Index):
        number = part.steps[0].position
        yield (
            f"[{number}] is an index here, and no list.",
            f"Write `[{number}]` for the list, @[{number}] for the element.",
            call,
        )


def _if_else(part: ast.Or) -> Iterator[_Mistake]:
    """``x && `[]` || y``: where the value of "then" is falsy, it is always the other one."""
    parts = operands(part)
    for condition, other in pairwise(parts):
        if not isinstance(condition, ast.And):
            continue
        *asked, value = operands(condition)
        if isinstance(value, ast.Literal) and not kinds(value.value) & TRUTHY:
            tested = asked[0] if len(asked) == 1 else ast.And(None, tuple(asked))
            test = unparse(tested)
            yield (
                f"{unparse(value)} is falsy, so that this is always {unparse(other)}.",
                f"Write: {test} ? {unparse(value)} : {unparse(other)}",
                condition,
            )


def _hyphen(part: ast.Arithmetic, text: str) -> Iterator[_Mistake]:
    """Find ``tags.cost-center``, which subtracts: nobody writes a difference without spaces."""
    right, left = part.right, part.left
    at = right.column
    if not isinstance(right, ast.Field) or not at or not isinstance(left, ast.Subexpression):
        return
    first = left.parts[-1]
    if text[at - 1] != "-" or not isinstance(first, ast.Field) or first.column is None:
        return
    if text[first.column : at] == f"{first.name}-":
        key = f'"{first.name}-{right.name}"'
        path = unparse(ast.Subexpression(None, left.parts[:-1]))
        yield f"{key[1:-1]} is a subtraction here.", f"Write: {path}.{key} for the key", right


def _quoted(parts: tuple[Tree, ...], text: str, *, of_call: bool = False) -> Iterator[_Mistake]:
    """Find a string in double quotes, which is a field: alone beside what is no constant."""
    for number, part in enumerate(parts):
        if not isinstance(part, ast.Field) or part.column is None or text[part.column] != '"':
            continue
        if not of_call and isinstance(parts[1 - number], ast.Literal):
            continue
        from tfgate.query.foreign import one_line, single_quoted  # no right expression needs it

        form = one_line(single_quoted(text))
        hint = f"Write: {form}" if form else None
        quoted = text[part.column : part.column + len(part.name) + 2]
        yield f"{quoted} is a field: a string stands in single quotes.", hint, part
