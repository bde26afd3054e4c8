"""Whether the sources are those of the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.hcl.manifest import is_local
from tfgate.model.address import config_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tfgate.hcl.index import SourceIndex


def is_whole(index: SourceIndex) -> bool:
    """Say whether all that Terraform would read was read, but modules from elsewhere.

    Where a file or a local module cannot be read, Terraform has made no plan of these sources.
    """
    for node in index.modules():
        if not node.source.complete:
            return False
        for name, call in node.source.calls.items():
            source = call.file.string(call.block, "source")
            if index.module((*node.calls, name)) is None and is_local(source or ""):
                return False
    return True


def disagreement(index: SourceIndex, addresses: Iterable[str]) -> list[str]:
    """Give the config addresses among ``addresses`` that no block declares, sorted.

    To be asked for what will exist after the apply: a resource that the plan deletes or forgets has
    no block, rightly. One that is imported with a generated configuration may have its ``import``
    block alone. Where anything could not be read, nothing can be said, and none are given.
    """
    if not index.complete:
        return []
    wanted = sorted({config_address(address) for address in addresses})
    return [
        address
        for address in wanted
        if index.declares(address) is False and not index.imports(address)
    ]
