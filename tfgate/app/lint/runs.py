"""Walks a rule's expressions once for each document that the rule may see."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tfgate.app.lint.names import RuleNames
from tfgate.query import compile as compile_expression
from tfgate.query.shapes import infer
from tfgate.query.shapes.shape import ANY, Shape
from tfgate.query.values import LISTS
from tfgate.ruleset.template import ITEM

if TYPE_CHECKING:
    from tfgate.app.lint.roots import Root
    from tfgate.query import Expression, FunctionTable
    from tfgate.query.shapes import Facts, Inference
    from tfgate.ruleset import CompiledRule, Ruleset
    from tfgate.schema import Catalog

Placeholder = tuple["str | int", ...]


@dataclass
class Run:
    """What one document makes of a rule."""

    root: Root
    names: RuleNames
    found: list[tuple[str, Inference]] = field(default_factory=list)
    """Key (``deny``, ``when``, ``let.x``) and what walking it found; a ``let`` value may be walked
    several times."""
    message: list[tuple[Placeholder, Inference]] = field(default_factory=list)
    selected: bool = True
    """Whether the rule's ``when`` may hold."""
    fails: bool | None = None
    """Whether the rule fails always, never, or on some documents."""


def walk_rule(
    ruleset: Ruleset, rule: CompiledRule, root: Root, catalog: Catalog, table: FunctionTable
) -> Run:
    """Walk a rule's expressions over one document."""
    names = RuleNames(rule.let, ruleset.params, ruleset.data, catalog, root)
    run = Run(root, names)
    facts = _walk_when(rule, run, table)
    if not run.selected:
        return run
    key, expression = ("deny", rule.deny) if rule.deny is not None else ("require", rule.require)
    if expression is None:
        _walk_message(rule, run, facts, ANY, table)
        return run
    found = infer(expression, root.shape, names=names, table=table, facts=facts)
    _keep(run, key, found)
    truth = found.shape.truth
    run.fails = truth if truth is None or key == "deny" else not truth
    broken = {**facts}
    for path, fact in found.facts(key == "deny").items():
        broken[path] = broken[path].both(fact) if path in broken else fact
    item = found.shape.element if key == "deny" and found.shape.mask & LISTS else None
    _walk_message(rule, run, broken, item or ANY, table)
    return run


def _walk_when(rule: CompiledRule, run: Run, table: FunctionTable) -> Facts:
    if rule.when is None:
        return {}
    found = infer(rule.when, run.root.shape, names=run.names, table=table, polarity=None)
    _keep(run, "when", found)
    run.selected = found.shape.truth is not False
    return found.facts(True)


def _keep(run: Run, key: str, found: Inference) -> None:
    run.found.append((key, found))
    run.found += [(f"let.{name}", inner) for name, inner in found.variables]


def _walk_message(
    rule: CompiledRule, run: Run, facts: Facts, item: Shape, table: FunctionTable
) -> None:
    for part in rule.message.parts:
        if isinstance(part, str):
            continue
        expression = placeholder_expression(part)
        if expression is None:
            continue
        of_item = part[0] == ITEM
        shape = item if of_item else run.root.shape
        found = infer(expression, shape, table=table, facts={} if of_item else facts)
        run.message.append((part, found))


def placeholder_expression(path: Placeholder) -> Expression | None:
    """Write a placeholder's path as an expression; ``None`` for the whole item."""
    text = "@" if path[0] == ITEM else ""
    for step in path[1:] if path[0] == ITEM else path:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if step.isidentifier() and step.isascii() else json.dumps(step)
            text += f".{name}" if text else name
    return None if text == "@" else compile_expression(text)
