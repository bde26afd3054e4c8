"""Parts of an expression that JMESPath accepts and that mean something else than they say.

Each makes a rule that never fires, or always does: whoever loads rules refuses them. Only what is
so on every document is a mistake here; what depends on types is lint's.
"""

from __future__ import annotations

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
    found = [*expression.problems]
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
    return found


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
                    yield from _lone_index(argument)
        case ast.Or():
            yield from _if_else(part)


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
        if isinstance(side, ast.Not) and constant is not None and not isinstance(constant, bool):
            negated = {"==": "!=", "!=": "=="}.get(sign)
            plain = unparse(ast.Comparison(None, part.sign, side.operand, other))
            form = plain.replace(f" {sign} ", f" {negated} ", 1) if negated else f"!({plain})"
            yield "`!` binds tighter than a comparison.", f"Write: {form}", part
        if isinstance(side, _LISTS) and constant is not None and _is_scalar(constant):
            yield _list_and_value(part, side, other)


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


def _lone_index(part: ast.Indexed) -> Iterator[_Mistake]:
    if len(part.steps) == 1 and isinstance(part.steps[0], ast.Index):
        number = part.steps[0].position
        yield (
            f"[{number}] is an index here, and no list.",
            f"Write `[{number}]` for the list, @[{number}] for the element.",
            part,
        )


def _if_else(part: ast.Or) -> Iterator[_Mistake]:
    """``x && `[]` || y``: where the value of "then" is falsy, it is always the other one."""
    parts = operands(part)
    for condition, other in zip(parts, parts[1:], strict=False):
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
