"""What stands at the cursor of a rule file that may be half-written."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PATH = re.compile(
    r"(?:@|[A-Za-z_][A-Za-z0-9_]*|\"[^\"\n]*\")(?:\.(?:[A-Za-z0-9_]*|\"[^\"\n]*\")|\[[^\[\]\n]*\])*$"
)
_NAME_ARGUMENT = re.compile(r"\b([a-z_]+)\(\s*'([A-Za-z0-9_.*-]*)$")
_TYPES = re.compile(r"(?:^|[\s{.])types\s*=\s*\[([^\]]*)", re.DOTALL)
_STRING = re.compile(r"[\"']([^\"'\n]*)[\"']")
_RULE = re.compile(r"^[ \t]*\[\[rules\]\]", re.MULTILINE)
_KEY = re.compile(
    r"^\s*(?:let\.[A-Za-z0-9_-]+|(when|deny|require|message|let|types|match\.types|match))\s*="
)

_LONGEST = 1000
"""Characters before the cursor that are looked at: a path is searched from each of them."""


@dataclass(frozen=True)
class Place:
    """A place in a rule file."""

    types: tuple[str, ...]
    """Types that the rule around it matches."""
    key: str
    """Key that the line belongs to: ``deny``, ``let``, ``message``, ``types``, …; may be empty."""
    path: str
    """Path that ends here, from the root of the subject: ``after.ingress[].fr``."""
    argument: tuple[str, str] | None
    """Inside the first argument of a call: the function, and what is written of the argument."""


def place_at(text: str, offset: int) -> Place:
    """Say what is at an offset of a text."""
    start, end = _rule_around(text, offset)
    types = tuple(
        kind for found in _TYPES.finditer(text[start:end]) for kind in _STRING.findall(found[1])
    )
    line = text[max(text.rfind("\n", 0, offset) + 1, offset - _LONGEST) : offset]
    key = _key(text, start, offset)
    argument = _NAME_ARGUMENT.search(line)
    return Place(types, key, _path(line, key), (argument[1], argument[2]) if argument else None)


def word_end(text: str, offset: int) -> int:
    """Give the end of the name around an offset."""
    end = offset
    while end < len(text) and (text[end].isalnum() or text[end] == "_"):
        end += 1
    return end


def _rule_around(text: str, offset: int) -> tuple[int, int]:
    """Give the bounds of the ``[[rules]]`` table around an offset; else of the whole file."""
    starts = [found.start() for found in _RULE.finditer(text)]
    before = [start for start in starts if start <= offset]
    after = [start for start in starts if start > offset]
    return (before[-1] if before else 0), (after[0] if after else len(text))


def _key(text: str, start: int, offset: int) -> str:
    """Give the key of the value around an offset: of the nearest line above that has one."""
    for line in reversed(text[start:offset].split("\n")[-60:]):
        found = _KEY.match(line)
        if found:
            return (found[1] or "let").removeprefix("match.")
        if re.match(r"^\s*(\[|[A-Za-z0-9_.-]+\s*=)", line):
            return ""
    return ""


def _path(line: str, key: str) -> str:
    """Give the path that ends the line, led by the lists whose filters it stands in."""
    if key == "message":
        opened = line.rfind("{")
        return line[opened + 1 :] if opened > line.rfind("}") else ""
    path = _ending(line)
    opened = _open_filter(line)
    while opened >= 0:
        base = _ending(line[:opened])
        path = f"{base}[].{path}" if base else path
        opened = _open_filter(line[:opened])
    return path


def _ending(line: str) -> str:
    found = _PATH.search(line)
    return found[0] if found else ""


def _open_filter(line: str) -> int:
    """Give the place of the last ``[?`` that is not closed, -1 where there is none."""
    depth = 0
    for place in range(len(line) - 1, -1, -1):
        if line[place] == "]":
            depth += 1
        elif line[place] == "[":
            if depth == 0:
                return place if line[place + 1 : place + 2] == "?" else -1
            depth -= 1
    return -1
