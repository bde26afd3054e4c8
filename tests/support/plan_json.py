"""Plan JSON for tests of plan reading, part by part as Terraform would write it."""

from __future__ import annotations

import json
import re
from typing import Any

_OUTER = frozenset(
    {
        "index",
        "deposed",
        "previous_address",
        "module_address",
        "action_reason",
        "mode",
        "provider_name",
    }
)
_META = ("count_expression", "for_each_expression", "depends_on", "provisioners")


def change(address: str = "aws_s3_bucket.a", **parts: Any) -> dict[str, Any]:
    """An entry of ``resource_changes``.

    ``parts`` named as a field of the entry go there, all others into its ``change``.
    """
    entry: dict[str, Any] = {"address": address, "mode": "managed", **_named(address)}
    body: dict[str, Any] = {"actions": ["create"], "before": None, "after": {}}
    for name, value in parts.items():
        (entry if name in _OUTER else body)[name] = value
    return {**entry, "change": body}


def plan(*changes: dict[str, Any], **parts: Any) -> bytes:
    """A plan with these changes; ``parts`` replace or add top-level keys."""
    whole = {
        "format_version": "1.2",
        "terraform_version": "1.11.4",
        "planned_values": {},
        "resource_changes": [*changes],
    }
    return json.dumps({**whole, **parts}).encode()


def block(address: str, **arguments: Any) -> dict[str, Any]:
    """A resource in ``configuration``; a list of strings stands for references."""
    meta = {name: arguments.pop(name) for name in _META if name in arguments}
    expressions = {name: expression(value) for name, value in arguments.items()}
    return {
        "address": address,
        "mode": "managed",
        **_named(address),
        "expressions": expressions,
        **meta,
    }


def expression(value: Any) -> Any:
    """An expression: references from a list of strings, else a constant; objects stay."""
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return {"references": value}
    return value if isinstance(value, dict | list) else {"constant_value": value}


def configuration(*blocks: dict[str, Any], **root: Any) -> dict[str, Any]:
    """A configuration whose root module has these blocks."""
    provider_config = root.pop("provider_config", {})
    return {"provider_config": provider_config, "root_module": {"resources": [*blocks], **root}}


def _named(address: str) -> dict[str, str]:
    local = re.sub(r"\[[^\]]*\]$", "", address)
    kind, _, name = local.rpartition(".")
    return {"type": kind.rpartition(".")[2], "name": name}
