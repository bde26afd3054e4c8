"""What providers say of their types: attributes, blocks, flags. Compact, and quick to look up.

`read_schema` takes what ``terraform providers schema -json`` prints; `write_index` makes a small
file of it, which `SchemaIndex` reads a type at a time; a `Catalog` holds several providers.
"""

from __future__ import annotations

from tfgate.schema.catalog import Catalog
from tfgate.schema.index import SchemaIndex, write_index
from tfgate.schema.sources import load_indexes, shipped_indexes, user_folder
from tfgate.schema.types import Attribute, Block, NestedBlock, Provider
from tfgate.schema.wire import read_schema

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
