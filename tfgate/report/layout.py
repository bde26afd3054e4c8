"""Lines of styled text, wrapped by the width that characters take on a terminal.

Built on rich's parts (``rich.cells`` for widths, ``rich.style`` for colour): importing its console
alone would take longer than the whole report of a small decision.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from tfgate.report import escape as neutral

Span = tuple[str, str]
"""Text that is already neutral, and the role it plays (``""`` is plain)."""

STYLES = {
    "allow": "bold green",
    "deny": "bold red",
    "undecided": "bold yellow",
    "heading": "bold underline",
    "rule": "bold cyan",
    "address": "bold",
    "severe": "red",
    "medium": "yellow",
    "quiet": "dim",
    "remedy": "green",
    "added": "green",
    "removed": "red",
    "changed": "yellow",
    "forces": "bold red",
}
"""Roles and their look. Colour only repeats what the words say."""

_COMBINING = "\u0300"
"""Where characters begin that take no column, or two."""

_ASCII = str.maketrans({"→": "->", "·": "-", "…": "..."})


class Sheet:
    """A report under construction: add lines, then ask for the text."""

    def __init__(self, width: int, *, color: bool, unicode: bool = True) -> None:
        self._width = width
        self._unicode = unicode
        self._paint = _painter() if color else _plain
        self._lines: list[str] = []

    def blank(self) -> None:
        """Add an empty line, unless there is one already."""
        if self._lines and self._lines[-1]:
            self._lines.append("")

    def add(self, *spans: Span, indent: int = 0, hang: int = 0) -> None:
        """Add a paragraph: first line at ``indent``, those that follow ``hang`` deeper."""
        room = max(self._width - indent - hang, 20)
        margin = " " * indent
        for line in self._wrapped(spans, room, room + hang):
            self._lines.append(margin + line)
            margin = " " * (indent + hang)

    def _wrapped(self, spans: Sequence[Span], room: int, first_room: int) -> Iterable[str]:
        text = "".join([text for text, _ in spans])
        # Nearly every line of a long report is this: there, words need not be taken apart.
        if self._paint is _plain and _is_narrow(text):
            return _fill_plain(text, room, first_room)
        lines = _fill(_words(spans), room, first_room)
        return ("".join([self._paint(*span) for span in _joined(line)]) for line in lines)

    def text(self) -> str:
        """Return everything added, ending in a newline."""
        text = "\n".join(self._lines).rstrip() + "\n"
        return text if self._unicode else text.translate(_ASCII)


def _joined(line: Sequence[Span]) -> list[Span]:
    """Put neighbours of one role together, so that colour is switched once."""
    joined: list[Span] = []
    for text, role in line:
        if joined and joined[-1][1] == role:
            joined[-1] = (joined[-1][0] + text, role)
        else:
            joined.append((text, role))
    return joined


def _plain(text: str, _role: str) -> str:
    return text


def _painter() -> Callable[[str, str], str]:
    from rich.color import ColorSystem  # late: colour goes to terminals alone
    from rich.style import Style

    styles = {role: Style.parse(look) for role, look in STYLES.items()}

    def paint(text: str, role: str) -> str:
        if role not in styles:
            return text
        return styles[role].render(text, color_system=ColorSystem.STANDARD)

    return paint


def _words(spans: Sequence[Span]) -> list[list[Span]]:
    """Split at blanks; a word may run over several spans."""
    words: list[list[Span]] = [[]]
    for text, role in spans:
        for number, part in enumerate(text.split(" ")):
            if number:
                words.append([])
            if part:
                words[-1].append((part, role))
    return words


def _cells(text: str) -> int:
    """Columns that a text takes; rich's tables, which cost 2 ms, are for what may be wide or none.

    Below U+0300 every character takes one column but controls, which are not printable.
    """
    if _is_narrow(text):
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _is_narrow(text: str) -> bool:
    return text.isprintable() and (text.isascii() or max(text) < _COMBINING)


def _fill_plain(text: str, room: int, first_room: int) -> Iterator[str]:
    """Do as ``_fill`` does, for text without colour whose characters take one column each."""
    text = text.lstrip(" ")
    limit = first_room
    while len(text) > limit:
        end = text.rfind(" ", 0, limit + 1)
        if end < 0:
            end = text.find(" ", limit)
        if end < 0:
            break
        yield _guarded_text(text[:end])
        text = text[end:].lstrip(" ")
        limit = room
    yield _guarded_text(text)


def _fill(words: Sequence[list[Span]], room: int, first_room: int) -> Iterator[list[Span]]:
    """Put words on lines of at most ``room`` cells (the first: ``first_room``).

    A word that is wider keeps a line to itself and is not cut: a terminal wraps it where it must,
    and an address can still be copied whole.
    """
    line: list[Span] = []
    used, limit = 0, first_room
    for word in words:
        width = sum(_cells(text) for text, _ in word)
        if used and used + 1 + width > limit:
            yield _guarded(line)
            line, used, limit = [], 0, room
        if used:
            inside = word and word[0][1] == line[-1][1]
            line.append((" ", line[-1][1] if inside else ""))
            used += 1
        line += word
        used += width
    yield _guarded(line)


def _guarded(line: list[Span]) -> list[Span]:
    """Keep a line from beginning with a CI system's command."""
    if not line or not line[0][0].startswith("::"):
        return line
    return [(neutral.log_line(line[0][0]), line[0][1]), *line[1:]]


def _guarded_text(line: str) -> str:
    return neutral.log_line(line) if line.startswith("::") else line


WIDEST: Final = 200
"""Characters that a column is widened to: one long cell does not blow up every row."""
LONGEST: Final = 2_000
"""Characters of a cell that are shown; whoever wants the whole asks for JSON."""


def in_columns(rows: Sequence[Sequence[str]], *, numbers: bool = False) -> list[str]:
    """Return a line for each row; all rows have as many cells, which are neutral already.

    With ``numbers`` every column but the first stands to the right.
    """
    shown = [[_cut(cell) for cell in row] for row in rows]
    widths = [min(max(map(len, column)), WIDEST) for column in zip(*shown, strict=True)]
    first, *rest = widths or [0]
    fill = str.rjust if numbers else str.ljust
    return ["  ".join([row[0].ljust(first), *map(fill, row[1:], rest)]).rstrip() for row in shown]


def _cut(cell: str) -> str:
    return cell if len(cell) <= LONGEST else f"{cell[:LONGEST]}…"
