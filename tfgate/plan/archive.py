"""A plan without its secrets, as plan JSON that can be evaluated again.

Whatever is redacted is a mark (`tfgate.plan.decoding`), which a reader takes for a
value that is not known. Parts that no rule reads (managed resources of the state, planned values,
generated configuration) are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from tfgate.plan.configuration import without_keys
from tfgate.plan.decoding import MARK, decode_value
from tfgate.plan.values import (
    ends_as_key,
    marked_attributes,
    names_secret,
    redact,
    redact_expression,
    redact_expressions,
    redact_named,
)
from tfgate.query.values import SENSITIVE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfgate.plan.change import Body, Change
    from tfgate.plan.other_changes import Invocation, OutputChange
    from tfgate.plan.plan import Plan

VERSION: Final = 1
# No comma and no brace here: with a blank behind it one makes a reader take the JSON for laid out.
_NOTE: Final = (
    "A plan as tfgate keeps it in its archive. Marks stand in the place of sensitive values and "
    "parts that no rule reads are left out. It is for judging again (tfgate impact) and cannot be "
    "applied. See docs/impact.md."
)
_MARKED: Final = Raw(MARK)
_KEPT: Final = ("replace_paths", "importing", "after_unknown", "before_identity", "after_identity")
_EXPRESSIONS: Final = ("count_expression", "for_each_expression", "provisioners")


def archive_plan(plan: Plan) -> bytes:
    """Return the plan JSON to keep. Raises PlanError where a part of the plan is malformed."""
    document = {
        "format_version": plan.format_version,
        # First, and longer than what a reader looks at to tell JSON that is laid out for reading.
        "tfgate_archive": {"version": VERSION, "note": _NOTE},
        "terraform_version": plan.terraform_version,
        "timestamp": plan.timestamp,
        "complete": plan.complete,
        "applyable": plan.applyable,
        "errored": False,
        "variables": {name: {"value": value} for name, value in plan.redacted_variables().items()},
        "resource_changes": [_change(change) for change in plan.changes],
        "resource_drift": [_change(change) for change in plan.drift],
        "deferred_changes": [
            {"reason": change.deferred_reason, "resource_change": _change(change)}
            for change in plan.deferred
        ],
        "output_changes": {name: _output(output) for name, output in plan.outputs.items()},
        "planned_values": {"outputs": {n: _planned(output) for n, output in plan.outputs.items()}},
        "prior_state": _prior_state(plan),
        "action_invocations": [_invocation(action) for action in plan.actions],
        "deferred_action_invocations": [
            {"reason": action.deferred_reason, "action_invocation": _invocation(action)}
            for action in plan.deferred_actions
        ],
        "checks": plan.checks,
        "relevant_attributes": plan.relevant_attributes,
        "configuration": _configuration(plan),
    }
    return msgspec.json.encode(_without_none(document), enc_hook=_encode)


def _encode(value: Any) -> Any:
    if value is SENSITIVE:
        return _MARKED
    raise TypeError(f"a plan holds no {type(value).__name__}")


def _without_none(document: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in document.items() if value is not None}


def _change(change: Change) -> dict[str, Any]:
    entry = {
        "address": change.address,
        "previous_address": change.previous_address,
        "module_address": change.module_address or None,
        "mode": change.mode,
        "type": change.type,
        "name": change.name,
        "index": change.index,
        "index_unknown": change.index_unknown,
        "provider_name": change.provider_name or None,
        "deposed": change.deposed,
        "action_reason": change.action_reason,
    }
    return {**_without_none(entry), "change": _body(change.body, change)}


def _body(body: Body, change: Change) -> dict[str, Any]:
    kept: dict[str, Any] = {"actions": body.actions}
    kept |= {name: part for name in _KEPT if (part := getattr(body, name))}
    for side in ("before", "after"):
        marks = getattr(body, f"{side}_sensitive")
        value = decode_value(getattr(body, side), f"{change.where}.{side}")
        if not marks or change.context.by_name:
            value = redact_named(value)
        if marks:
            kept[f"{side}_sensitive"] = marks
        decoded = decode_value(marks, f"{change.where}.{side}_sensitive")
        kept[side] = redact(value, _lenient(value, decoded))
    return kept


def _lenient(value: Any, marks: Any) -> Any:
    """Leave marks out for attributes that are not there (unknown ones): nothing is to be redacted.

    A mark in the place of an absent attribute would turn it from unknown to present.
    """
    if type(marks) is dict and type(value) is dict:
        return {key: _lenient(value[key], mark) for key, mark in marks.items() if key in value}
    return marks


def _output(output: OutputChange) -> dict[str, Any]:
    body = output._body
    kept: dict[str, Any] = {"actions": body.actions}
    for name in ("after_unknown", "before_sensitive", "after_sensitive"):
        if part := getattr(body, name):
            kept[name] = part
    for side in ("before", "after"):
        value = decode_value(getattr(body, side), f"{output.where}.{side}")
        kept[side] = output.hidden(value, f"{side}_sensitive")
    return kept


def _planned(output: OutputChange) -> dict[str, Any]:
    return _without_none({"sensitive": output.sensitive, "type": output.kind()})


def _invocation(action: Invocation) -> dict[str, Any]:
    values = action.part("config_values")
    if not action.config_sensitive:
        values = redact_named(values)
    marks = action.part("config_sensitive")
    kept: dict[str, Any] = {
        "address": action.address,
        "type": action.type,
        "name": action.name,
        "provider_name": action.provider_name or None,
        "config_values": redact(values, _lenient(values, marks)),
    }
    for name in ("config_sensitive", "config_unknown", "lifecycle_action_trigger",
                 "invoke_action_trigger"):  # fmt: skip
        if part := getattr(action, name):
            kept[name] = part
    return _without_none(kept)


def _prior_state(plan: Plan) -> dict[str, Any]:
    """Keep the data sources that were read, and which managed resources there were."""
    modules: dict[str, list[Any]] = {}
    for change in plan.data_sources():
        entry = _change(change)
        body = entry.pop("change")
        entry["values"] = body["after"]
        if "after_sensitive" in body:
            entry["sensitive_values"] = body["after_sensitive"]
        modules.setdefault(entry.pop("module_address", ""), []).append(entry)
    managed = [{"address": address} for address in sorted(plan.prior.managed)]
    root = {"resources": [*managed, *modules.pop("", ())]}
    inner = [{"address": module, "resources": found} for module, found in modules.items()]
    return {"values": {"root_module": {**root, "child_modules": inner}}}


def _configuration(plan: Plan) -> Any:
    whole = decode_value(plan.configuration.raw, "configuration")
    if type(whole) is not dict:
        return None
    marked = _marked_blocks([*plan.changes, *plan.drift, *plan.deferred])
    providers = whole.get("provider_config")
    if type(providers) is dict:
        providers = {key: _provider(entry) for key, entry in providers.items()}
    return {
        **whole,
        "provider_config": providers,
        "root_module": _module(whole.get("root_module"), "", marked),
    }


def _marked_blocks(changes: Iterable[Change]) -> dict[str, frozenset[str] | None]:
    """Return, for each block, the attributes that hold something sensitive in some instance."""
    found: dict[str, frozenset[str] | None] = {}
    for change in changes:
        address = without_keys(change.address)
        marks = marked_attributes(change)
        before = found.get(address, frozenset())
        found[address] = None if marks is None or before is None else before | marks
    return found


def _module(module: Any, prefix: str, marked: dict[str, frozenset[str] | None]) -> Any:
    if type(module) is not dict:
        return module
    kept = dict(module)
    if type(resources := module.get("resources")) is list:
        kept["resources"] = [_block(block, prefix, marked) for block in resources]
    if type(variables := module.get("variables")) is dict:
        kept["variables"] = {name: _variable(name, entry) for name, entry in variables.items()}
    if type(outputs := module.get("outputs")) is dict:
        kept["outputs"] = {name: _declared(name, entry) for name, entry in outputs.items()}
    if type(calls := module.get("module_calls")) is dict:
        kept["module_calls"] = {
            name: _call(call, f"{prefix}module.{name}.", marked) for name, call in calls.items()
        }
    return kept


def _block(block: Any, prefix: str, marked: dict[str, frozenset[str] | None]) -> Any:
    if type(block) is not dict:
        return block
    names = marked.get(f"{prefix}{block.get('address')}", frozenset())
    return _redacted(block, names)


def _redacted(block: dict[str, Any], names: frozenset[str] | None) -> dict[str, Any]:
    kept = dict(block)
    if "expressions" in block:
        kept["expressions"] = redact_expressions(block["expressions"], names)
    for name in _EXPRESSIONS:
        if name in block:
            kept[name] = redact_expression(block[name])
    return kept


def _call(call: Any, prefix: str, marked: dict[str, frozenset[str] | None]) -> Any:
    if type(call) is not dict:
        return call
    module = call.get("module")
    variables = module.get("variables") if type(module) is dict else None
    entries = variables.items() if type(variables) is dict else ()
    secret = frozenset(n for n, entry in entries if type(entry) is dict and entry.get("sensitive"))
    return {**_redacted(call, secret), "module": _module(module, prefix, marked)}


def _provider(entry: Any) -> Any:
    if type(entry) is not dict:
        return entry
    expressions = entry.get("expressions")
    names = frozenset(filter(ends_as_key, expressions if type(expressions) is dict else ()))
    return _redacted(entry, names)


def _variable(name: str, entry: Any) -> Any:
    if type(entry) is not dict or "default" not in entry:
        return entry
    secret = bool(entry.get("sensitive")) or names_secret(name)
    default = entry["default"]
    hidden = SENSITIVE if secret and default is not None else redact_named(default)
    return {**entry, "default": hidden}


def _declared(name: str, entry: Any) -> Any:
    if type(entry) is not dict or "expression" not in entry:
        return entry
    secret = bool(entry.get("sensitive")) or names_secret(name)
    return {**entry, "expression": redact_expression(entry["expression"], secret=secret)}
