"""Reads what ``terraform providers schema -json`` and ``tofu providers schema -json`` print.

The format: https://developer.hashicorp.com/terraform/cli/commands/providers/schema. Descriptions
are not read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.errors import UsageError
from tfgate.schema.types import FLAGS, Attribute, Block, NestedBlock, Provider

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_schema(
    data: bytes, *, name: str = "the schema", versions: Mapping[str, str] | None = None
) -> list[Provider]:
    """Give the providers of a schema document; ``versions`` by full name, as far as known.

    Raises ``UsageError`` for what is no such document.
    """
    try:
        document = msgspec.json.decode(data)
        schemas = document["provider_schemas"]
        return [
            _provider(full_name, table, (versions or {}).get(full_name, ""))
            for full_name, table in schemas.items()
        ]
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
        raise UsageError(
            f"{name} is not what `terraform providers schema -json` prints.",
            hint="Run that in an initialised directory, and give its output or the directory.",
        ) from None


def _provider(name: str, table: Any, version: str) -> Provider:
    def blocks(key: str) -> dict[str, Block]:
        return {kind: _block(entry["block"]) for kind, entry in table.get(key, {}).items()}

    return Provider(name, version, blocks("resource_schemas"), blocks("data_source_schemas"))


def _block(table: Any) -> Block:
    return Block(
        {name: _attribute(entry) for name, entry in table.get("attributes", {}).items()},
        {name: _nested(entry) for name, entry in table.get("block_types", {}).items()},
        bool(table.get("deprecated", False)),
    )


def _nested(entry: Any) -> NestedBlock:
    least, most = entry.get("min_items", 0), entry.get("max_items", 0)
    return NestedBlock(
        str(entry["nesting_mode"]), int(least), int(most), _block(entry.get("block", {}))
    )


def _attribute(entry: Any) -> Attribute:
    flags = sum(bit for word, bit in FLAGS.items() if entry.get(word))
    if "nested_type" in entry:
        nested = entry["nested_type"]
        inner = {name: _attribute(part) for name, part in nested["attributes"].items()}
        return Attribute(["nested", nested["nesting_mode"], msgspec.to_builtins(inner)], flags)
    return Attribute(_type(entry["type"]), flags)


def _type(constraint: Any) -> Any:
    """Check a type constraint, and leave out the optional names an object type may carry."""
    if isinstance(constraint, str):
        return constraint
    kind, inner = constraint[0], constraint[1]
    if kind == "object":
        return [kind, {name: _type(part) for name, part in inner.items()}]
    if kind == "tuple":
        return [kind, [_type(part) for part in inner]]
    return [kind, _type(inner)]
