"""Tree to text: JMESPath that parses to the same tree, for traces and errors."""

from __future__ import annotations

import json
import re
from typing import Final, TypeAlias

from tfgate.model.text import late
from tfgate.query import tree as ast
from tfgate.query.tree import Tree, assert_never, children

_PLAIN_NAME: Final = late(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)

_Types: TypeAlias = frozenset[type[Tree]]

_TIGHT: Final[_Types] = frozenset(
    {
        ast.Field,
        ast.Current,
        ast.Root,
        ast.Variable,
        ast.Identity,
        ast.Literal,
        ast.Call,
        ast.MultiSelectList,
        ast.MultiSelectHash,
        ast.Indexed,
    }
)
"""Types that an index may follow, and that a ``!`` may stand before, without parentheses."""

_DOTTED: Final[_Types] = _TIGHT | {ast.Subexpression}
"""Types that a dot, a filter or a flatten may follow without parentheses."""

_SIGNED: Final[_Types] = _DOTTED | {
    ast.Not,
    ast.Sign,
    ast.Projection,
    ast.FilterProjection,
    ast.ValueProjection,
    ast.Flatten,
}
"""Types that a sign may stand before without parentheses."""

_PROJECTIONS: Final = ast.Projection | ast.FilterProjection | ast.ValueProjection | ast.Flatten

_LOOSER_THAN_TERNARY: Final[_Types] = frozenset({ast.Pipe, ast.Reference, ast.Let})
_LOOSER_THAN_OR: Final[_Types] = _LOOSER_THAN_TERNARY | {ast.Ternary}
_LOOSER_THAN_AND: Final[_Types] = _LOOSER_THAN_OR | {ast.Or}
_LOOSER_THAN_COMPARISON: Final[_Types] = _LOOSER_THAN_AND | {ast.And, ast.Comparison}


def unparse(tree: Tree) -> str:  # noqa: C901, RET503 - one case for each type
    """Write a part as an expression."""
    match tree:
        case ast.Field():
            return _name(tree.name)
        case ast.Literal():
            return _literal(tree)
        case ast.Call():
            return f"{tree.name}({', '.join(map(unparse, tree.arguments))})"
        case ast.Subexpression():
            first, *rest = tree.parts
            return _within(first, _DOTTED) + "".join(map(_after_dot, rest))
        case ast.And():
            return _chain(tree, "&&", _LOOSER_THAN_AND)
        case ast.Or():
            return _chain(tree, "||", _LOOSER_THAN_OR)
        case ast.Pipe():
            return _chain(tree, "|", frozenset({ast.Reference, ast.Let}))
        case ast.Comparison():
            left, right = (_operand(s, _LOOSER_THAN_COMPARISON) for s in (tree.left, tree.right))
            return f"{left} {ast.SIGNS[tree.sign]} {right}"
        case ast.Arithmetic():
            return f"{_term(tree.left, tree)} {tree.sign} {_term(tree.right, tree, right=True)}"
        case ast.Sign():
            bare = type(tree.operand) in _SIGNED
            return f"{tree.sign}{unparse(tree.operand) if bare else f'({unparse(tree.operand)})'}"
        case ast.Ternary():
            condition = _operand(tree.condition, _LOOSER_THAN_OR)
            otherwise = _operand(tree.otherwise, _LOOSER_THAN_TERNARY)
            return f"{condition} ? {unparse(tree.then)} : {otherwise}"
        case ast.Not():
            return f"!{_within(tree.operand, _TIGHT | {ast.Not})}"
        case ast.Reference():
            return f"&{unparse(tree.body)}"
        case ast.Current():
            return "@"
        case ast.Root():
            return "$"
        case ast.Variable():
            return f"${tree.name}"
        case ast.Let():
            bound = ", ".join(f"${found.name} = {unparse(found.value)}" for found in tree.bindings)
            return f"let {bound} in {unparse(tree.body)}"
        case ast.Identity():
            return ""
        case ast.Indexed():
            return _within(tree.base, _TIGHT) + "".join(map(unparse, tree.steps))
        case ast.Index():
            return f"[{tree.position}]"
        case ast.Slice():
            bounds = (tree.start, tree.stop, tree.step)
            start, stop, step = ("" if bound is None else str(bound) for bound in bounds)
            return f"[{start}:{stop}:{step}]" if step else f"[{start}:{stop}]"
        case ast.MultiSelectList():
            return f"[{', '.join(map(unparse, tree.parts))}]"
        case ast.MultiSelectHash():
            pairs = (f"{_name(pair.key)}: {unparse(pair.value)}" for pair in tree.pairs)
            return f"{{{', '.join(pairs)}}}"
        case ast.Projection():
            return f"{_projected(tree.base)}{_suffix(tree.body)}"
        case ast.ValueProjection():
            base = tree.base
            before = "" if isinstance(base, ast.Identity) else f"{_within(base, _DOTTED)}."
            return f"{before}*{_suffix(tree.body)}"
        case ast.FilterProjection():
            condition = f"[?{unparse(tree.condition)}]"
            return f"{_within(tree.base, _DOTTED)}{condition}{_suffix(tree.body)}"
        case ast.Flatten():
            # A flatten ends a projection, whatever it stands behind.
            text, base = unparse(tree.base), tree.base
            bare = type(base) in _DOTTED or isinstance(base, _PROJECTIONS)
            return f"{text}[]" if bare else f"({text})[]"
        case _:
            assert_never(tree)


def _name(text: str) -> str:
    return text if _PLAIN_NAME.fullmatch(text) else json.dumps(text)


def _literal(tree: ast.Literal) -> str:
    constant = tree.value
    if type(constant) is str and "'" not in constant and "\\" not in constant:
        return f"'{constant}'"
    return "`" + json.dumps(constant).replace("`", "\\`") + "`"


def _within(tree: Tree, bare: _Types) -> str:
    """Write a part, in parentheses unless its type is one of ``bare``."""
    text = unparse(tree)
    return text if type(tree) in bare and not _runs_on(tree) else f"({text})"


def _runs_on(tree: Tree) -> bool:
    """Whether what follows a dotted path would go into a projection at its end."""
    while isinstance(tree, ast.Subexpression):
        tree = tree.parts[-1]
        if isinstance(tree, _PROJECTIONS):
            return True
    return False


def _operand(tree: Tree, loose: _Types) -> str:
    text = unparse(tree)
    return f"({text})" if type(tree) in loose else text


def _term(tree: Tree, around: ast.Arithmetic, *, right: bool = False) -> str:
    """Write an operand of an arithmetic operator; those of one precedence group to the left."""
    loose = type(tree) in _LOOSER_THAN_COMPARISON
    if isinstance(tree, ast.Arithmetic):
        loose = _is_additive(tree) and (right or not _is_additive(around))
        loose = loose or (right and not _is_additive(around))
    return f"({unparse(tree)})" if loose else unparse(tree)


def _is_additive(tree: ast.Arithmetic) -> bool:
    return tree.sign in ("+", "-")


def _chain(tree: ast.And | ast.Or | ast.Pipe, sign: str, loose: _Types) -> str:
    first, *rest = tree.parts
    texts = [_operand(first, loose), *(_operand(part, loose | {type(tree)}) for part in rest)]
    return f" {sign} ".join(texts)


def _after_dot(tree: Tree) -> str:
    return _suffix(tree) if isinstance(tree, _PROJECTIONS | ast.Indexed) else f".{unparse(tree)}"


def _suffix(tree: Tree) -> str:
    """Write a projection's right side behind its left one."""
    if isinstance(tree, ast.Identity):
        return ""
    text = unparse(tree)
    return text if text.startswith("[") and _begins_here(tree) else f".{text}"


def _begins_here(tree: Tree) -> bool:
    """Whether the leftmost part of a bracket expression is the current value."""
    while not isinstance(
        tree, ast.Identity | ast.MultiSelectList | ast.MultiSelectHash | ast.Call | ast.Not
    ):
        parts = children(tree)
        if not parts:
            return False
        tree = parts[0]
    return isinstance(tree, ast.Identity)


def _projected(base: Tree) -> str:
    if isinstance(base, ast.Flatten) or (
        isinstance(base, ast.Indexed) and type(base.steps[-1]) is ast.Slice
    ):
        return unparse(base)
    return f"{_within(base, _TIGHT)}[*]"
