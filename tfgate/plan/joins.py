"""``references``, ``referenced_by`` and ``configured`` as rules call them, on any subject."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from tfgate.plan import values
from tfgate.plan.arguments import Found, find, is_expression, shows_attribute
from tfgate.plan.blocks import Blocks
from tfgate.plan.change import Change
from tfgate.plan.configuration import configuration_address
from tfgate.plan.modulecall import ModuleCall
from tfgate.plan.output import OutputChange
from tfgate.plan.provider import ProviderConfig
from tfgate.plan.reads import EVERYTHING, Reads
from tfgate.plan.referrers import GONE, Referrers
from tfgate.plan.resolver import Place, Targets, union
from tfgate.query.values import UNKNOWN, Maybe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.blocks import BlockView
    from tfgate.plan.plan import Plan
    from tfgate.plan.subject import Subject

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
            targets = self._of_change(subject, path)
        else:
            placed = _placed(subject)
            if placed is None:
                return UNKNOWN
            expressions, place = placed
            targets = self._blocks.resolver.resolve(find(expressions, path, None).parts, place)
        sure = {target.address for target in targets.sure}
        maybe = {target.address for target in targets.maybe} - sure
        return _with_doubt(sorted(sure), sorted(maybe), blind=targets.lossy)

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

    def _of_change(self, change: Change, path: Sequence[str]) -> Targets:
        """Give what the argument at ``path`` (all arguments, if empty) refers to."""
        view = self._blocks.get(configuration_address(change))
        if view is None:
            return Targets(lossy=not self._has_no_block(change))
        found = self._find(change, view, path)
        resolve, place = self._blocks.resolver.resolve, view.place
        parts = [resolve(found.parts, place), Targets(lossy=found.hidden)]
        if not path:
            meta = ("count_expression", "for_each_expression", "provisioners")
            parts += [resolve(view.part(name), place) for name in meta]
            parts.append(resolve({"references": view.part("depends_on")}, place))
        return union(parts)

    def _has_no_block(self, change: Change) -> bool:
        """Whether a change without a block certainly has none: its resource is to go."""
        return self._plan.configuration.present and change.action in GONE

    def _find(self, change: Change, view: BlockView, path: Sequence[str]) -> Found:
        expressions = view.expressions
        if path and type(expressions) is dict and is_expression(expressions.get(path[0])):
            return Found([expressions[path[0]]], hidden=False)
        held = values.after(change, Reads.of([("after", *path[:1])]))
        found = find(expressions, path, held)
        if found.hidden and len(path) == 1 and self._is_attribute(change.type, path[0]):
            return Found(found.parts, hidden=False)
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


def _placed(subject: Subject) -> tuple[Any, Place] | None:
    """Give the expressions of a subject that is no resource, and what their names mean."""
    prefix = f"{subject.module_address}." if subject.module_address else ""
    if isinstance(subject, OutputChange):
        return {"value": (subject.config() or {}).get("expression")}, Place(prefix)
    if isinstance(subject, ModuleCall):
        return subject.part("expressions"), Place(prefix, subject.call.for_each_expression)
    if isinstance(subject, ProviderConfig):
        return subject.expressions(), Place(prefix)
    return None


def _path(argument: str | None) -> tuple[str, ...]:
    return tuple(argument.split(".")) if argument else ()


def _with_doubt(sure: Sequence[Any], maybe: Sequence[Any], *, blind: bool) -> list[Any]:
    """Write an answer as a list: doubtful elements as `Maybe`, any number of unseen ones last."""
    others = [Maybe(UNKNOWN, many=True)] if blind else []
    return [*sure, *map(Maybe, maybe), *others]
