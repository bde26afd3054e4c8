"""Which instances of a block a reference between two blocks may connect.

A reference in ``configuration`` has no instances: ``aws_s3_bucket.b[each.key].id`` comes as
``aws_s3_bucket.b``. What can be told is which instances cannot be meant: those of other instances
of the same module, and those with another key where the key is a constant.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from tfgate.plan.configuration import without_keys

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.plan.change import Change

_MODULE: Final = re.compile(r'module\.([^.\[]+)(\["(?:[^"\\]|\\.)*"\]|\[[^\[\]]*\])?')


class Instances:
    """The instances of one block, found by the module instance that they stand in."""

    __slots__ = ("_by_module", "_path")

    def __init__(self, changes: Iterable[Change]) -> None:
        self._by_module: dict[str, list[Change]] = {}
        for change in changes:
            self._by_module.setdefault(change.module_address, []).append(change)
        self._path = without_keys(next(iter(self._by_module), ""))

    def near(self, target: Change) -> Iterator[Change]:
        """Yield those that do not stand in another instance of a module that ``target`` is in."""
        here = target.module_address
        if here in self._by_module or without_keys(here) == self._path:
            yield from self._by_module.get(here, ())
            return
        for address, changes in self._by_module.items():
            if _same_modules(address, here):
                yield from changes


def may_mean(key: str | None, target: Change) -> bool:
    """Whether a reference with this constant key (None for none) can mean ``target``."""
    return key is None or key == _written(target.index)


def _written(index: int | str | None) -> str | None:
    """The key of an instance as a reference writes it."""
    if isinstance(index, str):
        escaped = index.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return None if index is None else str(index)


@lru_cache(maxsize=4096)
def steps(module_address: str) -> tuple[tuple[str, str], ...]:
    """Take a module's address apart: call and key with its brackets, the outermost first."""
    return tuple((match[1], match[2] or "") for match in _MODULE.finditer(module_address))


def _same_modules(one: str, other: str) -> bool:
    """Whether the module instances that both stand in are the same ones."""
    for (name, key), (other_name, other_key) in zip(steps(one), steps(other), strict=False):
        if name != other_name:
            return True
        if key != other_key:
            return False
    return True
