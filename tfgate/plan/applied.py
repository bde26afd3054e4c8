"""A plan as it came out: ``after`` is what the state says once the apply is over.

The state is the output of ``terraform show -json`` without a plan file
(developer.hashicorp.com/terraform/internals/json-format, "State Representation").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tfgate.errors import PlanError
from tfgate.model.address import instance_address
from tfgate.plan.decoding import TooDeepError, check_depth
from tfgate.plan.reading import to_utf8

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_HINT: Final = "Make it with `terraform show -json`, after the apply."
_GONE: Final = ({"delete"}, {"forget"})


class State(NamedTuple):
    """What is looked at of a state."""

    resources: Mapping[str, Mapping[str, Any]]
    """Address → resource as the state has it, with ``module_address`` added."""
    outputs: Mapping[str, Mapping[str, Any]]
    """Name → ``{"value": …, "sensitive": …}``."""


def read_state(data: bytes) -> State:
    """Read the state's JSON. Raises ``PlanError`` where it is none."""
    document = _decode(data, "the state")
    version = document.get("format_version")
    if not isinstance(version, str) or version.split(".")[0] not in ("0", "1"):
        raise PlanError("The state has no format_version that this tfgate knows.", hint=_HINT)
    values = document.get("values")
    if values is None:
        return State({}, {})
    if not isinstance(values, dict):
        raise PlanError("The state's values are no object.", hint=_HINT)
    outputs = values.get("outputs") or {}
    try:
        resources = dict(_resources(values.get("root_module")))
        return State(resources, {name: dict(output) for name, output in outputs.items()})
    except (TypeError, ValueError, AttributeError, KeyError):
        raise PlanError(
            "The state's resources are not as Terraform writes them.", hint=_HINT
        ) from None


def as_applied(plan: bytes, state: State) -> bytes:
    """Return the JSON of ``plan`` with what ``state`` says in the place of what was expected.

    A resource that the state does not have keeps what was unknown of it unknown. Marks of
    sensitive values are those of both.
    """
    document = _decode(plan, "the plan")
    for entry in document.get("resource_changes") or ():
        change = entry["change"]
        found = state.resources.get(_address(entry))
        if found is None or entry.get("deposed") or set(change["actions"]) in _GONE:
            continue
        change["after"] = found.get("values")
        change["after_unknown"] = False
        marks = both(change.get("after_sensitive"), found.get("sensitive_values"))
        change["after_sensitive"] = marks
    for name, change in (document.get("output_changes") or {}).items():
        output = state.outputs.get(name)
        if output is not None:
            change["after"] = output.get("value")
            change["after_unknown"] = False
            change["after_sensitive"] = both(change.get("after_sensitive"), output.get("sensitive"))
    document.pop("relevant_attributes", None)
    return msgspec.json.encode(document)


def from_state(state: State, actions: Mapping[str, str], outputs: Collection[str]) -> bytes:
    """Return plan JSON of the resources in ``actions`` (address → action) as ``state`` has them.

    What only the plan knew (``before``, ``config``, reasons) is not in it.
    """
    changes = [
        _entry(address, state.resources[address], action)
        for address, action in actions.items()
        if address in state.resources
    ]
    made = {
        name: {
            "actions": ["create"],
            "before": None,
            "after": state.outputs[name].get("value"),
            "after_unknown": False,
            "before_sensitive": False,
            "after_sensitive": bool(state.outputs[name].get("sensitive")),
        }
        for name in outputs
        if name in state.outputs
    }
    document = {"format_version": "1.2", "resource_changes": changes, "output_changes": made}
    return msgspec.json.encode(document)


def _entry(address: str, resource: Mapping[str, Any], action: str) -> dict[str, Any]:
    names = ("mode", "type", "name", "index", "provider_name", "module_address")
    words = ["delete", "create"] if action == "replace" else [action]
    return {
        "address": address,
        **{name: resource[name] for name in names if resource.get(name) is not None},
        "change": {
            "actions": words,
            "before": None,
            "after": resource.get("values"),
            "after_unknown": False,
            "before_sensitive": False,
            "after_sensitive": resource.get("sensitive_values") or {},
        },
    }


def both(one: Any, other: Any) -> Any:
    """Join two structures of marks: sensitive is what either of them marks."""
    if one is True or other is True:
        return True
    if not one:
        return other or False
    if not other:
        return one
    if isinstance(one, dict) and isinstance(other, dict):
        return {key: both(one.get(key), other.get(key)) for key in {**one, **other}}
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return [both(a, b) for a, b in zip(one, other, strict=True)]
    return True


def _address(entry: Mapping[str, Any]) -> str:
    """Return the address of an entry that `tfgate.plan.lists` has read: it may have to be made."""
    return entry.get("address") or instance_address(
        entry.get("module_address") or "",
        entry.get("mode") or "",
        entry["type"],
        entry["name"],
        entry.get("index"),
    )


def _resources(root: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    modules = [root] if root else []
    while modules:
        module = modules.pop()
        for resource in module.get("resources") or ():
            if not resource.get("deposed_key"):
                yield resource["address"], {**resource, "module_address": module.get("address")}
        modules += module.get("child_modules") or ()


def _decode(data: bytes, what: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(to_utf8(data))
        check_depth(document)
    except (ValueError, RecursionError, TooDeepError):
        raise PlanError(f"What should be {what} is not valid JSON.", hint=_HINT) from None
    if not isinstance(document, dict):
        raise PlanError(f"What should be {what} is no JSON object.", hint=_HINT)
    return document
