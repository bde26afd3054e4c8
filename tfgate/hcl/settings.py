"""The settings of a module: its ``terraform`` blocks as one, and what else says what it needs.

Terraform merges the ``terraform`` blocks of a module, wherever they stand; a rule that asks for
``required_version`` in each would be wrong about most of them.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tfgate.hcl.contents import Contents
from tfgate.hcl.places import Addresses
from tfgate.hcl.subject import SourceBlock
from tfgate.model.location import Location
from tfgate.query.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.hcl.index import ModuleNode
    from tfgate.hcl.places import Users
    from tfgate.hcl.scanner import Block
    from tfgate.hcl.sources import SourceFile

SETTINGS = "terraform"
"""The kind of block whose blocks are one."""
_REPLACED = ("backend", "cloud")
"""Nested blocks of which there is one: that of an override file, where it has one."""
_NEEDING = ("resource", "data", "ephemeral", "list")
"""Kinds whose type begins with the local name of its provider."""
_BUILT_IN = frozenset({"terraform"})


def settings_block(users: Users, parts: Sequence[tuple[bool, SourceBlock]]) -> SourceBlock:
    """Give one block for all ``terraform`` blocks of a module; each part says if it overrides.

    Its place is that of the first; without any, the top of the module's first file.
    """
    ordered = [block for _, block in sorted(parts, key=lambda part: part[0])]
    errors = [block.error for block in ordered if block.error is not None]
    known = _merged([(override, block.known) for override, block in parts])
    found = Contents(
        errors[0] if errors else None,
        {} if errors else known,
        lambda: _merged([(override, block.value) for override, block in parts]),
    )
    block = SourceBlock(
        SETTINGS,
        (),
        ordered[0].location if ordered else _top(users.first),
        Addresses(users.addresses, SETTINGS),
        users.addresses,
        found,
        lambda path: _find(ordered, users.first, path),
    )
    block.more = lru_cache(maxsize=1)(lambda: _more(users.first, known))
    return block


def _more(node: ModuleNode, known: dict[str, Any]) -> dict[str, Any]:
    return {"blocks": _counts(node), "providers": _providers(node, known)}


def _top(node: ModuleNode) -> Location:
    files = node.source.files
    name = files[0].name if files else f"{node.source.directory.name}/"
    return Location(name, 1, None, node.chain)


def _merged(parts: Sequence[tuple[bool, dict[str, Any]]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for override, part in sorted(parts, key=lambda one: one[0]):
        for name, value in part.items():
            before = body.get(name)
            replaces = override and name in _REPLACED
            if isinstance(value, list) and isinstance(before, list) and not replaces:
                body[name] = [*before, *value]
            else:
                body[name] = value
    return body


def _find(blocks: Sequence[SourceBlock], node: ModuleNode, path: str) -> Location:
    """Look in the last block that has the first step, and has a line of its own for it."""
    first = path.partition(".")[0].partition("[")[0]
    having = [block for block in blocks if first in block.known]
    if having:
        return having[-1].place(path)
    return blocks[0].location if blocks else _top(node)


def _counts(node: ModuleNode) -> dict[str, int]:
    return dict(
        sorted(
            Counter(block.kind for file in node.source.files for block in file.body.blocks).items()
        )
    )


def _providers(node: ModuleNode, known: dict[str, Any]) -> list[dict[str, Any]]:
    """List the providers of a module: those it requires, and those its blocks use.

    ``path`` leads to the requirement in the ``terraform`` block, where there is one.
    """
    required = _required(known)
    used = _used(node)
    return [
        {"name": name, "required": name in required, "used": name in used, **_facts(name, required)}
        for name in sorted({*required, *used} - _BUILT_IN)
    ]


def _facts(name: str, required: dict[str, Any]) -> dict[str, Any]:
    requirement = required.get(name)
    path = f"required_providers.{name}" if name in required else "required_providers"
    if isinstance(requirement, dict):
        source, version = requirement.get("source"), requirement.get("version")
    elif isinstance(requirement, Unknown):
        source, version = UNKNOWN, UNKNOWN
    else:
        # Up to Terraform 0.12 the version alone was written.
        source, version = None, requirement
    return {"source": source, "version": version, "path": path}


def _required(known: dict[str, Any]) -> dict[str, Any]:
    listed = known.get("required_providers")
    found: dict[str, Any] = {}
    for entry in listed if isinstance(listed, list) else [listed]:
        if isinstance(entry, dict):
            found.update(entry)
    return found


def _provider(file: SourceFile, block: Block) -> str:
    """Give the local name of a block's provider: as its argument says, or as its type does."""
    text = file.text or ""
    # Few blocks say it, and looking into each would cost more than all the rest.
    says = text.find("provider", block.opened, block.closed) >= 0
    chosen = file.expression(block, "provider") if says else None
    return (chosen or block.labels[0].partition("_")[0]).partition(".")[0].strip('"')


def _used(node: ModuleNode) -> set[str]:
    names = set()
    for file in node.source.files:
        for block in file.body.blocks:
            if block.kind == "provider" and block.labels:
                names.add(block.labels[0])
            elif block.kind in _NEEDING and block.labels:
                names.add(_provider(file, block))
    return names
