"""The line of history in force, and what on it touched which file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tfgate.provenance.git import OBJECT_ID, GitError
from tfgate.provenance.people import Commit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tfgate.provenance.git import Repository

_RAW = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-color", "--no-ext-diff",
        "--no-textconv", "--no-notes", "--format=tformat:%H")  # fmt: skip
_NO_BLOB = frozenset("0")


class Touch(msgspec.Struct, frozen=True):
    """One commit's change of one file."""

    commit: str
    path: str
    old: str | None
    """Blob before; ``None`` where the file was not there."""
    new: str | None
    """Blob after; ``None`` where it is gone."""


def mainline(repository: Repository, commit: str, paths: Sequence[str]) -> list[Touch]:
    """Give every change of files below ``paths`` on the first-parent history, newest first.

    A merge counts with all that it brought in, so that a change stands at the commit by which it
    came to be in force.
    """
    return _touches(repository, "--first-parent", "--diff-merges=first-parent", commit, paths=paths)


def within(repository: Repository, merge: Commit, paths: Sequence[str]) -> list[Touch]:
    """Give every change of files below ``paths`` in the commits that ``merge`` brought in.

    Of merges among them, that is what none of their parents had; ``merge`` itself counts too.
    """
    span = [f"^{merge.parents[0]}", merge.id]
    return _touches(repository, "--diff-merges=combined", *span, paths=paths)


def _touches(repository: Repository, *arguments: str, paths: Sequence[str]) -> list[Touch]:
    output = repository.run("log", *_RAW, *arguments, "--", *paths)
    return [*_parsed(output.decode("utf-8", "surrogateescape"))]


def _parsed(output: str) -> Iterator[Touch]:
    """Read ``HASH NUL`` and, for each file, ``:modes old new STATUS NUL path NUL``.

    A merge has a colon for each parent, and so many modes and old blobs. No name of a file can
    pass for anything else: a path always follows an entry.
    """
    tokens = iter(output.split("\0"))
    commit = ""
    for token in tokens:
        entry = token.lstrip("\n")
        if entry.startswith(":"):
            parents = len(entry) - len(entry.lstrip(":"))
            words = entry.split(" ")
            path = next(tokens, "")
            yield Touch(commit, path, _blob(words[parents + 1]), _blob(words[2 * parents + 1]))
        elif OBJECT_ID.fullmatch(entry):
            commit = entry
        elif entry:
            raise GitError("git printed something unexpected")


def _blob(text: str) -> str | None:
    return None if set(text) <= _NO_BLOB else text


def read_commits(repository: Repository, ids: Iterable[str]) -> dict[str, Commit]:
    """Read commits by id. Raises ``GitError`` where one is missing."""
    found = {}
    for object_id, data in repository.objects(dict.fromkeys(ids)):
        if data is None:
            raise GitError(f"the commit {object_id[:12]} is missing from this copy")
        found[object_id] = Commit.read(object_id, data)
    return found


def first_parents(repository: Repository, commit: str) -> frozenset[str]:
    """Give every commit on the first-parent history of ``commit``."""
    output = repository.run("rev-list", "--first-parent", commit)
    return frozenset(output.decode("ascii", "replace").split())
