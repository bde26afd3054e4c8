"""Random expressions and documents for the evaluator's property tests.

Everything is built from one function, ``pick``, that chooses an element of a sequence: Hypothesis
draws with it, and a plain random generator can as well, for long runs without shrinking.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from tfgate.query import UNKNOWN, Maybe, Unknown
from tfgate.query.values import NUMBER, kinds

T = TypeVar("T")
Pick = Callable[[Sequence[Any]], Any]

NAMES = ("a", "b", "c")
ATOMS: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    2,
    -1,
    1.0,
    1.5,
    "",
    "a",
    "b",
    "ab",
    "22",
    "true",
)
SMALL: tuple[Any, ...] = (
    *ATOMS,
    [],
    {},
    [None],
    [0],
    [False],
    ["a"],
    ["a", "b"],
    ["b", "a", "a"],
    [1, 2],
    [2, 1, 1.5],
    [[]],
    [[1], ["a"]],
    [["a", "b"], []],
    {"a": 1},
    {"a": None},
    {"a": "a", "b": ["a"]},
    {"a": [1, 2], "b": {"a": 1}, "c": "ab"},
    [{"a": 1}, {"a": 2}],
    [{"a": "a", "b": 1}, {"a": "b", "b": 2}],
    [{"a": 1}, {"a": "a"}],
    [{"a": []}, {}],
)
"""Values of every kind, on which functions, filters and comparisons come out differently."""

COMPARATORS = ("==", "!=", "<", "<=", ">", ">=")
SLICES = ("[:]", "[0:1]", "[1:]", "[:-1]", "[::-1]", "[::2]", "[-1:0:-1]", "[0:1:0]")

STANDARD_CALLS = (
    "abs(#n)",
    "avg(#N)",
    "ceil(#n)",
    "contains(#l, #x)",
    "contains(#l, #x)",
    "contains(#s, #s)",
    "ends_with(#s, #s)",
    "floor(#n)",
    "join(#s, #S)",
    "keys(#o)",
    "length(#l)",
    "length(#s)",
    "length(#o)",
    "map(&#x, #l)",
    "max(#N)",
    "max(#S)",
    "max_by(#l, &#x)",
    "merge(#o, #o)",
    "merge(#o, #o, #x)",
    "min(#N)",
    "min_by(#l, &#x)",
    "not_null(#x)",
    "not_null(#x, #x)",
    "reverse(#l)",
    "reverse(#s)",
    "sort(#N)",
    "sort(#S)",
    "sort(#l)",
    "sort_by(#l, &#x)",
    "starts_with(#s, #s)",
    "sum(#N)",
    "to_array(#x)",
    "to_number(#x)",
    "to_string(#x)",
    "type(#x)",
    "values(#o)",
    "length(#x)",
    "map(&#x, #x)",
    "not_null(&#x)",
)
"""Calls with holes: n number, s string, l list, o object, N and S lists of those, x anything."""

EXTRA_CALLS = (
    "any(#l)",
    "all(#l)",
    "none(#l)",
    "any(#l, &#x)",
    "all(#l, &#x)",
    "none(#l, &#x)",
    "unique(#l)",
    "count_by(#l, &#x)",
    "lower(#s)",
    "upper(#s)",
    "split(#s, #s)",
    "split(#s, #s, #n)",
    "find_first(#s, #s)",
    "find_last(#s, #s, #n, #n)",
    "pad_left(#s, #n)",
    "pad_right(#s, #n, '-')",
    "replace(#s, #s, #s)",
    "trim(#s)",
    "trim_left(#s, #s)",
    "trim_right(#s, #s)",
    "items(#o)",
    "items(#x)",
    "from_items(#l)",
    "from_items(items(#o))",
    "from_items(#f[*].[#s, #x])",
    "zip(#l, #l)",
    "zip(#f[?#x], #l)",
    "group_by(#l, &#s)",
    "group_by(#f[?#x], &#f)",
    "sum_by(#l, &#n)",
    "sum_by(#f[?#x], &#f)",
    "get(#o, #s)",
    "get(#x, #s, #x)",
    "matches(#s, '^a')",
    "glob(#s, 'a*')",
    "parse_json(#s)",
    "parse_json(to_string(#x))",
)

TYPED: dict[str, tuple[str, ...]] = {
    "n": ("#f", "#f", "`1`", "`0`", "`2`", "length(#l)", "sum(#N)", "#x"),
    "s": ("#f", "#f", "'a'", "''", "'ab'", "to_string(#x)", "type(#x)", "join('', #S)", "#x"),
    "l": ("#f", "#f", "#f[*]", "[#x, #x]", "#f[?#x]", "#f[]", "to_array(#x)", "#x[*].#f", "#x"),
    "o": ("#f", "#f", "@", "{a: #x}", "{a: #x, b: #x}", "merge(#o, #o)", "`{}`", "#x"),
    "N": ("#f", "[#n, #n]", "#f[*].#f", "[*].length(@)", "map(&length(@), #l)", "`[]`", "#x"),
    "S": ("#f", "[#s, #s]", "#f[*].#f", "keys(#o)", "map(&to_string(@), #l)", "`[]`", "#x"),
}

COMMUNITY = (
    "#b",
    "#b",
    "#b",
    "#v",
    "#v",
    "#v.#f",
    "#v[0]",
    "#v[*].#f",
    "#f[?#f #c #v]",
    "#f[?#x == #v].#f",
    "#f[*].[#v, #f]",
    "$.#f",
    "#f[?#f == $.#f]",
    "#x ? #x : #x",
    "#x ? #x : #x",
    "#f ? #n : #k",
    "#n + #n",
    "#n - #n",
    "#n * #n",
    "#n / #n",
    "#n // #n",
    "#n % #n",
    "-#n",
    "+#n",
    "#n * `1e308`",
    "length(#l) * #n + #n #c #n",
    "map(&[@, #v], #l)",
)
"""What JMESPath's community has added; b is a ``let``, v a variable in scope."""

ANYTHING = (
    "#f",
    "#f",
    "#f.#f",
    "#f.#f.#f",
    "@",
    "#k",
    "#k",
    "#x.#f",
    "#f[0]",
    "#f[-1]",
    "#x[1]",
    "#x[-2]",
    "#f#z",
    "#x#z.#f",
    "#f[*]",
    "#f[*].#f",
    "#x[*].#f",
    "#f[]",
    "#f[].#f",
    "#x[]",
    "*",
    "#f.*",
    "#f.*.#f",
    "#f[?#x]",
    "#f[?#x].#f",
    "#f[?#f #c #k]",
    "#f[?#f #c #k].#f",
    "#x[?#f #c #k && #x]",
    "[#x, #x]",
    "#f.[#x, #x]",
    "{a: #x, b: #x}",
    "#f.{a: #x}",
    "#x | #x",
    "#f | [0]",
    "#x && #x",
    "#x && #x && #x",
    "#x || #x",
    "#x || #x || #x",
    "!#f",
    "!(#x)",
    "(#x)",
    "#f #c #k",
    "#f #c #k",
    "#x #c #x",
    "#k #c #f",
    "#g",
    "#g",
    "#g",
    "#f.#g",
)


class Grammar:
    """Builds texts and values by ``pick``; ``extra`` adds the functions that are not standard."""

    def __init__(self, pick: Pick, *, extra: bool = False, community: bool = False) -> None:
        self.pick = pick
        self.anything = (*ANYTHING, *COMMUNITY) if community else ANYTHING
        self._scope: list[str] = []
        self.calls = STANDARD_CALLS + EXTRA_CALLS if extra else STANDARD_CALLS

    def expression(self, depth: int = 3) -> str:
        """Return a text that mostly is an expression: parentheses are left out now and then."""
        return self._fill(self.pick(self.anything), depth)

    def _fill(self, template: str, depth: int) -> str:
        parts = template.split("#")
        filled = [self._hole(part[0], depth - 1) + part[1:] for part in parts[1:]]
        return parts[0] + "".join(filled)

    def _hole(self, kind: str, depth: int) -> str:
        if kind == "f":
            return str(self.pick(NAMES))
        if kind == "c":
            return str(self.pick(COMPARATORS))
        if kind == "z":
            return str(self.pick(SLICES))
        if kind == "k":
            return self._literal()
        if kind == "g":
            return self._fill(self.pick(self.calls), depth)
        if kind == "v":
            return f"${self.pick(self._scope)}" if self._scope else "$"
        if depth <= 0:
            return str(self.pick((*NAMES, "@")))
        if kind == "b":
            return self._let(depth)
        inside = self._fill(self.pick(self.anything if kind == "x" else TYPED[kind]), depth)
        bare = _stands_alone(inside) or self.pick((False, False, True))
        return inside if bare else f"({inside})"

    def _let(self, depth: int) -> str:
        name = self.pick(("x", "y"))
        bound = self._hole("x", depth)
        self._scope.append(name)
        body = self._hole(self.pick(("x", "x", "v")), depth)
        self._scope.pop()
        return f"(let ${name} = {bound} in {body})"

    def _literal(self) -> str:
        return "`" + json.dumps(self.pick(SMALL)) + "`"

    def document(self, depth: int = 3, *, unknowns: bool = False) -> Any:
        """Return a JSON value, with `UNKNOWN` here and there if asked for."""
        shape = self.pick(("atom", "small", "list", "object", "object", "unknown"))
        if shape == "unknown" and unknowns:
            return UNKNOWN
        if shape == "atom" or depth <= 0:
            return self.pick(ATOMS)
        if shape in ("small", "unknown"):
            return self.pick(SMALL)
        if shape == "list":
            return [
                self.document(depth - 1, unknowns=unknowns) for _ in range(self.pick((0, 1, 2, 3)))
            ]
        return {name: self.document(depth - 1, unknowns=unknowns) for name in self._some_names()}

    def root(self, *, unknowns: bool = False) -> Any:
        """Return a document as expressions meet it: mostly an object with all names."""
        if self.pick((False,) * 9 + (True,)):
            return self.document(unknowns=unknowns)
        return {name: self.document(unknowns=unknowns) for name in NAMES}

    def _some_names(self) -> tuple[str, ...]:
        chosen = self.pick(((), ("a",), ("b",), ("a", "b"), ("a", "b", "c"), ("c", "a")))
        return tuple(chosen)

    def complete(self, document: Any, pool: Sequence[Any]) -> Any:
        """Put values in place of the unknowns: of the pool, or made up like a document."""
        if type(document) is Unknown:
            return self.root() if self.pick((False, False, True)) else self.pick(pool)
        if type(document) is list:
            return [self.complete(element, pool) for element in document]
        if type(document) is dict:
            return {key: self.complete(part, pool) for key, part in document.items()}
        return document


def _stands_alone(text: str) -> bool:
    return (
        text.removeprefix("$").isidentifier()
        or text in ("@", "$")
        or (text[0] == "`" and text.count("`") == 2)
    )


def parts_of(value: Any) -> list[Any]:
    """Return the known values at any depth: what an unknown may well turn out to equal."""
    found = [] if type(value) is Unknown else [value]
    if type(value) is list:
        found += [part for element in value for part in parts_of(element)]
    if type(value) is dict:
        found += [part for element in value.values() for part in parts_of(element)]
    return [part for part in found if not contains_unknown(part)]


def contains_unknown(value: Any) -> bool:
    """Whether something in the value is unknown or may be absent."""
    if type(value) is list:
        return any(map(contains_unknown, value))
    if type(value) is dict:
        return any(map(contains_unknown, value.values()))
    return type(value) in (Unknown, Maybe)


def identical(left: Any, right: Any) -> bool:
    """Whether two values are the same, types included: 1 and true differ, and 1 and 1.0."""
    if type(left) is not type(right):
        return False
    if type(left) is list:
        return len(left) == len(right) and all(map(identical, left, right))
    if type(left) is dict:
        return list(left) == list(right) and all(identical(left[key], right[key]) for key in left)
    return bool(left == right or left != left)


def stands_for(abstract: Any, concrete: Any) -> bool:
    """Whether ``concrete`` is one of the values that ``abstract`` stands for."""
    if type(abstract) is Unknown:
        within = abstract.mask != NUMBER or abstract.low <= concrete <= abstract.high
        return bool(kinds(concrete) & abstract.mask) and within
    if type(abstract) is list:
        return type(concrete) is list and _list_stands_for(abstract, concrete)
    if type(abstract) is dict:
        return (
            type(concrete) is dict
            and list(abstract) == list(concrete)
            and all(stands_for(abstract[key], concrete[key]) for key in abstract)
        )
    return identical(abstract, concrete)


def _list_stands_for(abstract: list[Any], concrete: list[Any]) -> bool:
    reached = {0}
    for element in abstract:
        if type(element) is not Maybe:
            reached = {i + 1 for i in reached if _fits(element, concrete, i)}
            continue
        step = {i + 1 for i in reached if _fits(element.value, concrete, i)}
        while element.many and step - reached:
            reached |= step
            step = {i + 1 for i in reached if _fits(element.value, concrete, i)}
        reached |= step
    return len(concrete) in reached


def _fits(abstract: Any, concrete: list[Any], position: int) -> bool:
    return position < len(concrete) and stands_for(abstract, concrete[position])


def literals_of(text: str) -> list[Any]:
    """Return the values of the backquoted literals in a generated expression."""
    return [json.loads(part) for i, part in enumerate(text.split("`")) if i % 2]
