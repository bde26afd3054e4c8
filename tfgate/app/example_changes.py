"""One change of an example as an entry of a plan's JSON."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any, Final

from tfgate.app.example_paths import leave_out, parse_path, put

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

DEFAULT_TYPE: Final = "terraform_data"
"""Type of a change that names none, in a rule whose ``match`` names none either."""
_SPELT: Final = {"replace": ["delete", "create"]}
"""Actions in tfgate's words that the format spells otherwise."""
_ASIDE: Final = ("action_reason", "previous_address", "deposed", "index")
_OF_CHANGE: Final = ("importing", "generated_config", "replace_paths")


def spread(tables: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give each table, and those with ``repeat`` that many times with the indexes 0, 1, …"""
    for table in tables:
        if "repeat" not in table:
            yield table
            continue
        for index in range(table["repeat"]):
            yield {**table, "index": index}


def change_entry(table: Mapping[str, Any], kind: str = DEFAULT_TYPE) -> dict[str, Any]:
    """Make an entry of ``resource_changes``; ``kind`` is the type where the table names none."""
    kind = table.get("type", kind)
    name = table.get("name", "example")
    mode = table.get("mode", "managed")
    entry = {
        "address": table.get("address") or _address(table, kind, name, mode),
        "mode": mode,
        "type": kind,
        "name": name,
        "provider_name": table.get("provider_name") or provider_of(kind),
        "change": change_body(table, read=mode == "data"),
    }
    if table.get("module_address"):
        entry["module_address"] = table["module_address"]
    return {**entry, **{key: table[key] for key in _ASIDE if key in table}}


def _address(table: Mapping[str, Any], kind: str, name: str, mode: str) -> str:
    parts = [table.get("module_address"), "data" if mode == "data" else None, kind, name]
    address = ".".join(part for part in parts if part)
    return f"{address}[{json.dumps(table['index'])}]" if "index" in table else address


def provider_of(kind: str) -> str:
    """Give the full name of the provider that a type's prefix most likely stands for."""
    prefix = kind.partition("_")[0]
    if prefix == "terraform":
        return "terraform.io/builtin/terraform"
    return f"registry.terraform.io/hashicorp/{prefix}"


def change_body(table: Mapping[str, Any], *, read: bool = False) -> dict[str, Any]:
    """Make a "change representation" from a table's values and marks."""
    before, after = copy.deepcopy(table.get("before")), copy.deepcopy(table.get("after"))
    actions = _actions(table, has_before=before is not None, has_after=after is not None, read=read)
    ends = not {"create", "update", "read", "no-op"} & set(actions)
    starts = not {"delete", "update", "forget", "no-op"} & set(actions)
    after = None if ends else _with_nulls(after, table.get("null", ()))
    before = None if starts else _with_nulls(before, table.get("before_null", ()))
    if "no-op" in actions and before is None:
        before = copy.deepcopy(after)
    paths = [*table.get("unknown", ()), *([] if ends else _not_known_yet(table, after))]
    unknown = _marks(table.get("after_unknown"), paths)
    for path in paths:
        leave_out(after, parse_path(path))
    sensitive = table.get("sensitive", ())
    body = {
        "actions": actions,
        "before": {} if before is None and not starts else before,
        "after": {} if after is None and not ends else after,
        "after_unknown": unknown,
        "before_sensitive": _marks(table.get("before_sensitive"), sensitive),
        "after_sensitive": _marks(table.get("after_sensitive"), sensitive),
    }
    return {**body, **{key: table[key] for key in _OF_CHANGE if key in table}}


def _not_known_yet(table: Mapping[str, Any], after: Any) -> list[str]:
    """Give the arguments that refer to something whose value the example does not say.

    In a real plan they hold an id or ARN that the apply will give.
    """
    return [
        name for name in table.get("refers_to", ()) if "." not in name and name not in (after or {})
    ]


def output_body(table: Mapping[str, Any]) -> dict[str, Any]:
    """Make an entry of ``output_changes``: the same of a value that may be anything."""
    before, after = copy.deepcopy(table.get("before")), copy.deepcopy(table.get("after"))
    actions = _actions(table, has_before=before is not None, has_after=after is not None)
    unknown = _marks(table.get("after_unknown"), table.get("unknown", ()))
    for path in table.get("unknown", ()):
        leave_out(after, parse_path(path))
    sensitive = table.get("sensitive", ())
    return {
        "actions": actions,
        "before": _with_nulls(before, table.get("before_null", ())),
        "after": _with_nulls(after, table.get("null", ())),
        "after_unknown": unknown or False,
        "before_sensitive": _marks(table.get("before_sensitive"), sensitive) or False,
        "after_sensitive": _marks(table.get("after_sensitive"), sensitive) or False,
    }


def _actions(
    table: Mapping[str, Any], *, has_before: bool, has_after: bool, read: bool = False
) -> list[str]:
    if "actions" in table:
        words = list(table["actions"])
        return _SPELT.get(words[0], words) if len(words) == 1 else words
    if read:
        return ["read"]
    if has_before:
        return ["update"] if has_after else ["delete"]
    return ["create"]


def _with_nulls(values: Any, paths: Any) -> Any:
    for path in paths:
        values = put(values, parse_path(path), None)
    return values


def _marks(given: Any, paths: Any) -> Any:
    marks = copy.deepcopy(given) if given is not None else {}
    for path in paths:
        marks = put(marks, parse_path(path), True)
    return _filled(marks)


def _filled(marks: Any) -> Any:
    """Lists of marks that ``put`` made longer have nulls: the format has false there."""
    if isinstance(marks, list):
        return [False if mark is None else _filled(mark) for mark in marks]
    if isinstance(marks, dict):
        return {key: _filled(mark) for key, mark in marks.items()}
    return marks
