"""What providers say of their types: attributes, blocks, flags. Compact, and quick to look up.

`read_schema` takes what ``terraform providers schema -json`` prints; `write_index` makes a small
file of it, which `SchemaIndex` reads a type at a time; a `Catalog` holds several providers.
"""

from __future__ import annotations

from tfgate.schema.index import (
    Attribute,
    Block,
    Catalog,
    NestedBlock,
    Provider,
    SchemaIndex,
    write_index,
)
from tfgate.schema.sources import load_indexes, read_schema, shipped_indexes, user_folder

__all__ = [
    "Attribute",
    "Block",
    "Catalog",
    "NestedBlock",
    "Provider",
    "SchemaIndex",
    "load_indexes",
    "read_schema",
    "shipped_indexes",
    "user_folder",
    "write_index",
]
