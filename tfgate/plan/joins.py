"""``references``, ``referenced_by`` and ``configured`` as rules call them, on any subject."""

from __future__ import annotations

from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.model.address import join_modules, split_modules
from tfgate.plan import values
from tfgate.plan.arguments import (
    Found,
    expressions_in,
    find,
    is_expression,
    may_be_blocks,
    shows_attribute,
)
from tfgate.plan.change import FIELDS, Change
from tfgate.plan.configuration import configuration_address, without_keys
from tfgate.plan.configured import ModuleCall, ProviderConfig
from tfgate.plan.other_changes import OutputChange
from tfgate.plan.pointing import Place as Standing
from tfgate.plan.reads import Reads
from tfgate.plan.references import Instances, always_has, keys, may_mean, texts
from tfgate.plan.referrers import DOUBTS, GONE, Blocks, Names, Referrers
from tfgate.plan.resolver import NOTHING, Place
from tfgate.query.values import UNKNOWN, Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfgate.plan.arguments import Path
    from tfgate.plan.plan import Plan
    from tfgate.plan.referrers import BlockView
    from tfgate.plan.resolver import Target, Targets
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
_LINKED: Final = Reads.of((name,) for name in FIELDS if name != "module_variables")
"""What the document of another resource has: that of a rule on it, variables left out."""


class Joins:
    """The three functions on one plan; see the methods of `tfgate.plan.Plan` for what they give."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._attributes: dict[tuple[str, str], bool] = {}
        self._documents: dict[tuple[int, bool, bool], dict[str, Any]] = {}
        self._placed: dict[str, Instances] = {}
        self._known_names: dict[int, Names] = {}
        self._by_name: dict[str, dict[str, list[Change]]] = {}

    @cached_property
    def _blocks(self) -> Blocks:
        return Blocks(self._plan.configuration)

    @cached_property
    def _referrers(self) -> Referrers:
        return Referrers(self._plan, self._blocks)

    def find(self, address: str, deposed: str | None = None) -> Change | None:
        """Find a change, or a data source that was read, by the address of the instance."""
        found = self._by_address.get((address, deposed))
        if found is None and "data." in address:
            read = self._read.get(without_keys(address), ())
            found = next((one for one in read if one.address == address), None)
        return found

    @cached_property
    def _by_address(self) -> dict[tuple[str, str | None], Change]:
        return {(change.address, change.deposed): change for change in self._plan.changes}

    def references(self, subject: Subject, argument: str | None, *, redacted: bool) -> Any:
        """See `Plan.references`."""
        path = _path(argument)
        if isinstance(subject, Change):
            pointed = self._of_change(subject, path)
        else:
            placed = _placed(subject)
            if placed is None:
                return UNKNOWN
            pointed = self._of_block(placed, path)
        sure = [self._referred(address, redacted) for address in sorted(pointed.sure)]
        maybe = [
            self._document(one, redacted, certain=False)
            for one in sorted(pointed.maybe.values(), key=lambda one: one.position)
            if one.address not in pointed.sure
        ]
        unseen = [_not_in_plan(address) for address in sorted(pointed.unseen)]
        return _with_doubt(sure, [*maybe, *unseen], blind=pointed.blind)

    def _referred(self, address: str, redacted: bool) -> dict[str, Any]:
        """Return what is known of an instance that an argument certainly refers to."""
        change = self.find(address)
        if change is not None:
            return self._document(change, redacted, certain=True)
        return {**_not_in_plan(without_keys(address)), "address": address, "certain": True}

    def _may_be(self, targets: Targets, near: Change | None) -> Referred:
        """Return the instances that a mention may mean; with too many of them, any."""
        maybe: dict[str, Change] = {}
        unseen: set[str] = set()
        blind = targets.lossy
        for target in targets.found:
            instances = self._near(target, near)
            if not self._instances(target.address):
                unseen.add(target.address)
            some = [*islice(instances, DOUBTS + 1 - len(maybe))]
            blind = blind or len(maybe) + len(some) > DOUBTS
            maybe.update((one.address, one) for one in some)
        return (
            Referred(blind=True)
            if len(maybe) > DOUBTS
            else Referred(set(), maybe, unseen, blind=blind)
        )

    def _near(self, target: Target, near: Change | None) -> Iterator[Change]:
        """Yield the instances of a block that a mention in ``near`` (None: anywhere) may mean."""
        address = target.address
        if near is None:
            instances: Iterable[Change] = self._instances(address)
        else:
            if address not in self._placed:
                self._placed[address] = Instances(self._instances(address))
            instances = self._placed[address].near(near)
        return (one for one in instances if may_mean(target.key, one))

    def _names(self, change: Change) -> Names:
        if change.position not in self._known_names:
            self._known_names[change.position] = self._referrers.names(change)
        return self._known_names[change.position]

    def _bearers(self, address: str) -> dict[str, list[Change]]:
        """Return the instances of a block by their known names."""
        if address not in self._by_name:
            found: dict[str, list[Change]] = {}
            for one in self._instances(address):
                for name in self._names(one).known:
                    found.setdefault(name, []).append(one)
            self._by_name[address] = found
        return self._by_name[address]

    def _instances(self, address: str) -> Sequence[Change]:
        """Return the instances of a block; of a data source those that were read as well."""
        planned = self._referrers.instances.get(address, ())
        return self._read.get(address, ()) if not planned and "data." in address else planned

    @cached_property
    def _read(self) -> dict[str, list[Change]]:
        """The data sources that were read while the plan was made, by configuration address."""
        found: dict[str, list[Change]] = {}
        for one in self._plan.data_sources():
            found.setdefault(configuration_address(one), []).append(one)
        return found

    def referenced_by(self, subject: Subject, pattern: str, *, redacted: bool) -> Any:
        """See `Plan.referenced_by`."""
        if not isinstance(subject, Change):
            return UNKNOWN
        if not self._plan.configuration.present:
            return _with_doubt([], [], blind=True)
        found = self._referrers.of(subject, pattern)
        sure, maybe = (
            [
                self._document(change, redacted, certain=certain)
                for change in sorted(changes, key=lambda change: change.position)
            ]
            for changes, certain in ((found.sure, True), (found.maybe, False))
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
                return Referred({pointed.address})
        return self._may_be(self._blocks.resolver.resolve(parts, placed.place), None)

    def _of_change(self, change: Change, path: Path) -> Referred:
        """Return what the argument at ``path`` (all arguments, if empty) refers to."""
        view = self._blocks.get(configuration_address(change))
        if view is None:
            return Referred(blind=not self._has_no_block(change))
        if path:
            return self._of_argument(change, view, path)
        resolve, place = self._blocks.resolver.resolve, view.place
        expressions = view.expressions if type(view.expressions) is dict else {}
        whole = self._may_be(resolve({"references": view.part("depends_on")}, place), change)
        if len(whole.maybe) == 1:
            whole = Referred({*whole.maybe}, unseen=whole.unseen, blind=whole.blind)
        for name in expressions:
            whole = whole.with_(self._of_argument(change, view, (name,)))
        for name in ("count_expression", "for_each_expression", "provisioners"):
            whole = whole.with_(self._may_be(resolve(view.part(name), place), change))
        return whole.with_(Referred(blind=self._hides_any(change, view, expressions)))

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
        whole = Referred(blind=found.hidden)
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
            return Referred({pointed.address})
        held = values_at(values.after(change, Reads.of([("after", *path)])), path)
        written = {text for value in held for text in texts(value)}
        if None in written or not held:
            return self._may_be(targets, change)
        texts_held = {text for text in written if text is not None}
        return self._named(
            change, targets, texts_held, texts_held | {key for one in held for key in keys(one)}
        )

    def _named(
        self, change: Change, targets: Targets, written: set[str], held: set[str]
    ) -> Referred:
        """Return those of the targets that a known value names, and may name.

        A text in it, one of ``written``, names the one instance that has that name; ``held`` are
        its texts and the keys of its maps, which may.
        """
        sure: set[str] = set()
        left = set(held)
        for text in written:
            bearers = [
                one
                for target in targets.found
                for one in self._bearers(target.address).get(text, ())
                if may_mean(target.key, one) and any(Instances([one]).near(change))
            ]
            if len(bearers) == 1 and self._referrers.is_only_bearer(bearers[0], text):
                sure.add(bearers[0].address)
                left.discard(text)
        if not left:
            return Referred(sure)
        possible = self._may_be(targets, change)
        maybe = {
            address: one
            for address, one in possible.maybe.items()
            if self._names(one).open or self._names(one).within(left)
        }
        return Referred(sure, maybe, possible.unseen, blind=possible.blind)

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

    def _document(self, change: Change, redacted: bool, *, certain: bool) -> dict[str, Any]:
        key = (change.position, redacted, certain)
        if key not in self._documents:
            other = self._documents.get((change.position, redacted, not certain))
            make = change.redacted if redacted else change.document
            whole = make(_LINKED) if other is None else other
            self._documents[key] = {**whole, "certain": certain}
        return self._documents[key]


class Referred:
    """What something refers to, and may refer to."""

    __slots__ = ("blind", "maybe", "sure", "unseen")

    def __init__(
        self,
        sure: set[str] | None = None,
        maybe: dict[str, Change] | None = None,
        unseen: set[str] | None = None,
        *,
        blind: bool = False,
    ) -> None:
        self.sure = sure or set()
        """Addresses of instances."""
        self.maybe = maybe or {}
        """Instances, by address."""
        self.unseen = unseen or set()
        """Configuration addresses of blocks of which the plan shows no instance."""
        self.blind = blind
        """Whether there may be others."""

    def with_(self, other: Referred) -> Referred:
        """Put two answers together."""
        return Referred(
            self.sure | other.sure,
            self.maybe | other.maybe,
            self.unseen | other.unseen,
            blind=self.blind or other.blind,
        )


def _not_in_plan(address: str) -> dict[str, Any]:
    """Return what is known of an instance that the plan does not show, by its block's address."""
    calls, block = split_modules(address)
    *kind, name = block.removeprefix("data.").split(".")
    return {
        **dict.fromkeys(FIELDS, UNKNOWN),
        "config_address": address,
        "module_config_address": join_modules(calls),
        "mode": "data" if block.startswith("data.") else "managed",
        "type": ".".join(kind),
        "name": name,
        "certain": False,
    }


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
