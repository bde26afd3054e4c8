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
    """Called after each file that was parsed: how many are done, how many there are to do."""

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
    found: dict[str, FileShapes] = {}
    for text in texts:
        kept = None if cache is None else _from_cache(cache, text)
        if kept is not None:
            found[text] = kept
    missing = [text for text in dict.fromkeys(texts) if text not in found]
    if missing:
        _Parsing(missing, found, cache, progress).run(processes)
    return [found[text] for text in texts]


class _Parsing:
    """Parses what the cache does not have."""

    def __init__(
        self,
        missing: list[str],
        found: dict[str, FileShapes],
        cache: Cache | None,
        progress: Progress | None,
    ) -> None:
        self._missing = missing
        self._found = found
        self._cache = cache
        self._progress = progress
        self._done = 0

    def run(self, processes: int) -> None:
        from tfgate.hcl.grammar import parser
        from tfgate.hcl.worker import Worker

        lark, tables = parser(self._cache)
        shares = self._shares(processes)
        workers = [Worker(share, tables) for share in shares[1:]]
        self._here(lark, shares[0])
        for worker, share in zip(workers, shares[1:], strict=True):
            results = worker.results()
            if results is None or len(results) != len(share):
                self._here(lark, share)
                continue
            for text, shapes in zip(share, results, strict=True):
                self._keep(text, shapes)

    def _shares(self, processes: int) -> list[list[str]]:
        """Deal the texts out, the longest first, each to who has least."""
        total = sum(map(len, self._missing))
        count = max(1, min(processes, len(self._missing), total // WORTH_A_PROCESS))
        shares: list[list[str]] = [[] for _ in range(count)]
        sizes = [0] * count
        for text in sorted(self._missing, key=len, reverse=True):
            least = sizes.index(min(sizes))
            shares[least].append(text)
            sizes[least] += len(text)
        return shares

    def _here(self, lark: Lark, share: list[str]) -> None:
        from tfgate.hcl.parse import parse_file

        for text in share:
            self._keep(text, parse_file(lark, text))

    def _keep(self, text: str, shapes: FileShapes) -> None:
        self._found[text] = shapes
        self._done += 1
        if self._cache is not None:
            self._cache.write(_key(text), msgspec.msgpack.encode(shapes))
        if self._progress is not None:
            self._progress(self._done, len(self._missing))


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
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
