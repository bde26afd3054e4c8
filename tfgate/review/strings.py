"""Strings that hold more than a word: documents written as JSON, and texts of several lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Final, NoReturn

from tfgate.review.model import Line, Mark

_MAX_DOCUMENT: Final = 512 * 1024
"""Characters of a string that is still read as JSON. IAM's largest policies have 20,000."""
_MAX_DEPTH: Final = 40
"""Levels of a document that are laid out; a deeper one is shown as the string that it is."""
_MAX_COMPARED: Final = 250_000
"""Lines before times lines after (their common start and end left out) that are matched up: the
time grows with this product, and whoever writes the plan chooses it."""
_CONTEXT: Final = 2
"""Unchanged lines that are shown around changed ones."""


def document(text: str) -> Any:
    """Read a string that is a JSON object or array with something in it; else give ``None``.

    A document that repeats a key, or that JSON readers may read differently, is no document here:
    what is shown must be what every reader of the string would find.
    """
    if text.lstrip(" \t\r\n")[:1] not in ("{", "[") or len(text) > _MAX_DOCUMENT:
        return None
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_refuse, parse_float=_number
        )
    except (ValueError, RecursionError):
        return None
    return value if value and _depth_fits(value) else None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("a key is repeated")
    return members


def _refuse(_: str) -> NoReturn:
    raise ValueError("no JSON number")


def _number(text: str) -> float:
    number = float(text)
    if repr(number) != text:
        raise ValueError("a number that others may read or write differently")
    return number


def _depth_fits(value: Any) -> bool:
    level = [value]
    for _ in range(_MAX_DEPTH):
        level = [
            part
            for parent in level
            for part in (parent.values() if type(parent) is dict else parent)
            if type(part) is dict or type(part) is list
        ]
        if not level:
            return True
    return False


def has_lines(text: str) -> bool:
    """Whether a text has more than one line with something on it."""
    return "\n" in text.strip("\n")


def one_sided(text: str, mark: Mark) -> tuple[Line, ...]:
    """Return every line of a text that comes or goes."""
    return tuple(Line(mark, line) for line in _lines(text))


def compared(before: str, after: str) -> tuple[Line, ...]:
    """Compare two texts by line; unchanged lines far from a change are left out and counted."""
    return tuple(_shortened(list(_compare(_lines(before), _lines(after)))))


def end_note(before: str, after: str) -> str:
    """Whether the last line gets or loses its line end, which the lines do not show."""
    if before.endswith("\n") == after.endswith("\n"):
        return ""
    return "the last line's end goes" if before.endswith("\n") else "a line end comes at the end"


def _lines(text: str) -> list[str]:
    lines = text.split("\n")
    return lines if lines[-1] else lines[:-1]


def _compare(before: list[str], after: list[str]) -> Iterator[Line]:
    start = common(before, after)
    stop = common(before[start:][::-1], after[start:][::-1])
    yield from (Line(Mark.SAME, line) for line in before[:start])
    old, new = before[start : len(before) - stop], after[start : len(after) - stop]
    if len(old) * len(new) > _MAX_COMPARED:
        yield from _replaced(old, new)
    else:
        yield from _matched(old, new)
    yield from (Line(Mark.SAME, line) for line in before[len(before) - stop :])


def common(before: Sequence[str], after: Sequence[str]) -> int:
    """Count the lines, or characters, that both begin with."""
    count = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        count += 1
    return count


def _matched(before: list[str], after: list[str]) -> Iterator[Line]:
    matcher = SequenceMatcher(None, before, after, autojunk=False)
    for kind, old, old_end, new, new_end in matcher.get_opcodes():
        if kind == "equal":
            yield from (Line(Mark.SAME, line) for line in before[old:old_end])
        else:
            yield from _replaced(before[old:old_end], after[new:new_end])


def _replaced(before: Iterable[str], after: Iterable[str]) -> Iterator[Line]:
    yield from (Line(Mark.REMOVED, line) for line in before)
    yield from (Line(Mark.ADDED, line) for line in after)


def _shortened(lines: list[Line]) -> Iterator[Line]:
    changed = [number for number, line in enumerate(lines) if line.mark is not Mark.SAME]
    near = {number for place in changed for number in range(place - _CONTEXT, place + _CONTEXT + 1)}
    left_out = 0
    for number, line in enumerate(lines):
        if number in near:
            if left_out:
                yield _gap(left_out)
            left_out = 0
            yield line
        else:
            left_out += 1
    if left_out:
        yield _gap(left_out)


def _gap(number: int) -> Line:
    noun = "line" if number == 1 else "lines"
    return Line(Mark.SAME, f"{number:,} unchanged {noun}", skipped=True)
