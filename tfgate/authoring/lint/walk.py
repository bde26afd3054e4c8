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
    BOOLEAN,
    NUMBERS,
    TEXT,
    Shape,
    list_of,
    object_of,
    of_value,
    union,
)
from tfgate.query.values import EMPTY_LIST, EMPTY_OBJECT, LISTS, OBJECTS, STRINGS
from tfgate.ruleset.facts import known_facts
from tfgate.ruleset.problems import nearest
from tfgate.ruleset.template import ITEM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.ruleset import CompiledRule, Ruleset
    from tfgate.ruleset.params import ParamSpec, ParamType
    from tfgate.ruleset.template import Placeholder
    from tfgate.schema import Catalog


_MOST_TYPES = 20
_MAY_BE_NULL = ("vcs_branch",)
_ARGUMENTS = ("changed", "configured", "left_to_provider", "references")
_PLAIN = {"string": TEXT, "number": NUMBERS, "bool": BOOLEAN}


class Complaint(NamedTuple):
    """What is wrong with a name given to a function."""

    check: str
    message: str


class RuleNames:
    """Names of one rule, for one document that it may see."""

    def __init__(
        self, let: Mapping[str, Expression], ruleset: Ruleset, catalog: Catalog, root: Root
    ) -> None:
        self._let, self._params, self._data = let, ruleset.params, ruleset.data
        self._context = known_facts(ruleset.context)
        self._catalog, self._root = catalog, root
        self.called: set[tuple[str, str]] = set()
        """Functions that were reached, with their argument."""
        self.complaints: dict[tuple[str, str], Complaint] = {}

    def variable(self, name: str) -> Expression | None:
        """Return the expression of a ``let`` value."""
        return self._let.get(name)

    def given(self, name: str) -> Shape | None:
        """Return what ``$params``, ``$data`` and ``$context`` are."""
        if name == "params":
            return object_of({param: _declared(spec) for param, spec in self._params.items()})
        if name == "context":
            return object_of({fact: _declared(spec) for fact, spec in self._context.items()})
        if name == "data":
            return object_of({held: self._held(held) for held in self._data})
        return None

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

    def _held(self, name: str) -> Shape:
        held = self._data.get(name)
        return ANY if held is None else loosened(of_value(held.value))

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


def _declared(spec: ParamSpec) -> Shape:
    shape = _typed(spec.type, spec.default)
    is_given = spec.default is not None or (spec.required and spec.name not in _MAY_BE_NULL)
    return shape if is_given else shape.or_null()


def _typed(kind: ParamType, default: Any) -> Shape:
    if kind.item is None:
        shape = _PLAIN.get(kind.name, ANY)
        return replace(shape, samples=frozenset({default})) if isinstance(default, str) else shape
    if kind.name == "map":
        return object_of({}, _typed(kind.item, None).or_null())
    samples = default if isinstance(default, list) else []
    element = _typed(kind.item, None)
    if samples and all(isinstance(sample, str) for sample in samples):
        element = replace(element, samples=frozenset(samples))
    return list_of(element)


def loosened(shape: Shape) -> Shape:
    """Keep the structure of a value, and forget the values: another file may stand in for it."""
    mask = shape.mask
    for kinds in (LISTS, OBJECTS, STRINGS):
        mask |= kinds if mask & kinds else 0
    if mask & (EMPTY_LIST | EMPTY_OBJECT) and shape.fields is None and shape.element is None:
        return Shape(mask)
    element = shape.element
    fields = shape.fields
    loose = None if fields is None else {name: loosened(part) for name, part in fields.items()}
    element = None if element is None or not element.mask else loosened(element)
    return replace(shape, mask=mask, constants=None, least=0, fields=loose, element=element)


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
