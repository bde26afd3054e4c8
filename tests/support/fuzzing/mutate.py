"""Broken copies of good inputs: of their bytes, their lines, their tokens and their JSON trees.

Everything is drawn from one ``random.Random``, so that a seed, or Hypothesis, replays it.
"""

from __future__ import annotations

import copy
import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence

MOST_BYTES = 256 * 1024
"""Longer results are cut: time goes into many inputs, not into large ones."""

INTERESTING = (
    b"", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\\ud800", b"\\u0000", b"\r", b"\n",
    b"\x1b[2J", "\u202e".encode(), "\u2028".encode(), b"-1", b"0", b"1e999", b"-0.0", b"1E400",
    b"9" * 40, b"9" * 5000, b"18446744073709551616", b"NaN", b"null", b"true", b"{}", b"[]", b'""',
    b"[" * 300, b"[" * 100_000, b"{" * 300, b'{"a":' * 40_000, b'{"a":' * 300, b"(" * 300,
    b"!" * 300, b'"', b"'", b"`", b"\\",
    b"${", b"%{", b"<<E\n", b"/*", b"*/", b"/**/" * 30, b"#",
    b"//", b"=", b"'''", b'"""', b"@", b"|", b"*",
    b"..", b"../", b"/dev/zero", b"CON", b"A" * 4096, b"\xc3\xa9", b"module.a.", b"[0]", b'["x"]',
)  # fmt: skip

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1.5, 2**53 + 1, 2**64, 10**400, 1e308, "", "a", "\x00",
    "\x1b]0;x\x07", "\u202e", "\ud800", "x" * 5000, "<script>", "::error::x", "](javascript:x)",
    "=1+1", [], {}, [None], [[]], {"": None}, {"a": {"a": {"a": []}}}, ["create"],
    ["delete", "create"], [0] * 50, "<deep>",
)  # fmt: skip
DEEP = (b'"<deep>"', b"[" * 2000 + b"]" * 2000)
"""What stands for a value that nests too deeply to be written, and that value."""

PUMPS = (
    "[", '["', '[\\"', '\\"', "\n", "\n ", "module.a[", "a.", ".", 'a["x"]', "{", "}", "<", "&",
    "`", "*", "_", "|", "](", "::", "\x1b[", "\u202e", "\u0301", "a", "1", "-", " ", "\t", "=", ",",
    "\\", "%0A",
)  # fmt: skip
"""Pieces of long texts."""

TOKEN = re.compile(rb"\w+|\s+|[^\w\s]")
QUOTED = re.compile(rb'"[^"\n]*"|\d{4}-\d\d-\d\d')


def mutate(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Return a broken copy of ``data``, made with one to six changes; parts may come of others."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        change = chance.choice(_CHANGES)
        data = change(data, others, chance)[:MOST_BYTES]
    return data


def _place(data: bytes, chance: random.Random) -> tuple[int, int]:
    start = chance.randint(0, len(data))
    length = chance.choice((0, 1, 2, 8, 64, 1024))
    return start, min(len(data), start + length)


def _flip(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    if not data:
        return b"\x80"
    at = chance.randrange(len(data))
    return data[:at] + bytes([data[at] ^ (1 << chance.randrange(8))]) + data[at + 1 :]


def _insert(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:start] + chance.choice(INTERESTING) + data[chance.choice((start, end)) :]


def _delete(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:start] + data[end:]


def _repeat(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    start, end = _place(data, chance)
    return data[:end] + data[start:end] * chance.choice((1, 2, 30)) + data[end:]


def _pump(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    """Repeat a small piece very often: what goes back and forth over its input takes for ever."""
    start, end = _place(data, chance)
    piece = data[start : min(end, start + 16)] or chance.choice(INTERESTING)[:16] or b" "
    times = min(chance.choice((1000, 10_000, 60_000)), MOST_BYTES // 2 // len(piece))
    return data[:end] + piece * times + data[end:]


def _append(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Put something behind the end: there may be a second document, and what of a third?"""
    more = chance.choice(others) if others and chance.randrange(3) else chance.choice(INTERESTING)
    return data + chance.choice((b"", b"\n")) + more


def _cut(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    return data[: chance.randint(0, len(data))]


def _splice(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    other = chance.choice(others) if others else b""
    start, end = _place(other, chance)
    at, until = _place(data, chance)
    return data[:at] + other[start:end] + data[chance.choice((at, until)) :]


def _lines(data: bytes, _others: Sequence[bytes], chance: random.Random) -> bytes:
    lines = data.split(b"\n")
    one, two = chance.randrange(len(lines)), chance.randrange(len(lines))
    how = chance.randrange(3)
    if how == 0:
        lines[one], lines[two] = lines[two], lines[one]
    elif how == 1:
        lines.insert(two, lines[one])
    else:
        del lines[one]
    return b"\n".join(lines)


def _tokens(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Put one token in the place of another, of this input or of others."""
    spans = [match.span() for match in TOKEN.finditer(data[:20_000])]
    if not spans:
        return data
    start, end = chance.choice(spans)
    source = chance.choice(others) if others and chance.randrange(3) == 0 else data
    found = TOKEN.findall(source[:20_000])
    given = chance.choice(found) if found and chance.randrange(3) else chance.choice(INTERESTING)
    return data[:start] + given + data[end:]


def _strings(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Put one quoted text or day in the place of another, of this input or of others."""
    spans = [match.span() for match in QUOTED.finditer(data[:20_000])]
    if not spans:
        return data
    start, end = chance.choice(spans)
    source = chance.choice(others) if others and chance.randrange(3) == 0 else data
    found = QUOTED.findall(source[:20_000])
    return data[:start] + chance.choice(found or [b'""']) + data[end:]


def _tree(data: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Change the tree of a JSON document: this reaches what lies behind the parser."""
    try:
        root = json.loads(data)
    except (ValueError, RecursionError):
        return _tokens(data, others, chance)
    for _ in range(chance.choice((1, 1, 2, 5))):
        root = _changed(root, chance)
    text = json.dumps(root)
    if chance.randrange(10) == 0:
        text = _repeat_key(text, chance)
    return text.encode("utf-8", "surrogatepass").replace(*DEEP)


def _changed(root: Any, chance: random.Random) -> Any:
    """Return the tree with one node replaced, removed, repeated, or moved elsewhere."""
    places = list(_places(root))
    if not places:
        return _value(chance)
    holder, key = chance.choice(places)
    how = chance.randrange(5)
    if how == 0:
        del holder[key]
    elif how == 1:
        holder[key] = _long(chance) if chance.randrange(8) == 0 else _value(chance)
    elif how == 2:
        source, name = chance.choice(places)
        # A copy: the tree must stay a tree.
        if name in source if isinstance(source, dict) else name < len(source):
            holder[key] = copy.deepcopy(source[name])
    elif how == 3 and isinstance(holder, list):
        holder.insert(key, copy.deepcopy(holder[key]))
    elif isinstance(holder, dict):
        holder[chance.choice([str(name) for _, name in places])] = copy.deepcopy(holder[key])
    return root


def _value(chance: random.Random) -> Any:
    return copy.deepcopy(chance.choice(VALUES))


def _long(chance: random.Random) -> Any:
    """Return a value with very much of one thing in it."""
    piece = chance.choice(PUMPS)
    times = 60_000 // len(piece)
    kind = chance.randrange(4)
    if kind == 0:
        return [piece] * (times // 4)
    return {f"{piece}{number}": number for number in range(4000)} if kind == 1 else piece * times


def _places(root: Any) -> list[tuple[Any, Any]]:
    """Return every place of a tree as its holder and key, at most some thousands."""
    found: list[tuple[Any, Any]] = []
    waiting = [root]
    while waiting and len(found) < 5000:
        holder = waiting.pop()
        if isinstance(holder, dict):
            found.extend((holder, key) for key in holder)
            waiting.extend(holder.values())
        elif isinstance(holder, list):
            found.extend((holder, key) for key in range(len(holder)))
            waiting.extend(holder)
    return found


def _repeat_key(text: str, chance: random.Random) -> str:
    """Write a member twice, with another value: readers differ in which one they take."""
    members = [match.start() for match in re.finditer(r'"\w+": ', text)]
    if not members:
        return text
    at = chance.choice(members)
    name = text[at : text.index(":", at)]
    return f"{text[:at]}{name}: {json.dumps(chance.choice(VALUES[:10]))}, {text[at:]}"


_CHANGES: tuple[Callable[[bytes, Sequence[bytes], random.Random], bytes], ...] = (
    _flip, _insert, _insert, _delete, _repeat, _pump, _append, _cut, _splice, _lines, _tokens,
    _tokens, _strings, _strings, _tree, _tree, _tree, _tree,
)  # fmt: skip
