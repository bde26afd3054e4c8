"""``references``, ``referenced_by`` and ``configured`` as rules call them, on any subject."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.plan import values
from tfgate.plan.arguments import (
    Found,
    expressions_in,
    find,
    is_expression,
    may_be_blocks,
    shows_attribute,
)
from tfgate.plan.change import Change
from tfgate.plan.configuration import configuration_address, without_keys
from tfgate.plan.configured import ModuleCall, ProviderConfig
from tfgate.plan.other_changes import OutputChange
from tfgate.plan.pointing import Place as Standing
from tfgate.plan.reads import EVERYTHING, Reads
from tfgate.plan.references import always_has, keys, texts
from tfgate.plan.referrers import GONE, Blocks, Referrers
from tfgate.plan.resolver import NOTHING, Place
from tfgate.query.values import UNKNOWN, Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.arguments import Path
    from tfgate.plan.plan import Plan
    from tfgate.plan.referrers import BlockView
    from tfgate.plan.resolver import Targets
    from tfgate.plan.subjects import Subject

_META: Final = {
    "count": "count_expression",
    "for_each": "for_each_expression",
    "depends_on": "depends_on",
    "provisioner": "provisioners",
    "provider": "provider_config_key",
}
"""Meta-arguments and where a block has them."""
_HIDDEN_META: Final = frozenset({"lifecycle", "connection"})
"""Blocks of a resource that plan JSON does not have."""


EVERYTHING_AFTER: Final = Reads.of([("after",)])


class Joins:
    """The three functions on one plan; see the methods of `tfgate.plan.Plan` for what they give."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._attributes: dict[tuple[str, str], bool] = {}
        self._documents: dict[tuple[int, bool], dict[str, Any]] = {}

    @cached_property
    def _blocks(self) -> Blocks:
        return Blocks(self._plan.configuration)

    @cached_property
    def _referrers(self) -> Referrers:
        return Referrers(self._plan, self._blocks)

    def references(self, subject: Subject, argument: str | None) -> Any:
        """See `Plan.references`."""
        path = _path(argument)
        if isinstance(subject, Change):
            pointed = self._of_change(subject, path)
        else:
            placed = _placed(subject)
            if placed is None:
                return UNKNOWN
            pointed = self._of_block(placed, path)
        maybe = pointed.maybe - pointed.sure
        return _with_doubt(sorted(pointed.sure), sorted(maybe), blind=pointed.blind)

    def referenced_by(self, subject: Subject, pattern: str, *, redacted: bool) -> Any:
        """See `Plan.referenced_by`."""
        if not isinstance(subject, Change):
            return UNKNOWN
        if not self._plan.configuration.present:
            return _with_doubt([], [], blind=True)
        found = self._referrers.of(subject, pattern)
        sure, maybe = (
            [
                self._document(change, redacted)
                for change in sorted(changes, key=lambda change: change.position)
            ]
            for changes in (found.sure, found.maybe)
        )
        return _with_doubt(sure, maybe, blind=found.blind)

    def configured(self, subject: Subject, argument: str) -> Any:
        """See `Plan.configured`."""
        path = _path(argument)
        if not isinstance(subject, Change):
            placed = _placed(subject)
            return UNKNOWN if placed is None else find(placed[0], path, None).is_set
        view = self._blocks.get(configuration_address(subject))
        if view is None:
            return False if self._has_no_block(subject) else UNKNOWN
        if len(path) == 1 and path[0] in _META:
            return bool(view.part(_META[path[0]]))
        found = self._find(subject, view, path)
        if found.is_set:
            return True
        return UNKNOWN if found.hidden or not _HIDDEN_META.isdisjoint(path[:1]) else False

    def _of_block(self, placed: Placed, path: Path) -> Referred:
        """Return what the argument of a block that is no resource refers to."""
        parts = find(placed.expressions, path, None).parts
        pointing = self._blocks.pointing
        if pointing is not None and placed.at is not None and len(parts) == len(path) == 1:
            pointed = pointing.at(placed.at, path, parts[0])
            if pointed is not None and always_has(pointed.kind, pointed.attribute):
                return Referred({without_keys(pointed.address)}, set())
        targets = self._blocks.resolver.resolve(parts, placed.place)
        return Referred(set(), targets.addresses, blind=targets.lossy)

    def _of_change(self, change: Change, path: Path) -> Referred:
        """Return what the argument at ``path`` (all arguments, if empty) refers to."""
        view = self._blocks.get(configuration_address(change))
        if view is None:
            return Referred(set(), set(), blind=not self._has_no_block(change))
        if path:
            return self._of_argument(change, view, path)
        resolve, place = self._blocks.resolver.resolve, view.place
        expressions = view.expressions if type(view.expressions) is dict else {}
        whole = Referred(resolve({"references": view.part("depends_on")}, place).addresses, set())
        for name in expressions:
            whole = whole.with_(self._of_argument(change, view, (name,)))
        for name in ("count_expression", "for_each_expression", "provisioners"):
            targets = resolve(view.part(name), place)
            whole = whole.with_(Referred(set(), targets.addresses, blind=targets.lossy))
        return whole._replace(blind=whole.blind or self._hides_any(change, view, expressions))

    def _hides_any(self, change: Change, view: BlockView, expressions: dict[str, Any]) -> bool:
        """Whether a dynamic block may have made any argument that the block does not show."""
        dynamic = self._blocks.dynamic(view)
        if dynamic is not None:
            return bool(dynamic)
        after = values.after(change, EVERYTHING_AFTER)
        return type(after) is not dict or any(
            may_be_blocks(name, value) for name, value in after.items() if name not in expressions
        )

    def _of_argument(self, change: Change, view: BlockView, path: Path) -> Referred:
        found = self._find(change, view, path)
        whole = Referred(set(), set(), blind=found.hidden)
        for part in found.parts:
            for at, leaf, once in expressions_in(part, path):
                targets = self._blocks.resolver.resolve(leaf, view.place)
                if targets is not NOTHING:
                    alone = once and len(found.parts) == 1
                    whole = whole.with_(self._of_leaf(change, at, leaf if alone else None, targets))
        return whole

    def _of_leaf(self, change: Change, path: Path, leaf: Any, targets: Targets) -> Referred:
        """Return what one expression refers to; ``leaf`` is None where others stand there."""
        pointing = self._blocks.pointing
        pointed = pointing and pointing.of(change, path, leaf)
        if pointed and always_has(pointed.kind, pointed.attribute):
            return Referred({without_keys(pointed.address)}, set())
        held = values_at(values.after(change, Reads.of([("after", *path)])), path)
        written = {text for value in held for text in texts(value)}
        if None in written or not held:
            return Referred(set(), targets.addresses, blind=targets.lossy)
        return self._named(targets, written, written | {key for one in held for key in keys(one)})

    def _named(self, targets: Targets, written: set[str | None], held: set[str | None]) -> Referred:
        """Return those of the targets that a known value names, and may name.

        A text in it, one of ``written``, names what has that name; ``held`` are its texts and the
        keys of its maps, which may.
        """
        sure: set[str] = set()
        maybe: set[str] = set()
        for address in targets.addresses:
            instances = self._referrers.instances.get(address, ())
            names = [self._referrers.names(instance) for instance in instances]
            if any(not written.isdisjoint(one.known) for one in names):
                sure.add(address)
            elif held and (not names or any(one.open or one.within(held) for one in names)):
                maybe.add(address)
        return Referred(sure, maybe, blind=targets.lossy and bool(held))

    def _has_no_block(self, change: Change) -> bool:
        """Whether a change without a block certainly has none: its resource is to go."""
        return self._plan.configuration.present and change.action in GONE

    def _find(self, change: Change, view: BlockView, path: Sequence[str]) -> Found:
        expressions = view.expressions
        if path and type(expressions) is dict and is_expression(expressions.get(path[0])):
            return Found([expressions[path[0]]], hidden=False)
        held = values.after(change, Reads.of([("after", *path[:1])]))
        found = find(expressions, path, held)
        dynamic = self._blocks.dynamic(view)
        if dynamic is not None:
            return Found(found.parts, (not path and bool(dynamic)) or any(map(dynamic.get, path)))
        if found.hidden and len(path) == 1 and self._is_attribute(change.type, path[0]):
            return Found(found.parts, hidden=_holds_objects(held, path[0]))
        return found

    def _is_attribute(self, kind: str, name: str) -> bool:
        """Whether any resource of the type shows that ``name`` is an attribute and no block."""
        key = (kind, name)
        if key not in self._attributes:
            self._attributes[key] = self._shows_attribute(kind, name)
        return self._attributes[key]

    def _shows_attribute(self, kind: str, name: str) -> bool:
        for view in self._blocks.of_type(kind):
            expressions = view.expressions
            if type(expressions) is dict and name in expressions:
                return is_expression(expressions[name])
        reads = Reads.of([("before", name), ("after", name)])
        for change in self._plan.changes:
            if change.type == kind:
                for side in change.document(reads).values():
                    if type(side) is dict and shows_attribute(side.get(name)):
                        return True
        return False

    def _document(self, change: Change, redacted: bool) -> dict[str, Any]:
        key = (change.position, redacted)
        if key not in self._documents:
            make = change.redacted if redacted else change.document
            self._documents[key] = make(EVERYTHING)
        return self._documents[key]


class Referred(NamedTuple):
    """Configuration addresses that something refers to, and may refer to."""

    sure: set[str]
    maybe: set[str]
    blind: bool = False
    """Whether there may be others."""

    def with_(self, other: Referred) -> Referred:
        """Put two answers together."""
        return Referred(self.sure | other.sure, self.maybe | other.maybe, self.blind or other.blind)


class Placed(NamedTuple):
    """The expressions of a subject that is no resource, and what their names mean."""

    expressions: Any
    place: Place
    at: Standing | None = None
    """Where they stand, for one that is there once."""


def _holds_objects(held: Any, name: str) -> bool:
    """Whether the value is a list of objects: as an attribute it can be written as blocks.

    A ``dynamic`` block can have made it then. What is unknown as a whole is the provider's:
    Terraform plans an element for a block of such an attribute.
    """
    value = held.get(name) if type(held) is dict else None
    return type(value) is list and any(type(one) is dict or type(one) is Maybe for one in value)


def _placed(subject: Subject) -> Placed | None:
    prefix = f"{subject.module_address}." if subject.module_address else ""
    if isinstance(subject, OutputChange):
        expressions = {"value": (subject.config() or {}).get("expression")}
        return Placed(expressions, Place(prefix), Standing((), f"output.{subject.name}"))
    if isinstance(subject, ModuleCall):
        call = subject.call
        place = Place(prefix, call.for_each_expression)
        repeated = prefix or call.for_each_expression or call.count_expression
        at = None if repeated else Standing((), f"module.{subject.name}")
        return Placed(subject.part("expressions"), place, at)
    if isinstance(subject, ProviderConfig):
        return Placed(subject.expressions(), Place(prefix))
    return None


def values_at(value: Any, path: Sequence[str]) -> list[Any]:
    """Return what stands at a path, in each element of the lists on the way.

    What is absent is as good as unknown: a plan has every attribute, null or not.
    """
    if isinstance(value, Unknown):
        return [value]
    if type(value) is Maybe:
        return [value]
    if type(value) is list:
        if not path:
            return value or [None]
        return [found for element in value for found in values_at(element, path)]
    if not path:
        return [value]
    return values_at(value.get(path[0], UNKNOWN), path[1:]) if type(value) is dict else [UNKNOWN]


def _path(argument: str | None) -> tuple[str, ...]:
    return tuple(argument.split(".")) if argument else ()


def _with_doubt(sure: Sequence[Any], maybe: Sequence[Any], *, blind: bool) -> list[Any]:
    """Write an answer as a list: doubtful elements as `Maybe`, any number of unseen ones last."""
    others = [Maybe(UNKNOWN, many=True)] if blind else []
    return [*sure, *map(Maybe, maybe), *others]
