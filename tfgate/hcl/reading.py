"""Gets the shapes of many files: from the cache, or parsed, on all processors where it pays."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import TYPE_CHECKING

import msgspec

from tfgate.hcl.shapes import FileShapes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lark import Lark

    from tfgate.hcl.cache import Cache

    Progress = Callable[[int, int], None]
    """Called with the number of files done and of all, after each that was parsed."""

FORMAT = "1"
"""Changes whenever shapes, or what they say of a text, do: old entries are not found then."""

WORTH_A_PROCESS = 150_000
"""Characters that take as long to parse as a process takes to start, about a third of a second."""


def read_shapes(
    texts: Sequence[str],
    *,
    cache: Cache | None,
    processes: int = 1,
    progress: Progress | None = None,
) -> list[FileShapes]:
    """Give the shapes of each text, in order.

    ``processes`` is how many may work at a time, this one included; more are started only for as
    much text as keeps them busy. Where they cannot be started, this one does it all.
    """
    found: dict[int, FileShapes] = {}
    for number, text in enumerate(texts):
        kept = None if cache is None else _from_cache(cache, text)
        if kept is not None:
            found[number] = kept
    missing = [number for number in range(len(texts)) if number not in found]
    if missing:
        _Parsing(texts, missing, found, cache, progress).run(processes)
    return [found[number] for number in range(len(texts))]


class _Parsing:
    """Parses what the cache does not have."""

    def __init__(
        self,
        texts: Sequence[str],
        missing: list[int],
        found: dict[int, FileShapes],
        cache: Cache | None,
        progress: Progress | None,
    ) -> None:
        self._texts = texts
        self._missing = missing
        self._found = found
        self._cache = cache
        self._progress = progress

    def run(self, processes: int) -> None:
        from tfgate.hcl.grammar import parser
        from tfgate.hcl.worker import Worker

        lark, tables = parser(self._cache)
        shares = self._shares(processes)
        workers = [Worker([self._texts[one] for one in share], tables) for share in shares[1:]]
        self._here(lark, shares[0])
        for worker, share in zip(workers, shares[1:], strict=True):
            results = worker.results()
            if results is None or len(results) != len(share):
                self._here(lark, share)
                continue
            for number, shapes in zip(share, results, strict=True):
                self._keep(number, shapes)

    def _shares(self, processes: int) -> list[list[int]]:
        """Deal the texts out, the longest first, each to who has least."""
        total = sum(len(self._texts[number]) for number in self._missing)
        count = max(1, min(processes, len(self._missing), total // WORTH_A_PROCESS))
        shares: list[list[int]] = [[] for _ in range(count)]
        sizes = [0] * count
        for number in sorted(self._missing, key=lambda one: -len(self._texts[one])):
            least = sizes.index(min(sizes))
            shares[least].append(number)
            sizes[least] += len(self._texts[number])
        return shares

    def _here(self, lark: Lark, share: list[int]) -> None:
        from tfgate.hcl.parse import parse_file

        for number in share:
            self._keep(number, parse_file(lark, self._texts[number]))

    def _keep(self, number: int, shapes: FileShapes) -> None:
        self._found[number] = shapes
        if self._cache is not None:
            self._cache.write(_key(self._texts[number]), msgspec.msgpack.encode(shapes))
        if self._progress is not None:
            self._progress(len(self._found), len(self._texts))


def _key(text: str) -> str:
    digest = hashlib.sha256(_versions().encode())
    digest.update(text.encode())
    return f"shapes-{digest.hexdigest()}"


@lru_cache(maxsize=1)
def _versions() -> str:
    from importlib.metadata import version

    return f"{FORMAT}\0{version('python-hcl2')}\0"


def _from_cache(cache: Cache, text: str) -> FileShapes | None:
    data = cache.read(_key(text))
    if data is None:
        return None
    try:
        return msgspec.msgpack.decode(data, type=FileShapes)
    except (msgspec.DecodeError, RecursionError):
        return None
