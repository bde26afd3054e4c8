"""Finding a key that an object has twice: readers disagree on which of the two counts.

A decoder keeps the last one and says nothing. But it also gives, for each key it kept, the exact
bytes of the value; walking the text from key to key, skipping each value by its length, meets
every key that is really there. Where the bytes at hand are not those of the value that was kept,
the key comes again later. The walk costs as much as comparing the bytes once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, cast

import msgspec
from msgspec import Raw

from tfgate.errors import PlanError
from tfgate.model.text import is_printable, late
from tfgate.plan.change import LONGEST_NAME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tfgate.plan.change import Entry


# --- Showing keys and addresses of a plan inside an error: one line, no control characters.


MAX_SHOWN: Final = 200
"""Characters of an address or key that an error shows."""


def shown(text: str) -> str:
    """Return ``text`` fit for an error: control and format characters escaped, long ones cut."""
    cut = text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "…"
    return "".join(c if is_printable(c) else c.encode("unicode_escape").decode() for c in cut)


_BETWEEN: Final = late(rb"[ \t\r\n,]*")
# Bounded: of each repetition the pattern remembers more than a hundred bytes.
_KEY: Final = late(rb'"((?:[^"\\]|\\.){0,%d})"[ \t\r\n]*:[ \t\r\n]*' % LONGEST_NAME, re.DOTALL)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_LIST: Final = msgspec.json.Decoder(list[Raw])
_encode: Final = msgspec.json.Encoder().encode
_CHUNK: Final = 256
"""Entries encoded at a time: enough to be fast, few enough to need little memory."""


def check_plan(text: bytes, kept: Mapping[str, Raw], entries: Sequence[Entry] | None) -> None:
    """Raise PlanError if a plan has a top-level key twice, or one of its resource changes has.

    ``kept`` has the bytes of the undecoded parts, ``entries`` is ``resource_changes`` decoded.
    """
    section = "resource_changes"
    exact = True

    def end_of(name: str, position: int) -> int | None:
        nonlocal exact
        if name != section or entries is None:
            return None
        end = _end_of_entries(text, position, entries)
        exact = exact and end is not None
        return end

    everything = check_keys(text, kept, end_of=end_of)
    if entries and not exact:
        check_entries(entries, _LIST.decode(everything[section]), section)


def check_keys(
    text: bytes,
    kept: Mapping[str, Raw],
    where: str = "",
    end_of: Callable[[str, int], int | None] = lambda name, position: None,
) -> Mapping[str, Raw]:
    """Raise PlanError if the object that ``text`` (valid JSON) holds has a key twice.

    ``kept`` has the bytes of the value that a decoder kept, for each key it knows; for others,
    ``end_of`` may find the end of the value at a position by proving that it is the one that was
    kept. ``where`` is the object's JSON path. Returns the bytes of all values that were needed.
    """
    everything = kept
    seen: set[str] = set()
    position = text.index(b"{") + 1
    while True:
        position = _after(_BETWEEN, text, position)
        key = _KEY.match(text, position)
        if key is None and text[position : position + 1] == b'"':
            raise PlanError(
                f"a key has more than {LONGEST_NAME:,} characters, which no key of the format has.",
                where=where or None,
                hint="Make the plan JSON again with `terraform show -json PLANFILE`.",
            )
        if key is None:
            return everything
        name = _name(key[1])
        end = None if name in everything else end_of(name, key.end())
        if end is None:
            if name not in everything:
                everything = {**_OBJECT.decode(text), **kept}
            end = _end_of_value(text, key.end(), everything[name])
        if name in seen or end is None:
            raise _repeated(name, where)
        seen.add(name)
        position = end


def check_entries(entries: Sequence[Entry], raws: Sequence[Raw], where: str) -> None:
    """Raise PlanError if an entry, or the ``change`` in one, has a key twice.

    ``entries`` are the structs decoded from ``raws``. Those that give as many bytes again as they
    were read from had nothing that is not in the struct; only others are looked through.
    """
    for number, (entry, raw) in enumerate(zip(entries, raws, strict=True)):
        if len(_encode(entry)) != len(raw):
            check_tree(raw, f"{where}[{number}]", levels=2)


def check_tree(raw: Raw, where: str, *, levels: int) -> None:
    """Raise PlanError if an object in the first ``levels`` levels of ``raw`` has a key twice."""
    text = bytes(raw)
    if text[:1] == b"[":
        children = {f"[{number}]": part for number, part in enumerate(_LIST.decode(raw))}
    elif text[:1] == b"{":
        kept = _OBJECT.decode(raw)
        check_keys(text, kept, where)
        children = {f".{shown(name)}": part for name, part in kept.items()}
    else:
        return
    if levels > 1:
        for step, part in children.items():
            check_tree(part, f"{where}{step}", levels=levels - 1)


def _end_of_value(text: bytes, position: int, kept: Raw) -> int | None:
    """Return the end of the value at ``position``, None if it is not the one that was kept."""
    return position + len(kept) if text.startswith(memoryview(kept), position) else None


def _end_of_entries(text: bytes, position: int, entries: Sequence[Entry]) -> int | None:
    """Return the end of the list at ``position`` if it is written as Terraform writes it."""
    for start in range(0, len(entries), _CHUNK):
        chunk = memoryview(_encode(entries[start : start + _CHUNK]))
        if text[position : position + 1] != (b"," if start else b"["):
            return None
        if not text.startswith(chunk[1:-1], position + 1):
            return None
        position += len(chunk) - 1
    return position + 1 if entries and text[position : position + 1] == b"]" else None


def _after(pattern: re.Pattern[bytes], text: bytes, position: int) -> int:
    found = pattern.match(text, position)
    return position if found is None else found.end()


def _name(key: bytes) -> str:
    if b"\\" not in key:
        return key.decode()
    return cast("str", msgspec.json.decode(b'"' + key + b'"'))


def _repeated(name: str, where: str) -> PlanError:
    return PlanError(
        f'the key "{shown(name)}" occurs twice, so that readers disagree on what the plan says.',
        where=where or None,
        hint="Make the plan JSON again with `terraform show -json PLANFILE`.",
    )
