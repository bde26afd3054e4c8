"""Finding a key that an object has twice: readers disagree on which of the two counts.

A decoder keeps the last one and says nothing. But it also gives, for each key it kept, the exact
bytes of the value; walking the text from key to key, skipping each value by its length, meets
every key that is really there. Where the bytes at hand are not those of the value that was kept,
the key comes again later. The walk costs as much as comparing the bytes once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, cast

import msgspec
from msgspec import Raw

from tfgate.errors import PlanError
from tfgate.plan.text import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_BETWEEN: Final = re.compile(rb"[ \t\r\n,]*")
_KEY: Final = re.compile(rb'"((?:[^"\\]|\\.)*)"[ \t\r\n]*:[ \t\r\n]*', re.DOTALL)
_OBJECT: Final = msgspec.json.Decoder(dict[str, Raw])
_LIST: Final = msgspec.json.Decoder(list[Raw])
_encode: Final = msgspec.json.Encoder().encode
_CHUNK: Final = 256
"""Entries encoded at a time: enough to be fast, few enough to need little memory."""
_LARGE_INDEX: Final = 10_000_000
"""Whole numbers from which the shortest spelling is five bytes shorter than the digits."""


def check_keys(text: bytes, kept: Mapping[str, Raw | Sequence[Raw]], where: str = "") -> None:
    """Raise PlanError if the object that ``text`` (valid JSON) holds has a key twice.

    ``kept`` has the value that a decoder kept for each key it knows; a list that it split is
    given as the elements' bytes. ``where`` is the object's JSON path.
    """
    everything: Mapping[str, Raw | Sequence[Raw]] = kept
    seen: set[str] = set()
    position = text.index(b"{") + 1
    while True:
        key = _KEY.match(text, _after(_BETWEEN, text, position))
        if key is None:
            return
        name = _name(key[1])
        if name not in everything:
            everything = {**cast("Mapping[str, Any]", _OBJECT.decode(text)), **kept}
        end = _skip(text, key.end(), everything[name])
        if name in seen or end is None:
            raise _repeated(name, where)
        seen.add(name)
        position = end


def check_entries(entries: Sequence[Any], raws: Sequence[Raw], where: str) -> None:
    """Raise PlanError if an entry, or the ``change`` in one, has a key twice.

    ``entries`` are the structs decoded from ``raws``. Those that give as many bytes again as they
    were read from had nothing that is not in the struct; only others are looked through.
    """
    for start in range(0, len(entries), _CHUNK):
        some = entries[start : start + _CHUNK]
        texts = raws[start : start + _CHUNK]
        if len(_encode(some)) != sum(map(len, texts)) + len(texts) + 1 or any(map(_odd, some)):
            for number, (entry, raw) in enumerate(zip(some, texts, strict=True), start):
                if len(_encode(entry)) != len(raw) or _odd(entry):
                    check_tree(raw, f"{where}[{number}]", levels=2)


def _odd(entry: Any) -> bool:
    """Whether an entry may give more bytes than it was read from: ``1e9`` becomes ten digits."""
    return type(entry.index) is int and entry.index >= _LARGE_INDEX


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


def _skip(text: bytes, position: int, kept: Raw | Sequence[Raw]) -> int | None:
    """Give the end of the value at ``position``, None if it is not the one that was kept."""
    if isinstance(kept, Raw):
        return position + len(kept) if text.startswith(memoryview(kept), position) else None
    if text[position : position + 1] != b"[":
        return None
    position += 1
    for element in kept:
        if not text.startswith(memoryview(element), position):
            position = _after(_BETWEEN, text, position)
            if not text.startswith(memoryview(element), position):
                return None
        position += len(element) + 1  # and the comma, most often
    end = _after(_BETWEEN, text, position - 1 if kept else position)
    return end + 1 if text[end : end + 1] == b"]" else None


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
