"""What a part of an expression is looked at beside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import Enum
from typing import TYPE_CHECKING

from tfgate.query.shapes.facts import Facts, all_of, without
from tfgate.query.shapes.shape import Shape, union
from tfgate.query.tree import Tree
from tfgate.query.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Env:
    """What a part of an expression is looked at beside."""

    current: Shape
    facts: Facts = field(default_factory=dict)
    polarity: bool | None = None
    is_root: bool = False
    path: str | None = None
    """Where the current value stands, from the root: ``after.ports[]``."""

    root_facts: Facts = field(default_factory=dict)
    """What is known of the root, away from it."""

    bound: Mapping[str, Shape] = field(default_factory=dict)
    """Variables of the ``let`` around it."""

    def inside(
        self,
        current: Shape,
        path: str | None,
        facts: Facts | None = None,
        truth: bool | None = None,
    ) -> Env:
        """Return the surroundings of a part that sees another current value."""
        about_root = self.facts if self.is_root else self.root_facts
        everywhere = {path: fact for path, fact in self.facts.items() if path.startswith("$")}
        facts = {**everywhere, **(facts or {})}
        return Env(variant(current, facts), facts, truth, False, path, about_root, bound=self.bound)

    def at_root(self, root: Shape) -> Env:
        """Return the surroundings of what is read of the document, wherever it stands."""
        if self.is_root:
            return self
        current = variant(root, self.root_facts)
        return Env(current, self.root_facts, is_root=True, bound=self.bound)

    def plain(self) -> Env:
        """Return it for a part whose truth is not what counts."""
        return self if self.polarity is None else replace(self, polarity=None)


def within(env: Env, path: str) -> str:
    """Write a path from the current value as one from the root, as far as that is known."""
    if not env.path or path.startswith("$"):
        return path
    if path == "@":
        return env.path
    path = path.removeprefix("@.")
    return f"{env.path}{path}" if path.startswith("[") else f"{env.path}.{path}"


def with_bound(env: Env, bound: Mapping[str, Shape]) -> Env:
    """Return the surroundings in a ``let``: what was known of the names holds no longer."""
    return replace(env, bound={**env.bound, **bound}, facts=without(env.facts, bound))


def with_facts(env: Env, facts: Facts) -> Env:
    """Return the surroundings in which ``facts`` hold as well."""
    if not facts:
        return env
    current = variant(env.current, facts)
    return replace(env, current=current, facts=all_of([env.facts, facts]))


def variant(current: Shape, facts: Facts) -> Shape:
    """Return the narrower shape of an object of which ``facts`` are known."""
    if current.variants is None:
        return current
    for path, fact in facts.items():
        if fact.constants is not None and path.isidentifier():
            found = [current.variants(path, constant) for constant in fact.constants]
            if found and all(shape is not None for shape in found):
                return union(*(shape for shape in found if shape is not None))
    return current


def element_env(env: Env, base: Tree, current: Shape, facts: Facts, polarity: bool | None) -> Env:
    """Return the surroundings of a list's element."""
    text = within(env, unparse(base))
    return env.inside(current, f"{text.removesuffix('[]')}[]", facts, polarity)


# --- What the walk remarks on.


class RemarkKind(Enum):
    """Sorts of remarks."""

    UNKNOWN_FIELD = "unknown-field"
    """A field that the object never has: null always."""
    FIELD_OF_LIST = "field-of-list"
    """A field taken of a list: null always."""
    FIELD_OF_SCALAR = "field-of-scalar"
    """A field taken of a string, number or boolean: null always."""
    LIST_EXPECTED = "list-expected"
    """An index, filter, slice, ``[*]`` or ``[]`` on what is no list."""
    OBJECT_EXPECTED = "object-expected"
    """``.*`` on what is no object."""
    NEVER_EQUAL = "never-equal"
    """A comparison of values of types that have none in common."""
    NO_SUCH_WORD = "no-such-word"
    """A comparison with a constant that the other side never is."""
    NOT_ORDERED = "not-ordered"
    """An ordering comparison of what is neither a number nor a string: null always."""
    MIXED_ORDER = "mixed-order"
    """An ordering comparison of a number and a string, which fails."""
    TEXT_ORDER = "text-order"
    """An ordering comparison of strings, with one that is a number or a version."""
    NULL_RAISES = "null-raises"
    """An argument that may be null, to a function that then fails."""
    TYPE_RAISES = "type-raises"
    """An argument that is never of a type that the function takes."""
    BAD_PATTERN = "bad-pattern"
    """A constant that the function refuses."""


Place = tuple["int | None", str]
"""A part of an expression: its 0-based place in the text, where known, and what is there."""


@dataclass(frozen=True)
class Remark:
    """One remark on a part of an expression."""

    kind: RemarkKind
    part: Place
    """What it is about."""
    text: str
    """The same, written from the root where that is certain: ``after.ports[].from``."""
    shape: Shape
    """What was looked at: of `UNKNOWN_FIELD` the object, of `NULL_RAISES` the argument, …"""
    detail: str = ""
    """The field, the function, …"""
    other: Shape | None = None
    """The other side of a comparison."""
    parameter: str = ""
    """Of a function's argument: what it takes."""


@dataclass(frozen=True)
class Read:
    """One field that was read, with what stands there."""

    path: str
    """From the root, as far as that is certain: ``after.ports[].from``."""
    part: Place
    shape: Shape


@dataclass(frozen=True)
class Compared:
    """A comparison or a test for truth of one value, and what it does to the whole.

    ``polarity`` is True where its being true helps the expression to be truthy, False where it
    helps it to be falsy, None where both may be.
    """

    sign: str
    """``==``, ``<``, …, or ``in`` for an element that ``contains`` looks for."""
    position: int | None
    text: str
    path: str
    shape: Shape
    other: Shape
    polarity: bool | None
