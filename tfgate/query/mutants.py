"""Small changes to an expression that its examples should notice (mutation testing).

Each change is made on the tree and written out again: what comes out parses. Whether it compiles
(a function may refuse a literal) is for the caller to see.
"""

from __future__ import annotations

from functools import partial
from math import gcd
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from tfgate.query import tree as ast
from tfgate.query.parsing import parse
from tfgate.query.tree import Tree, operands
from tfgate.query.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    Change = tuple[Tree, str]
    """A changed part, and what was changed."""
    Later = tuple[Callable[[], Any], str]
    """What makes a changed tree, and what was changed."""

Node = Tree | ast.Pair | ast.Binding

_COMPARISONS: Final = {
    "eq": ("ne",),
    "ne": ("eq",),
    "lt": ("lte", "gte"),
    "lte": ("lt", "gt"),
    "gt": ("gte", "lte"),
    "gte": ("gt", "lt"),
}
"""For the orderings: the one that differs at the boundary, and the opposite."""
_OPERATORS: Final = {"+": "-", "-": "+", "*": "/", "/": "*", "//": "/", "%": "/"}
_FUNCTIONS: Final = {"any": "all", "all": "any", "none": "any", "min": "max", "max": "min"}
_NO_FIELDS: Final = frozenset({"null", "true", "false"})
_MOST_ELEMENTS: Final = 20
"""Elements of one literal list that are left out in turn."""


class Mutant(NamedTuple):
    """One change."""

    change: str
    """What was changed; unique among the mutants of an expression."""
    text: str
    """The changed expression."""


class Mutants:
    """The mutants of an expression, each text once; each is made when it is asked for.

    There are a few for each part, and each is about as long as the expression: those of a long
    chain are more than anybody waits for.
    """

    def __init__(self, text: str) -> None:
        """Parse ``text``. Raises ``ExpressionError``."""
        self._tree = parse(text)
        self._later = [*_whole(self._tree), *_changes(self._tree)]

    @property
    def count(self) -> int:
        """How many changes there are; two of them may come to the same text."""
        return len(self._later)

    def __iter__(self) -> Iterator[Mutant]:
        """Return all of them."""
        return self.some(self.count)

    def some(self, most: int) -> Iterator[Mutant]:
        """Return at most ``most`` of them, from all over the expression, the same each time."""
        chosen = [self._later[number] for number in _spread(self.count, most)]
        seen = {unparse(self._tree)}
        labels: dict[str, int] = {}
        for make, label in chosen:
            written = unparse(make())
            if written in seen:
                continue
            seen.add(written)
            labels[label] = labels.get(label, 0) + 1
            yield Mutant(label if labels[label] == 1 else f"{label} ({labels[label]})", written)


def _spread(count: int, most: int) -> Sequence[int]:
    """Return ``most`` of ``count`` numbers, in order and from everywhere.

    At equal distances they might all be the same change of one part after another; at multiples of
    the golden section they are not.
    """
    if most >= count:
        return range(count)
    step = next(step for step in range(int(count * 0.618) + 1, 2 * count) if gcd(step, count) == 1)
    return sorted(number * step % count for number in range(most))


def _whole(tree: Tree) -> Iterator[Later]:
    if not _has_opposite(tree):
        yield partial(_negated, tree), "negate the whole"


def _changes(tree: Node) -> Iterator[Later]:
    """Yield the tree below a part with one change in it, for each change that there is."""
    if isinstance(tree, ast.And | ast.Or):
        yield from _chain_changes(tree)
        return
    for changed, label in _own(tree):
        yield partial(_itself, changed), label
    of_variable = isinstance(tree, ast.Subexpression) and isinstance(tree.parts[0], ast.Variable)
    for field in tree.__struct_fields__:
        inside = getattr(tree, field)
        for position, part in enumerate(inside if isinstance(inside, tuple) else (inside,)):
            if of_variable and position == 1:
                continue  # `$params.max`: a declared name
            for make, label in _changes(part) if isinstance(part, Node) else ():
                yield partial(_with, tree, field, position, make), label


def _itself(tree: Node) -> Node:
    return tree


def _with(tree: Node, field: str, position: int, make: Callable[[], Node]) -> Node:
    """Put another part in the place of a field, or in one place of a field of several."""
    inside = getattr(tree, field)
    if not isinstance(inside, tuple):
        return replace(tree, **{field: make()})
    return replace(tree, **{field: (*inside[:position], make(), *inside[position + 1 :])})


def _chain_changes(chain: ast.And | ast.Or) -> Iterator[Later]:
    kind, parts = type(chain), operands(chain)
    other, label = (ast.Or, "&& → ||") if kind is ast.And else (ast.And, "|| → &&")
    yield partial(_chain, other, parts), label
    for position, part in enumerate(parts):
        written = unparse(part)
        yield partial(_without, kind, parts, position), f"drop {written}"
        for make, label in _changes(part):
            yield partial(_with_part, kind, parts, position, make), label
        if not _has_opposite(part) and not isinstance(part, ast.Literal):
            negated = partial(_negated, part)
            yield partial(_with_part, kind, parts, position, negated), f"negate {written}"


def _without(kind: type[ast.And | ast.Or], parts: list[Tree], position: int) -> Tree:
    return _chain(kind, [*parts[:position], *parts[position + 1 :]])


def _with_part(
    kind: type[ast.And | ast.Or], parts: list[Tree], position: int, make: Callable[[], Any]
) -> Tree:
    return _chain(kind, [*parts[:position], make(), *parts[position + 1 :]])


def _chain(kind: type[ast.And | ast.Or], parts: list[Tree]) -> Tree:
    if len(parts) == 1:
        return parts[0]
    # One that begins with a chain of the same operator reads as one chain.
    first = parts[0].parts if type(parts[0]) is kind else parts[:1]
    return kind(None, (*first, *parts[1:]))


def _negated(tree: Tree) -> Tree:
    return ast.Not(None, tree)


def _has_opposite(tree: Tree) -> bool:
    """Whether another change is the negation already."""
    if isinstance(tree, ast.Comparison):
        return tree.sign in ("eq", "ne")
    return isinstance(tree, ast.Not)


def _own(tree: Node) -> Iterator[Change]:  # noqa: C901 - a case for each type
    """Yield the changes of a part itself, each with what was changed."""
    if isinstance(tree, ast.Pair | ast.Binding):
        return
    changed: list[Tree] = []
    match tree:
        case ast.Not():
            changed = [tree.operand]
        case ast.Comparison():
            changed = [replace(tree, sign=sign) for sign in _COMPARISONS[tree.sign]]
        case ast.Arithmetic():
            changed = [replace(tree, sign=_OPERATORS[tree.sign])]
        case ast.Sign():
            changed = [tree.operand]
        case ast.Ternary():
            changed = [tree.then, tree.otherwise]
        case ast.Field() if tree.name not in _NO_FIELDS:
            changed = [replace(tree, name=f"{tree.name}_x")]
        case ast.Index():
            changed = [replace(tree, position=tree.position + 1)]
        case ast.Literal():
            changed = [replace(tree, value=value) for value in _other_values(tree.value)]
        case ast.Call() if tree.name in _FUNCTIONS:
            changed = [replace(tree, name=_FUNCTIONS[tree.name])]
        case ast.Call() if tree.name == "matches" and len(tree.arguments) == 2:
            yield from _anchors(tree)
        case ast.FilterProjection():
            yield from _filter(tree)
    for part in changed:
        yield part, f"{unparse(tree)} → {unparse(part)}"


def _other_values(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, (int, float)):
        yield value + 1
    elif isinstance(value, str):
        yield f"{value}_x"
    elif isinstance(value, list):
        for position in range(min(len(value), _MOST_ELEMENTS)):
            yield [*value[:position], *value[position + 1 :]]


def _filter(tree: ast.FilterProjection) -> Iterator[Change]:
    condition = tree.condition
    dropped = ast.Projection(tree.column, tree.base, tree.body)
    yield dropped, f"drop the filter [?{unparse(condition)}]"
    if not _has_opposite(condition) and not isinstance(condition, ast.Literal):
        yield replace(tree, condition=_negated(condition)), f"negate {unparse(condition)}"


def _anchors(tree: ast.Call) -> Iterator[Change]:
    """Take the ends off a regular expression: what it finds may stand anywhere then."""
    subject, pattern = tree.arguments
    text = pattern.value if isinstance(pattern, ast.Literal) else None
    if not isinstance(text, str):
        return
    for shorter in (text.removeprefix("^"), text.removesuffix("$")):
        if shorter != text:
            changed = replace(tree, arguments=(subject, replace(pattern, value=shorter)))
            yield changed, f"'{text}' → '{shorter}'"
