"""What a new rule asks of one attribute, by the attribute's type."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from tfgate.errors import UsageError
from tfgate.plan.reads import Reads
from tfgate.query.values import Maybe, Unknown
from tfgate.ruleset.problems import suggest
from tfgate.schema.index import COMPUTED, DEPRECATED, OPTIONAL, REQUIRED, WRITE_ONLY

if TYPE_CHECKING:
    from tfgate.plan import Plan
    from tfgate.schema import Attribute, Block


_PLAIN = {"tags", "tags_all", "id", "arn", "region", "name", "name_prefix", "timeouts"}
_LIKELY = ("encrypt", "protect", "public", "log", "enable", "secur", "version", "rotation")


@dataclass
class Draft:
    """A rule to be."""

    type: str
    attribute: str
    require: str
    good: Any
    """A value with which the rule passes."""
    bad: Any
    """One with which it fails; ``None`` for no value at all."""
    demand: str
    """What must hold, as the end of a sentence."""
    others: dict[str, Any] = field(default_factory=dict)
    """Other attributes of the examples."""
    unknown: tuple[str, ...] = ()
    sensitive: tuple[str, ...] = ()
    mode: str = "managed"
    name: str = "example"


def draft_rule(
    kind: str, block: Block | None, attribute: str | None, subject: PlanSubject | None
) -> Draft:
    """Draft a rule on an attribute of a type, or on one that is likely to matter.

    ``block`` is the type's schema, where it is known; ``subject`` a resource of a plan. Raises
    ``UsageError`` where there is nothing to ask.
    """
    after = subject.after if subject else {}
    known = set(block.names if block else ()) | set(subject.names if subject else ())
    if attribute is None:
        attribute = _likely(block, after, known)
    elif known and attribute not in known:
        raise UsageError(f"{kind} has no attribute {attribute}{suggest(attribute, known)}.")
    draft = _draft(kind, attribute, _sort(block, attribute, after), after.get(attribute))
    others = {**_required(block), **after}
    others.pop(attribute, None)
    draft.others = others
    if subject is not None:
        draft.unknown = tuple(name for name in subject.unknown if name != attribute)
        draft.sensitive = tuple(name for name in subject.sensitive if name in others)
        draft.mode, draft.name = subject.mode, subject.name
    return draft


def _likely(block: Block | None, after: dict[str, Any], known: set[str]) -> str:
    """Choose an attribute: a switch whose name tells of safety, a switch, anything."""
    if block is None:
        candidates = sorted(set(after) - _PLAIN) or sorted(known - _PLAIN) or sorted(known)
        if not candidates:
            raise UsageError(
                "Name an attribute: there is no schema of this type to choose from.",
                hint="Give --attribute, or --schema.",
            )
        return min(candidates, key=lambda name: _rank(name, isinstance(after.get(name), bool)))
    settable = [
        (name, entry)
        for name, entry in block.attributes.items()
        if entry.flags & (OPTIONAL | REQUIRED)
        and not entry.flags & (DEPRECATED | WRITE_ONLY)
        and name not in _PLAIN
    ]
    if settable:
        return min(settable, key=lambda pair: _rank(pair[0], pair[1].type == "bool"))[0]
    names = [name for name in (*block.blocks, *block.attributes) if name not in _PLAIN]
    if not names:
        raise UsageError("The type has no attribute to ask for.")
    return names[0]


def _rank(name: str, is_bool: bool) -> tuple[bool, int, str]:
    likely = [number for number, word in enumerate(_LIKELY) if word in name]
    return not is_bool, likely[0] if likely else len(_LIKELY), name


def _sort(block: Block | None, attribute: str, after: dict[str, Any]) -> Any:
    """Return the attribute's type constraint: out of the schema, else told from its value."""
    if block is not None and attribute in block.blocks:
        nested = block.blocks[attribute]
        return ["blocks", _required(nested.block)] if nested.mode in {"list", "set"} else "object"
    entry: Attribute | None = block.attributes.get(attribute) if block else None
    if entry is not None:
        return entry.type
    value = after.get(attribute)
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, float)):
        return "number"
    if isinstance(value, list):
        return ["list", "string" if all(isinstance(part, str) for part in value) else "dynamic"]
    return ["map", "string"] if isinstance(value, dict) else "string"


def _draft(kind: str, name: str, sort: Any, value: Any) -> Draft:
    path = f"after.{name}" if name.isidentifier() else f"after.{json.dumps(name)}"
    shape = sort if isinstance(sort, str) else sort[0]
    good: Any
    if shape == "bool":
        good = value if isinstance(value, bool) else True
        asked = json.dumps(good)
        return Draft(kind, name, f"{path} == `{asked}`", good, not good, f"sets {name} to {asked}")
    if shape == "number":
        good = value if isinstance(value, (int, float)) else 1
        return Draft(kind, name, f"{path} >= `{json.dumps(good)}`", good, good - 1,
                     f"sets {name} to at least {good}")  # fmt: skip
    if shape in {"list", "set"} and sort[1] == "string":
        asked = value[0] if isinstance(value, list) and value else "example"
        need = f"contains({path} || `[]`, {literal(asked)})"
        return Draft(kind, name, need, value or [asked], [f"not-{asked}"], f"has {asked} in {name}")
    if shape == "map":
        asked = next(iter(value), "Owner") if isinstance(value, dict) else "Owner"
        step = asked if asked.isidentifier() and asked.isascii() else json.dumps(asked)
        good = value or {asked: "example"}
        return Draft(kind, name, f"{path}.{step}", good, {}, f"has {asked} in {name}")
    if shape == "string":
        good = value if isinstance(value, str) and value else "example"
        need = f"{path} == {literal(good)}"
        return Draft(kind, name, need, good, f"not-{good}", f"sets {name} as it should be")
    good = value or ([sort[1] or {}] if shape == "blocks" else [{"example": "example"}])
    return Draft(kind, name, path, good, [] if shape == "blocks" else None, f"has {name}")


def literal(value: str) -> str:
    """Write a string as JMESPath does."""
    if "'" in value or "\\" in value or not value.isprintable():
        return "`" + json.dumps(value).replace("`", "\\`") + "`"
    return f"'{value}'"


def _required(block: Block | None) -> dict[str, Any]:
    """Return values for what must be set, so that the examples look like the real thing."""
    if block is None:
        return {}
    found: dict[str, Any] = {}
    for name, entry in block.attributes.items():
        value = _sample(entry.type)
        if entry.flags & REQUIRED and not entry.flags & COMPUTED and value is not None:
            found[name] = value
    return found


def _sample(constraint: Any) -> Any:
    if isinstance(constraint, str):
        return {"string": "example", "number": 1, "bool": True}.get(constraint)
    if constraint[0] in {"list", "set"} and isinstance(constraint[1], str):
        inner = _sample(constraint[1])
        return None if inner is None else [inner]
    return {"Name": "example"} if constraint == ["map", "string"] else None


PLACEHOLDER = "(sensitive)"
_MOST = 40
"""Attributes of an example; a resource may have hundreds."""


@dataclass
class PlanSubject:
    """What an example can say of a resource."""

    type: str
    name: str
    mode: str
    names: tuple[str, ...] = ()
    """All attributes that the plan shows, with or without a value."""
    after: dict[str, Any] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    """Attributes that are known only after the apply."""
    sensitive: list[str] = field(default_factory=list)
    """Attributes whose value is not shown; a placeholder stands in `after`."""


def subject_of_plan(plan: Plan, address: str) -> PlanSubject:
    """Return the resource at ``address``. Raises ``UsageError`` where the plan has none."""
    found = [change for change in plan.changes if change.address == address]
    if not found:
        near = get_close_matches(address, [change.address for change in plan.changes], n=1)
        hint = f"Did you mean {near[0]}?" if near else "See them with: tfgate review PLAN"
        raise UsageError(f"The plan changes nothing at {address}.", hint=hint)
    change = found[0]
    document = change.redacted(Reads.of([("after",), ("before",)]))
    values = document.get("after")
    if not isinstance(values, dict):
        values = document.get("before")
    values = values if isinstance(values, dict) else {}
    subject = PlanSubject(change.type, change.name, change.mode, tuple(values))
    for name, value in values.items():
        _take(subject, name, value)
    return subject


def _take(subject: PlanSubject, name: str, value: Any) -> None:
    if isinstance(value, Unknown):
        if value.sensitive:
            subject.sensitive.append(name)
            subject.after[name] = PLACEHOLDER
        else:
            subject.unknown.append(name)
        return
    marks: list[bool] = []
    plain = _plain(value, marks)
    if True in marks:
        # A part of it is secret: the whole is left out.
        return
    if False in marks:
        subject.unknown.append(name)
    elif plain not in (None, [], {}) and len(subject.after) < _MOST:
        subject.after[name] = plain


def _plain(value: Any, marks: list[bool]) -> Any:
    """Return a value without unknowns; ``marks`` says of each whether it is sensitive."""
    if isinstance(value, Maybe):
        value = value.value
    if isinstance(value, Unknown):
        marks.append(value.sensitive)
        return None
    if isinstance(value, dict):
        return {name: _plain(part, marks) for name, part in value.items()}
    if isinstance(value, list):
        return [_plain(part, marks) for part in value]
    return value
