"""Paths of an example's ``unknown``, ``null`` and ``sensitive``, and putting values there."""

from __future__ import annotations

import re
from typing import Any, Final

_STEP: Final = re.compile(r'\.?(?:"((?:[^"\\]|\\.)+)"|([^."\[\]]+))|\[(\d+)\]')
_LARGEST: Final = 9_999
"""Index of an element: the list is made up to it, in memory."""

Step = str | int


def parse_path(path: str) -> tuple[Step, ...]:
    """Take ``ingress[0].cidr_blocks`` apart: ``("ingress", 0, "cidr_blocks")``."""
    steps: list[Step] = []
    for quoted, plain, number in _STEP.findall(path):
        steps.append(min(int(number[:9]), _LARGEST) if number else quoted or plain)
    return tuple(steps)


def put(root: Any, path: tuple[Step, ...], value: Any) -> Any:
    """Give ``root`` with ``value`` at ``path``; objects and lists on the way are made.

    ``root`` is changed where it can be; a part that is no container gives way to one.
    """
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = root if isinstance(root, list) else []
        items.extend([None] * (step + 1 - len(items)))
        items[step] = put(items[step], rest, value)
        return items
    table = root if isinstance(root, dict) else {}
    table[step] = put(table.get(step), rest, value)
    return table


def leave_out(root: Any, path: tuple[Step, ...]) -> None:
    """Take what is at ``path`` out, as the format does with unknown values.

    A list keeps its length: its element becomes null.
    """
    *way, last = path
    for step in way:
        inside = isinstance(root, dict) if isinstance(step, str) else isinstance(root, list)
        if not inside or (isinstance(step, int) and step >= len(root)):
            return
        root = root.get(step) if isinstance(root, dict) else root[step]
    if isinstance(root, dict):
        root.pop(last, None)
    elif isinstance(root, list) and isinstance(last, int) and last < len(root):
        root[last] = None
