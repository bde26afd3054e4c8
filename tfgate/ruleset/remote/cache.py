"""The files of one commit below one path: listed, bounded, read, and written without git.

Only plain files are taken. A symbolic link could lead out of the ruleset and a submodule to
another repository, so that a tree with either is refused as a whole.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tfgate.errors import TfgateError, explained
from tfgate.git import Git, GitError, blob_id
from tfgate.opening import create_file
from tfgate.ruleset.remote.lock import GitSource
from tfgate.ruleset.ruleset import RulesetFile, digest

MAX_FILES: Final = 5_000
MAX_FILE_BYTES: Final = 16 * 1024 * 1024
MAX_BYTES: Final = 64 * 1024 * 1024
"""Of all files together."""
_PLAIN: Final = frozenset({"100644", "100755", "100664"})
_WHAT: Final = {"120000": "a symbolic link", "160000": "a submodule"}


class Unusable(Exception):  # noqa: N818 - carries a sentence to whoever knows the source
    """The tree holds something that no ruleset needs; the text says what."""


class Entry(NamedTuple):
    """One file."""

    path: str
    """Below the ruleset's path, with ``/``."""
    object_id: str
    size: int


def list_files(git: Git, commit: str, path: str) -> list[Entry]:
    """List the files at ``path``, a folder or a file; ``Unusable`` says what is wrong with them."""
    listed = git.run("ls-tree", "-r", "-z", "--long", "--full-tree", commit, "--", path or ".")
    entries = [_entry(line, path) for line in listed.split(b"\0") if line]
    if not entries:
        raise Unusable(f"there is no {path or 'file'} in it")
    if len(entries) > MAX_FILES:
        raise Unusable(f"it has more than {MAX_FILES:,} files there; name the ruleset's own folder")
    if sum(entry.size for entry in entries) > MAX_BYTES:
        raise Unusable(f"its files there have more than {MAX_BYTES // 1024**2} MiB in all")
    return entries


def _entry(line: bytes, path: str) -> Entry:
    facts, _, name = line.partition(b"\t")
    mode, _, object_id, size = facts.decode("ascii", "replace").split()
    full = _name(name)
    if mode not in _PLAIN:
        raise Unusable(f"{full} is {_WHAT.get(mode, 'no plain file')}, and only files are taken")
    if not size.isdecimal() or int(size) > MAX_FILE_BYTES:
        raise Unusable(f"{full} is larger than {MAX_FILE_BYTES // 1024**2} MiB")
    below = full.rpartition("/")[2] if full == path else full[len(path) :].lstrip("/")
    return Entry(below, object_id, int(size))


def _name(raw: bytes) -> str:
    """Return a path that means the same on every system, or refuse it."""
    try:
        name = raw.decode("utf-8")
    except UnicodeDecodeError:
        raise Unusable("a name in it is not UTF-8") from None
    steps = name.split("/")
    if any(step in ("", ".", "..") or step.casefold() == ".git" for step in steps):
        raise Unusable("a name in it leads out of the ruleset")
    if not name.isprintable() or "\\" in name or ":" in name or len(name) > 500:
        raise Unusable("a name in it is not printable, or not one on every system")
    return name


def read_files(git: Git, entries: Sequence[Entry]) -> Iterator[tuple[str, bytes]]:
    """Return each path with its content, as it is in the repository: no filter, no line ends."""
    found = git.objects(entry.object_id for entry in entries)
    for entry, (object_id, data) in zip(entries, found, strict=True):
        if data is None or blob_id(data, len(object_id)) != object_id:
            raise GitError("git gives other objects than those that were listed")
        yield entry.path, data


def write_files(files: Mapping[str, bytes], folder: Path) -> None:
    """Write files below a folder that is new and nobody else's."""
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        create_file(path, data)


def digest_of(files: Mapping[str, bytes]) -> str:
    """Return the content digest: as that of a ruleset, over every file below its path."""
    return digest(
        [
            RulesetFile(name, hashlib.sha256(data).hexdigest())
            for name, data in sorted(files.items())
        ]
    )


def digest_on_disk(folder: Path) -> str | None:
    """Return the same of files that were written; ``None`` where something else is among them."""
    found: dict[str, bytes] = {}
    for root, folders, names in os.walk(folder):
        paths = [os.path.join(root, name) for name in (*folders, *names)]
        if any(os.path.islink(path) for path in paths):
            return None
        for name in names:
            path = os.path.join(root, name)
            try:
                with open(path, "rb") as file:
                    data = file.read(MAX_FILE_BYTES + 1)
            except OSError:
                return None
            found[os.path.relpath(path, folder).replace(os.sep, "/")] = data
    return digest_of(found) if found else None


VARIABLE: Final = "TFGATE_CACHE"
REPOSITORY: Final = "repo.git"


def cache_folder(env: Mapping[str, str]) -> Path:
    """Return the cache: ``TFGATE_CACHE``, or ``tfgate`` in the user's own.

    Raises ``TfgateError``.
    """
    named = env.get(VARIABLE)
    if named:
        return Path(named) / "rulesets"
    own = env.get("XDG_CACHE_HOME") or ""
    home = env.get("HOME") or env.get("USERPROFILE") or ""
    if os.path.isabs(own):
        return Path(own) / "tfgate" / "rulesets"
    if not home:
        raise TfgateError(
            "There is no place for rulesets from git: neither HOME nor XDG_CACHE_HOME is set.",
            hint=f"Name a folder in {VARIABLE}.",
        )
    return Path(home) / ".cache" / "tfgate" / "rulesets"


class Cache:
    """The commits that were fetched."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def commit_folder(self, source: GitSource, commit: str) -> Path:
        """Return the folder of a commit, whether it is there or not.

        The ref is part of its name: beside the commit it holds the tag, which may be signed.
        """
        return self._of(source) / f"{commit}-{_short(source.ref)}"

    def tree_folder(self, source: GitSource, commit: str) -> Path:
        """Return the folder of the files below the source's path."""
        return self.commit_folder(source, commit) / f"tree-{_short(source.path)}"

    @contextmanager
    def workplace(self, source: GitSource) -> Iterator[Path]:
        """Return a new folder on the same disk, removed at the end unless it was moved away."""
        place = self._of(source)
        hint = f"Name another folder in {VARIABLE}."
        with explained(f"The cache {self._folder} cannot be written", hint=hint):
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            made = Path(tempfile.mkdtemp(prefix="new-", dir=place))
        try:
            yield made
        finally:
            shutil.rmtree(made, ignore_errors=True)

    def _of(self, source: GitSource) -> Path:
        return self._folder / _short(source.url)


def move_into(made: Path, place: Path) -> None:
    """Move a finished folder to its place; where another process was quicker, its own stays."""
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.rename(made, place)
    except OSError:
        if not place.is_dir():
            raise


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
