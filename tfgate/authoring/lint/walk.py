"""Walk a rule's expressions, once for each document that it may see, with shapes for values."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from tfgate.authoring.lint.findings import did_you_mean
from tfgate.authoring.lint.shapes import Root, change_shape, generic_change, linked
from tfgate.model.rule import Scope
from tfgate.query import Expression, FunctionTable
from tfgate.query.shapes import Facts, Inference, infer
from tfgate.query.shapes.shape import (
    ANY,
    Shape,
    list_of,
    union,
)
from tfgate.query.values import LISTS
from tfgate.ruleset.given import Given
from tfgate.ruleset.problems import nearest
from tfgate.ruleset.template import ITEM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.ruleset import CompiledRule, Ruleset
    from tfgate.ruleset.template import Placeholder
    from tfgate.schema import Catalog


_MOST_TYPES = 20
_ARGUMENTS = ("changed", "configured", "left_to_provider", "references")


class Complaint(NamedTuple):
    """What is wrong with a name given to a function."""

    check: str
    message: str


class RuleNames(Given):
    """Names of one rule, for one document that it may see."""

    def __init__(
        self, let: Mapping[str, Expression], ruleset: Ruleset, catalog: Catalog, root: Root
    ) -> None:
        super().__init__(let, ruleset.params, ruleset.context, ruleset.data)
        self._catalog, self._root = catalog, root
        self.called: set[tuple[str, str]] = set()
        """Functions that were reached, with their argument."""
        self.complaints: dict[tuple[str, str], Complaint] = {}

    def call(self, name: str, arguments: tuple[Any, ...]) -> Shape | None:
        """Return what a function gives, and take note of an argument that names nothing."""
        argument = arguments[0] if arguments and isinstance(arguments[0], str) else None
        if argument is None:
            return None
        self.called.add((name, argument))
        if name == "referenced_by":
            return self._referenced_by(argument)
        if name in _ARGUMENTS and len(arguments) == 1:
            self._check_argument(name, argument)
        return list_of(linked(generic_change(self._catalog))) if name == "references" else None

    def _referenced_by(self, glob: str) -> Shape:
        types = self._catalog.matching((glob,))
        if not types:
            near = self._catalog.nearest(glob)
            if near is not None or self._catalog.index_of(glob) is not None:
                message = f"the provider has no type {glob}{did_you_mean(near)}"
                self._complain("unknown-type", "referenced_by", glob, message)
        if not 0 < len(types) <= _MOST_TYPES:
            return list_of(linked(generic_change(self._catalog)))
        return list_of(
            union(
                *(
                    linked(change_shape(None, Scope.RESOURCE, t, self._catalog.get(t)))
                    for t in types
                )
            )
        )

    def _check_argument(self, function: str, path: str) -> None:
        block = self._root.block
        if block is None:
            return
        for step in path.split("."):
            if step.isdecimal():
                continue
            if step not in block.names:
                message = f"{function}() names {path}, and {self._root.type} has no {step} there"
                self._complain(
                    "unknown-attribute",
                    function,
                    path,
                    message + did_you_mean(nearest(step, block.names)),
                )
                return
            nested = block.blocks.get(step)
            if nested is None:
                return
            block = nested.block

    def _complain(self, check: str, function: str, argument: str, message: str) -> None:
        self.complaints[function, argument] = Complaint(check, message)


@dataclass
class Run:
    """What one document makes of a rule."""

    root: Root
    names: RuleNames
    found: list[tuple[str, Inference]] = field(default_factory=list)
    """Key (``deny``, ``when``, ``let.x``) and what walking it found; a ``let`` value may be walked
    several times."""
    message: list[tuple[str, Placeholder, Inference]] = field(default_factory=list)
    """The same of each placeholder, with ``message`` or ``remediation``."""
    selected: bool = True
    """Whether the rule's ``when`` may hold."""
    fails: bool | None = None
    """Whether the rule fails always, never, or on some documents."""


def walk_rule(
    ruleset: Ruleset, rule: CompiledRule, root: Root, catalog: Catalog, table: FunctionTable
) -> Run:
    """Walk a rule's expressions over one document."""
    names = RuleNames({**rule.shared, **rule.let}, ruleset, catalog, root)
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
    """Walk the placeholders of message and remediation, which see the element of the list too."""
    shape = replace(run.root.shape, fields={**(run.root.shape.fields or {}), ITEM: item})
    for key, template in (("message", rule.message), ("remediation", rule.remediation)):
        for part in template.placeholders if template is not None else ():
            found = infer(part.expression, shape, names=run.names, table=table, facts=facts)
            run.message.append((key, part, found))
