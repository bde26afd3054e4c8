"""Small changes to an expression that its examples should notice (mutation testing).

Each change is made on the tree and written out again: what comes out parses. Whether it compiles
(a literal may be the name of a parameter) is for the caller to see.
"""

from __future__ import annotations

from functools import partial
from math import gcd
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.query.parsing import flattened, parse
from tfgate.query.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tfgate.query.nodes.node import Ast

    Change = tuple[Ast, str]
    """A changed node, and what was changed."""
    Later = tuple[Callable[[], Ast], str]
    """What makes a changed tree, and what was changed."""

_OTHER_CHAIN: Final = {"and_expression": "or_expression", "or_expression": "and_expression"}
_SWAPPED: Final = {"and_expression": "&& → ||", "or_expression": "|| → &&"}
_COMPARATORS: Final = {
    "eq": ("ne",),
    "ne": ("eq",),
    "lt": ("lte", "gte"),
    "lte": ("lt", "gt"),
    "gt": ("gte", "lte"),
    "gte": ("gt", "lt"),
}
"""For the orderings: the one that differs at the boundary, and the opposite."""
_FUNCTIONS: Final = {"any": "all", "all": "any", "none": "any", "min": "max", "max": "min"}
_NAMES: Final = frozenset({"param", "var", "data"})
"""Functions whose literal is a declared name: the loader sees a wrong one."""
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
        self._tree = parse(text).tree
        self._later = [*_whole(self._tree), *_changes(self._tree)]

    @property
    def count(self) -> int:
        """How many changes there are; two of them may come to the same text."""
        return len(self._later)

    def __iter__(self) -> Iterator[Mutant]:
        """Give all of them."""
        return self.some(self.count)

    def some(self, most: int) -> Iterator[Mutant]:
        """Give at most ``most`` of them, from all over the expression, the same each time."""
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
    """Give ``most`` of ``count`` numbers, in order and from everywhere.

    At equal distances they might all be the same change of one part after another; at multiples of
    the golden section they are not.
    """
    if most >= count:
        return range(count)
    step = next(step for step in range(int(count * 0.618) + 1, 2 * count) if gcd(step, count) == 1)
    return sorted(number * step % count for number in range(most))


def _whole(tree: Ast) -> Iterator[Later]:
    if not _has_opposite(tree):
        yield partial(_negated, tree), "negate the whole"


def _changes(node: Ast) -> Iterator[Later]:
    """Give the tree below ``node`` with one change in it, for each change that there is."""
    kind = node["type"]
    if kind in _OTHER_CHAIN:
        yield from _chain_changes(node)
        return
    own = _OWN.get(kind)
    if own is not None:
        for changed, label in own(node):
            yield partial(_itself, changed), label
    skipped = kind == "function_expression" and node["value"] in _NAMES
    if kind == "slice" or skipped:
        return
    for position, child in enumerate(node["children"]):
        for make, label in _changes(child):
            yield partial(_with_child, node, position, make), label


def _itself(node: Ast) -> Ast:
    return node


def _with_child(node: Ast, position: int, make: Callable[[], Ast]) -> Ast:
    parts = list(node["children"])
    parts[position] = make()
    return {**node, "children": parts}


def _chain_changes(node: Ast) -> Iterator[Later]:
    kind, parts = node["type"], flattened(node)
    yield partial(_chain, _OTHER_CHAIN[kind], parts), _SWAPPED[kind]
    for position, part in enumerate(parts):
        written = unparse(part)
        yield partial(_without, kind, parts, position), f"drop {written}"
        for make, label in _changes(part):
            yield partial(_with_part, kind, parts, position, make), label
        if not _has_opposite(part) and part["type"] != "literal":
            negated = partial(_negated, part)
            yield partial(_with_part, kind, parts, position, negated), f"negate {written}"


def _without(kind: str, parts: Sequence[Ast], position: int) -> Ast:
    return _chain(kind, [*parts[:position], *parts[position + 1 :]])


def _with_part(kind: str, parts: Sequence[Ast], position: int, make: Callable[[], Ast]) -> Ast:
    return _chain(kind, [*parts[:position], make(), *parts[position + 1 :]])


def _chain(kind: str, parts: Sequence[Ast]) -> Ast:
    first, *rest = parts
    for part in rest:
        first = {"type": kind, "children": [first, part]}
    return first


def _negated(node: Ast) -> Ast:
    return {"type": "not_expression", "children": [node]}


def _has_opposite(node: Ast) -> bool:
    """Whether another change is the negation already."""
    if node["type"] == "comparator":
        return node["value"] in ("eq", "ne")
    return bool(node["type"] == "not_expression")


def _not(node: Ast) -> Iterator[Change]:
    inner = node["children"][0]
    yield inner, f"{unparse(node)} → {unparse(inner)}"


def _comparator(node: Ast) -> Iterator[Change]:
    for sign in _COMPARATORS[node["value"]]:
        changed = {**node, "value": sign}
        yield changed, f"{unparse(node)} → {unparse(changed)}"


def _field(node: Ast) -> Iterator[Change]:
    if node["value"] not in _NO_FIELDS:
        changed = {**node, "value": f"{node['value']}_x"}
        yield changed, f"{unparse(node)} → {unparse(changed)}"


def _index(node: Ast) -> Iterator[Change]:
    changed = {**node, "value": node["value"] + 1}
    yield changed, f"{unparse(node)} → {unparse(changed)}"


def _literal(node: Ast) -> Iterator[Change]:
    for value in _other_values(node["value"]):
        changed = {**node, "value": value}
        yield changed, f"{unparse(node)} → {unparse(changed)}"


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


def _filter(node: Ast) -> Iterator[Change]:
    base, body, condition = node["children"]
    dropped = {"type": "projection", "children": [base, body]}
    yield dropped, f"drop the filter [?{unparse(condition)}]"
    if not _has_opposite(condition) and condition["type"] != "literal":
        negated = {**node, "children": [base, body, _negated(condition)]}
        yield negated, f"negate {unparse(condition)}"


def _function(node: Ast) -> Iterator[Change]:
    name = node["value"]
    if name in _FUNCTIONS:
        changed = {**node, "value": _FUNCTIONS[name]}
        yield changed, f"{unparse(node)} → {unparse(changed)}"
    if name == "matches" and len(node["children"]) == 2:
        yield from _anchors(node)


def _anchors(node: Ast) -> Iterator[Change]:
    """Take the ends off a regular expression: what it finds may stand anywhere then."""
    subject, pattern = node["children"]
    text = pattern.get("value") if pattern["type"] == "literal" else None
    if not isinstance(text, str):
        return
    for shorter in (text.removeprefix("^"), text.removesuffix("$")):
        if shorter != text:
            changed = {**node, "children": [subject, {**pattern, "value": shorter}]}
            yield changed, f"'{text}' → '{shorter}'"


_OWN: Final[dict[str, Any]] = {
    "not_expression": _not,
    "comparator": _comparator,
    "field": _field,
    "index": _index,
    "literal": _literal,
    "filter_projection": _filter,
    "function_expression": _function,
}
