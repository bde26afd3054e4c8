"""What a part of an expression is looked at beside."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tfgate.query.shapes.facts import Facts, all_of
from tfgate.query.shapes.shape import Shape, union
from tfgate.query.unparse import unparse

if TYPE_CHECKING:
    from tfgate.query.nodes.node import Ast


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

    def inside(
        self,
        current: Shape,
        path: str | None,
        facts: Facts | None = None,
        truth: bool | None = None,
    ) -> Env:
        """Give the surroundings of a part that sees another current value."""
        about_root = self.facts if self.is_root else self.root_facts
        facts = facts or {}
        return Env(variant(current, facts), facts, truth, path=path, root_facts=about_root)

    def plain(self) -> Env:
        """Give it for a part whose truth is not what counts."""
        return self if self.polarity is None else replace(self, polarity=None)


def within(env: Env, path: str) -> str:
    """Write a path from the current value as one from the root, as far as that is known."""
    if not env.path:
        return path
    if path == "@":
        return env.path
    path = path.removeprefix("@.")
    return f"{env.path}{path}" if path.startswith("[") else f"{env.path}.{path}"


def with_facts(env: Env, facts: Facts) -> Env:
    """Give the surroundings in which ``facts`` hold as well."""
    if not facts:
        return env
    current = variant(env.current, facts)
    return replace(env, current=current, facts=all_of([env.facts, facts]))


def literal_name(ast: Ast, function: str) -> str | None:
    """Give the name that a call of ``function`` has as its literal argument."""
    if ast["type"] != "function_expression" or ast["value"] != function:
        return None
    arguments = ast["children"]
    if len(arguments) == 1 and arguments[0]["type"] == "literal":
        name = arguments[0]["value"]
        return name if isinstance(name, str) else None
    return None


def variant(current: Shape, facts: Facts) -> Shape:
    """Give the narrower shape of an object of which ``facts`` are known."""
    if current.variants is None:
        return current
    for path, fact in facts.items():
        if fact.constants is not None and path.isidentifier():
            found = [current.variants(path, constant) for constant in fact.constants]
            if found and all(shape is not None for shape in found):
                return union(*(shape for shape in found if shape is not None))
    return current


def element_env(env: Env, base: Ast, current: Shape, facts: Facts, polarity: bool | None) -> Env:
    """Give the surroundings of a list's element."""
    text = within(env, unparse(base))
    return env.inside(current, f"{text.removesuffix('[]')}[]", facts, polarity)
