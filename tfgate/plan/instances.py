"""Which instances of two resources a reference between their blocks connects.

A reference in ``configuration`` has no instances: ``aws_s3_bucket.b[each.key].id`` comes as
``aws_s3_bucket.b``. Where keys agree, the instances with the same key belong together; where
they do not, nobody knows.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.change import Change
    from tfgate.plan.resolver import Target

_MODULE: Final = re.compile(r'module\.([^.\[]+)(\["(?:[^"\\]|\\.)*"\]|\[[^\[\]]*\])?')


def connected(referrers: Sequence[Change], target: Change, mention: Target) -> list[Change] | None:
    """Give those of a block's instances that refer to ``target``; None if nobody knows.

    ``mention`` is how the block refers to the target's block.
    """
    near = [change for change in referrers if _same_modules(change, target)]
    if not near:
        return []
    if _hidden_module_key(near[0], target):
        return None
    if mention.key is not None:
        return near if mention.key == _written(target.index) else []
    if target.index is None or not mention.by_key:
        return near
    same = [change for change in near if change.index == target.index]
    return same or None


def _written(index: int | str | None) -> str | None:
    """The key of an instance as a reference writes it."""
    if isinstance(index, str):
        escaped = index.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return None if index is None else str(index)


@lru_cache(maxsize=256)
def _steps(module_address: str) -> list[tuple[str, str]]:
    return [(match[1], match[2] or "") for match in _MODULE.finditer(module_address)]


def _same_modules(one: Change, other: Change) -> bool:
    """Whether the module instances that both stand in are the same ones."""
    if one.module_address == other.module_address:
        return True
    pairs = zip(_steps(one.module_address), _steps(other.module_address), strict=False)
    for (name, key), (other_name, other_key) in pairs:
        if name != other_name:
            return True
        if key != other_key:
            return False
    return True


def _hidden_module_key(referrer: Change, target: Change) -> bool:
    """Whether the target stands in a keyed module that the referrer does not stand in."""
    if referrer.module_address == target.module_address:
        return False
    steps = _steps(target.module_address)
    common = 0
    for step, other in zip(_steps(referrer.module_address), steps, strict=False):
        if step != other:
            break
        common += 1
    return any(key for _, key in steps[common:])
