"""One entry of a plan as it is reviewed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from msgspec.structs import replace

from tfgate.app.review_diff import Differ
from tfgate.app.review_echo import without_echoes
from tfgate.app.review_leaf import NOTHING, Side
from tfgate.app.review_paths import Forcing
from tfgate.app.review_reasons import facts, reasons
from tfgate.app.review_values import literal
from tfgate.model.action import Action
from tfgate.model.review import ChangeKind, Diff, Form, Mark, ReviewedChange, Shape
from tfgate.plan import Reads

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.model.decision import Outcome
    from tfgate.model.location import Location
    from tfgate.plan import ActionInvocation, Change, OutputChange

Findings = tuple["Outcome", ...]

_VALUES: Final = Reads.of([("before",), ("after",)])
_INVOKED: Final = Reads.of([("config_values",), ("lifecycle_action_trigger",)])
_DIFFER: Final = Differ()
_EMPTY: Final = frozenset({"null", '""', "[]", "{}"})
_MADE_ANEW: Final = (Action.CREATE, Action.REPLACE, Action.READ)


def review_change(
    change: Change, kind: ChangeKind, findings: Findings, location: Location | None
) -> ReviewedChange:
    """Give a resource change, a drifted or a deferred one. Raises ``PlanError``."""
    before, after = _sides(change)
    diffs, same = _DIFFER.members(before, after, Forcing.of(change.replace_paths))
    expressions = _expressions(change)
    parts = _parted(change, diffs, expressions)
    return ReviewedChange(
        kind=kind,
        address=change.address,
        action=change.action,
        type=change.type,
        mode=change.mode,
        module=change.module_address,
        deposed=change.deposed,
        create_first=change.actions[:1] == ("create",) and change.action is Action.REPLACE,
        forgets="forget" in change.actions and change.action is Action.REPLACE,
        reasons=tuple(reasons(change)),
        facts=(*facts(change), *_name_facts(before)),
        diffs=tuple(sorted(_with_origins(parts.told, expressions), key=_order)),
        same=same,
        computed=tuple(diff.label for diff in parts.computed),
        dropped=tuple(parts.dropped),
        blank=tuple(diff.label for diff in parts.blank),
        location=location,
        findings=findings,
    )


def _sides(change: Change) -> tuple[Side, Side]:
    """Give both sides in both views; without anything sensitive the views are one."""
    view = change.redacted(_VALUES)
    real = change.document(_VALUES) if change.has_sensitive else view
    before = NOTHING if view["before"] is None else Side(view["before"], real["before"])
    after = NOTHING if view["after"] is None else Side(view["after"], real["after"])
    return without_echoes(before, after) if change.has_sensitive else (before, after)


def _order(diff: Diff) -> tuple[bool, bool, str]:
    """What forces a replacement first, then plain attributes, then blocks."""
    return not diff.forces, diff.shape is not Shape.LEAF, diff.label


def _is_unknown(diff: Diff) -> bool:
    return diff.after is not None and diff.after.form is Form.UNKNOWN


class _Parts(NamedTuple):
    """The differences of a change, by how much there is to say of each."""

    told: list[Diff]
    computed: list[Diff]
    dropped: list[Diff]
    blank: list[Diff]


def _parted(change: Change, diffs: list[Diff], expressions: dict[str, Any]) -> _Parts:
    parts = _Parts([], [], [], [])
    for diff in diffs:
        anew = change.action in _MADE_ANEW and not diff.forces and diff.label not in expressions
        if anew and _is_unknown(diff):
            parts.computed.append(diff)
        elif _is_blank(diff):
            parts.blank.append(diff)
        elif anew and diff.mark is Mark.REMOVED:
            parts.dropped.append(diff)
        else:
            parts.told.append(diff)
    return parts


def _is_blank(diff: Diff) -> bool:
    sides = [side for side in (diff.before, diff.after) if side is not None]
    leaf = diff.shape is Shape.LEAF and not diff.forces
    return leaf and all(side.form is Form.LITERAL and side.text in _EMPTY for side in sides)


def _expressions(change: Change) -> dict[str, Any]:
    """Give the arguments of the change's own block; a dynamic block is not among them."""
    block = change.context.configuration.redacted_block(change)
    expressions = None if block is None else block["expressions"]
    return expressions if type(expressions) is dict else {}


def _with_origins(diffs: list[Diff], expressions: dict[str, Any]) -> Iterator[Diff]:
    """Say of attributes not known yet which configured reference they come from."""
    for diff in diffs:
        refers = _reference(expressions, diff.label) if _is_unknown(diff) else ""
        yield replace(diff, refers=refers) if refers else diff


def _reference(expressions: dict[str, Any], name: str) -> str:
    """Give the first (most exact) reference in an argument's expression."""
    expression = expressions.get(name)
    references = expression.get("references") if type(expression) is dict else None
    if type(references) is not list or not references or type(references[0]) is not str:
        return ""
    return references[0]


def _name_facts(before: Side) -> Iterator[tuple[str, str]]:
    """Tell which object it is, by what is not secret."""
    view = before.view
    if type(view) is not dict:
        return
    if type(view.get("id")) is str and view["id"]:
        yield "id", literal(view["id"])
    tags = view.get("tags")
    if type(tags) is dict and type(tags.get("Name")) is str:
        yield "Name tag", literal(tags["Name"])


def review_output(output: OutputChange, findings: Findings) -> ReviewedChange:
    """Give an output of the root module."""
    view, real = output.redacted(_VALUES), output.document(_VALUES)
    before, after = (Side(view[side], real[side]) for side in ("before", "after"))
    action = output.action
    if action is Action.CREATE or view["before"] is None:
        before = NOTHING
    if action is Action.DELETE or view["after"] is None:
        after = NOTHING
    both = before is NOTHING and after is NOTHING
    diff = None if both else _DIFFER.diff("value", before, after)
    return ReviewedChange(
        kind=ChangeKind.OUTPUT,
        address=output.address,
        action=action,
        diffs=() if diff is None else (diff,),
        findings=findings,
    )


def review_invocation(action: ActionInvocation, findings: Findings) -> ReviewedChange:
    """Give an action that the apply invokes."""
    document = action.redacted(_INVOKED)
    values = document["config_values"]
    after = NOTHING if values is None else Side.public(values)
    diffs, _ = _DIFFER.members(NOTHING, after)
    trigger = document["lifecycle_action_trigger"]
    return ReviewedChange(
        kind=ChangeKind.INVOCATION,
        address=action.address,
        action=None,
        type=action.type,
        module=action.module_address,
        reasons=tuple(_triggers(trigger)),
        diffs=tuple(diffs),
        findings=findings,
    )


def _triggers(trigger: Any) -> Iterator[str]:
    if type(trigger) is not dict:
        return
    event, address = trigger.get("action_trigger_event"), trigger.get("triggering_resource_address")
    if type(event) is str and type(address) is str:
        yield f"Invoked by {address} ({event})."
