"""Takes addresses and attribute paths apart."""

from __future__ import annotations

import re

_STEP = re.compile(
    r'\["((?:[^"\\]|\\.)*)"\]|\[(\d+)\]|\[[^\[\]]*\]|\.?"((?:[^"\\]|\\.)*)(?:"|\Z)'
    r'|\.?([^.\[\]"]+)|.',
    re.DOTALL,
)
"""Each part ends where another could begin, so that a hostile path is gone through once."""


def split_modules(address: str) -> tuple[tuple[str, ...], str]:
    """Split a config address into the names of its module calls and the rest.

    The rest of a module call's own address is ``module.NAME``; of a root address, all of it.
    """
    parts = address.split(".")
    calls: list[str] = []
    while len(parts) > 2 and parts[0] == "module":
        calls.append(parts[1])
        parts = parts[2:]
    return tuple(calls), ".".join(parts)


def join_modules(calls: tuple[str, ...], rest: str = "") -> str:
    """Write the config address of ``rest`` inside the module calls ``calls``."""
    prefix = "".join(f"module.{name}." for name in calls)
    return prefix + rest if rest else prefix[:-1]


def path_steps(path: str) -> list[str | int]:
    """Split an attribute path such as ``ingress[1].tags["a b"]`` into its steps.

    A step that is neither a name nor a number (``[*]``, a filter) is left out.
    """
    steps: list[str | int] = []
    for quoted, number, name_quoted, name in _STEP.findall(path):
        if number:
            steps.append(int(number[:9]))
        elif quoted or name_quoted or name:
            steps.append(quoted or name_quoted or name)
    return steps
