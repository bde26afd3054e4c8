"""The tree of an expression: one frozen struct for each kind of part.

`tfgate.query.parsing` makes it of what jmespath's parser returns. Whatever walks a tree matches on
these types; with `assert_never` in the last case mypy refuses a walk that forgets one.
"""

from __future__ import annotations

from typing import Any, Final, NoReturn

import msgspec


class Part(msgspec.Struct, frozen=True, eq=False, gc=False):
    """What all parts have. Two parts are equal if they are one object."""

    column: int | None
    """Where the part begins in the text, counted from 0; None where that cannot be found out."""


class Field(Part, frozen=True, eq=False, gc=False):
    """``name``."""

    name: str


class Current(Part, frozen=True, eq=False, gc=False):
    """``@``."""


class Identity(Part, frozen=True, eq=False, gc=False):
    """The current value where nothing is written: what ``[0]`` and ``*`` at the start apply to."""


class Root(Part, frozen=True, eq=False, gc=False):
    """``$``: the document."""


class Variable(Part, frozen=True, eq=False, gc=False):
    """``$name``: bound by a `Let` around it, else given from outside."""

    name: str


class Binding(Part, frozen=True, eq=False, gc=False):
    """``$name = value`` of a `Let`, and nowhere else."""

    name: str
    value: Tree


class Let(Part, frozen=True, eq=False, gc=False):
    """``let $a = x, $b = y in body``: the bindings do not see each other."""

    bindings: tuple[Binding, ...]
    body: Tree


class Literal(Part, frozen=True, eq=False, gc=False):
    """A JSON value: ``'text'`` or ``` `1` ```."""

    value: Any


class Subexpression(Part, frozen=True, eq=False, gc=False):
    """``a.b.c``: each part on what the one before it came to."""

    parts: tuple[Tree, ...]


class Index(Part, frozen=True, eq=False, gc=False):
    """``[n]``; it stands in an `Indexed` alone."""

    position: int


class Slice(Part, frozen=True, eq=False, gc=False):
    """``[start:stop:step]``; it stands in an `Indexed` alone."""

    start: int | None
    stop: int | None
    step: int | None


class Indexed(Part, frozen=True, eq=False, gc=False):
    """``base[0][1:2]``."""

    base: Tree
    steps: tuple[Index | Slice, ...]


class Projection(Part, frozen=True, eq=False, gc=False):
    """``base[*].body``, and what follows a slice or a flatten."""

    base: Tree
    body: Tree


class ValueProjection(Part, frozen=True, eq=False, gc=False):
    """``base.*.body``."""

    base: Tree
    body: Tree


class FilterProjection(Part, frozen=True, eq=False, gc=False):
    """``base[?condition].body``."""

    base: Tree
    body: Tree
    condition: Tree


class Flatten(Part, frozen=True, eq=False, gc=False):
    """``base[]``."""

    base: Tree


class MultiSelectList(Part, frozen=True, eq=False, gc=False):
    """``[a, b]``."""

    parts: tuple[Tree, ...]


class Pair(Part, frozen=True, eq=False, gc=False):
    """``key: value`` of a `MultiSelectHash`, and nowhere else."""

    key: str
    value: Tree


class MultiSelectHash(Part, frozen=True, eq=False, gc=False):
    """``{x: a, y: b}``."""

    pairs: tuple[Pair, ...]


class Chain(Part, frozen=True, eq=False, gc=False):
    """Two or more operands of one operator. An operand that is such a chain was in parentheses."""

    parts: tuple[Tree, ...]


class And(Chain, frozen=True, eq=False, gc=False):
    """``a && b && c``."""


class Or(Chain, frozen=True, eq=False, gc=False):
    """``a || b || c``."""


class Pipe(Chain, frozen=True, eq=False, gc=False):
    """``a | b | c``."""


class Not(Part, frozen=True, eq=False, gc=False):
    """``!operand``."""

    operand: Tree


class Comparison(Part, frozen=True, eq=False, gc=False):
    """``left == right``; ``sign`` is one of `SIGNS`."""

    sign: str
    left: Tree
    right: Tree


class Arithmetic(Part, frozen=True, eq=False, gc=False):
    """``left + right``; ``sign`` is one of ``+ - * / // %``."""

    sign: str
    left: Tree
    right: Tree


class Sign(Part, frozen=True, eq=False, gc=False):
    """``-operand``; ``sign`` is ``-`` or ``+``."""

    sign: str
    operand: Tree


class Ternary(Part, frozen=True, eq=False, gc=False):
    """``condition ? then : otherwise``."""

    condition: Tree
    then: Tree
    otherwise: Tree


class Reference(Part, frozen=True, eq=False, gc=False):
    """``&body``: an expression that a function applies."""

    body: Tree


class Call(Part, frozen=True, eq=False, gc=False):
    """``name(a, b)``."""

    name: str
    arguments: tuple[Tree, ...]


Tree = (
    Field
    | Literal
    | Call
    | Subexpression
    | And
    | Or
    | Comparison
    | Not
    | Current
    | Identity
    | Indexed
    | Index
    | Slice
    | Projection
    | FilterProjection
    | ValueProjection
    | Flatten
    | MultiSelectList
    | MultiSelectHash
    | Pipe
    | Reference
    | Root
    | Variable
    | Let
    | Arithmetic
    | Sign
    | Ternary
)
"""A part that has a value of its own: each but `Pair` and `Binding`."""

SIGNS: Final = {"eq": "==", "ne": "!=", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
"""How jmespath names the comparison operators."""


def children(tree: Tree) -> tuple[Tree, ...]:  # noqa: C901, RET503 - a case for each type
    """Return the parts of a part, in the order of the source."""
    match tree:
        case Field() | Literal() | Current() | Identity() | Index() | Slice():
            return ()
        case Root() | Variable():
            return ()
        case Call():
            return tree.arguments
        case Subexpression() | And() | Or() | Pipe() | MultiSelectList():
            return tree.parts
        case Comparison() | Arithmetic():
            return (tree.left, tree.right)
        case Not() | Sign():
            return (tree.operand,)
        case Ternary():
            return (tree.condition, tree.then, tree.otherwise)
        case Indexed():
            return (tree.base, *tree.steps)
        case Projection() | ValueProjection():
            return (tree.base, tree.body)
        case FilterProjection():
            return (tree.base, tree.condition, tree.body)
        case Flatten():
            return (tree.base,)
        case MultiSelectHash():
            return tuple(pair.value for pair in tree.pairs)
        case Reference():
            return (tree.body,)
        case Let():
            return (*(binding.value for binding in tree.bindings), tree.body)
        case _:
            assert_never(tree)


def operands(chain: And | Or | Pipe) -> list[Tree]:
    """Return the operands of a chain in order, those of the same operator in parentheses as well.

    In a loop: operands may be nested deeper than the stack.
    """
    found: list[Tree] = []
    pending: list[Tree] = [chain]
    while pending:
        part = pending.pop()
        if type(part) is type(chain):
            pending.extend(reversed(part.parts))
        else:
            found.append(part)
    return found


def assert_never(tree: NoReturn) -> NoReturn:
    """Close a ``match`` over all parts; `typing` has this from Python 3.11 on."""
    raise AssertionError(f"{tree!r} is no part of an expression")
