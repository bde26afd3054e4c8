"""Where fetched commits are kept: one folder a repository and commit, never changed once there."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tfgate.errors import TfgateError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tfgate.ruleset.remote.source import GitSource

VARIABLE: Final = "TFGATE_CACHE"
REPOSITORY: Final = "repo.git"


def cache_folder(env: Mapping[str, str]) -> Path:
    """Give the cache: ``TFGATE_CACHE``, or ``tfgate`` in the user's own.

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
        """Give the folder of a commit, whether it is there or not.

        The ref is part of its name: beside the commit it holds the tag, which may be signed.
        """
        return self._of(source) / f"{commit}-{_short(source.ref)}"

    def tree_folder(self, source: GitSource, commit: str) -> Path:
        """Give the folder of the files below the source's path."""
        return self.commit_folder(source, commit) / f"tree-{_short(source.path)}"

    @contextmanager
    def workplace(self, source: GitSource) -> Iterator[Path]:
        """Give a new folder on the same disk, removed at the end unless it was moved away."""
        place = self._of(source)
        try:
            place.mkdir(parents=True, exist_ok=True, mode=0o700)
            made = Path(tempfile.mkdtemp(prefix="new-", dir=place))
        except OSError as error:
            raise TfgateError(
                f"The cache {self._folder} cannot be written: {error.strerror}.",
                hint=f"Name another folder in {VARIABLE}.",
            ) from None
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
