"""A provider's schema: names, types and flags, nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

OPTIONAL = 1
REQUIRED = 2
COMPUTED = 4
SENSITIVE = 8
DEPRECATED = 16
WRITE_ONLY = 32

FLAGS = {
    "optional": OPTIONAL,
    "required": REQUIRED,
    "computed": COMPUTED,
    "sensitive": SENSITIVE,
    "deprecated": DEPRECATED,
    "write_only": WRITE_ONLY,
}
"""Words of the format (JSON Provider Schemas, "attributes") → bits of `Attribute.flags`."""


class Attribute(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """One attribute."""

    type: Any
    """A type constraint as Terraform writes it: ``"string"``, ``["list", "string"]``,
    ``["object", {"a": "bool"}]``, ``"dynamic"``; of nested attributes ``["nested", mode, {…}]``."""
    flags: int = 0

    def has(self, flag: int) -> bool:
        """Tell whether a flag of this module is set."""
        return bool(self.flags & flag)

    @property
    def nested(self) -> tuple[str, dict[str, Attribute]] | None:
        """Of nested attributes, their nesting mode and the attributes; else ``None``."""
        if isinstance(self.type, list) and self.type[:1] == ["nested"]:
            return self.type[1], msgspec.convert(self.type[2], dict[str, Attribute])
        return None


class NestedBlock(msgspec.Struct, frozen=True, array_like=True):
    """A kind of block inside another."""

    mode: str
    """``single``, ``group``, ``list``, ``set`` or ``map``: how it is nested."""
    least: int
    most: int
    """Greatest number of such blocks, 0 for no limit."""
    block: Block


class Block(msgspec.Struct, frozen=True, array_like=True, omit_defaults=True):
    """A resource type, a data source or a block in one."""

    attributes: dict[str, Attribute] = {}
    blocks: dict[str, NestedBlock] = {}
    deprecated: bool = False

    @property
    def names(self) -> frozenset[str]:
        """Names of attributes and blocks."""
        return frozenset(self.attributes) | frozenset(self.blocks)


class Provider(msgspec.Struct, frozen=True):
    """All that one provider offers."""

    name: str
    """Full name: ``registry.terraform.io/hashicorp/aws``."""
    version: str
    """``5.100.0``; empty where it is not known."""
    resources: Mapping[str, Block]
    data: Mapping[str, Block]
