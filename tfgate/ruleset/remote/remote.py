"""Rulesets in git as the loader asks for them: by the lock, from the cache, else fetched.

The network is used where a commit is not in the cache, and by ``tfgate rules update``; at no other
time. What a source is pinned to moves by that command alone.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import msgspec

from tfgate.errors import Problem, RulesetError
from tfgate.git import GitError
from tfgate.ruleset.remote.cache import (
    REPOSITORY,
    Cache,
    Unusable,
    cache_folder,
    digest_of,
    digest_on_disk,
    list_files,
    move_into,
    read_files,
    write_files,
)
from tfgate.ruleset.remote.git import NoSuchRef, NotSigned, RemoteGit, fetch, signer_of
from tfgate.ruleset.remote.lock import (
    LOCK_NAME,
    GitSource,
    Pin,
    parse_git_source,
    read_lock,
    write_lock,
)

UPDATE = "tfgate rules update"


class Taken(NamedTuple):
    """A version of a ruleset, on disk."""

    path: Path
    """Folder or file for the loader."""
    pin: Pin


@dataclass(frozen=True)
class Remote:
    """How rulesets in git are found for one configuration."""

    lock: Path
    """``tfgate.lock``, whether it is there or not."""
    env: Mapping[str, str]
    signers: Path | None = None
    """Allowed-signers file that commit or tag must be signed by, where that is asked for."""
    locked: bool = False
    """Whether a source that is not in the lock is refused."""
    notes: list[str] = field(default_factory=list)
    """What a person should know of how a ruleset was found."""

    def locate(self, text: str) -> Taken:
        """Return the pinned version of a source; what is not pinned yet is, unless ``locked``.

        Raises ``ConfigError`` and ``TfgateError``.
        """
        source = parse_git_source(text)
        pins = read_lock(self.lock)
        pin = pins.get(text)
        if pin is None:
            return self._first_use(source, pins)
        if not self._is_cached(source, pin.commit):
            commit = self._fetch(source)
            if commit != pin.commit:
                raise _moved(source, pin.commit, commit)
        taken = self._take(source, pin.commit, pin.digest)
        if taken.pin.digest != pin.digest:
            message = (
                f"its files at {pin.commit[:12]} have the digest {taken.pin.digest}, and "
                f"{self.lock.name} says {pin.digest}; find out who changed one of them"
            )
            raise _refusal(source, message)
        return taken

    def pinned(self, text: str) -> Taken:
        """Return the pinned version of a source wherever its ref is by now, to compare with.

        Raises ``ConfigError``: it is not pinned, or the server gives it no more.
        """
        source = parse_git_source(text)
        pin = read_lock(self.lock)[text]
        if not self._is_cached(source, pin.commit):
            source = msgspec.structs.replace(source, ref=pin.commit)
            if not self._is_cached(source, pin.commit):
                self._fetch(source)
        return self._take(source, pin.commit, pin.digest)

    def newest(self, text: str) -> Taken:
        """Fetch what the ref of a source is now. The lock stays as it is."""
        source = parse_git_source(text)
        return self._take(source, self._fetch(source), None)

    def pin(self, taken: Mapping[str, Pin], *, keep: frozenset[str] | None = None) -> None:
        """Write pins into the lock; of the others, ``keep`` alone stay where it is given."""
        pins = {**read_lock(self.lock), **taken}
        if keep is not None:
            pins = {source: pin for source, pin in pins.items() if source in keep}
        write_lock(self.lock, pins)

    def _first_use(self, source: GitSource, pins: Mapping[str, Pin]) -> Taken:
        if self.locked:
            message = f"it is not in {self.lock.name}, and locked = true; run {UPDATE} and look"
            raise _refusal(source, message)
        taken = self._take(source, self._fetch(source), None)
        write_lock(self.lock, {**pins, source.text: taken.pin})
        self.notes.append(
            f"{source.text} is now pinned to {taken.pin.commit[:12]} in {self.lock.name}: keep "
            "that file under version control."
        )
        return taken

    def _is_cached(self, source: GitSource, commit: str) -> bool:
        return (self._cache().commit_folder(source, commit) / REPOSITORY).is_dir()

    def _cache(self) -> Cache:
        return Cache(cache_folder(self.env))

    def _fetch(self, source: GitSource) -> str:
        """Fetch into the cache; give the commit."""
        cache = self._cache()
        with cache.workplace(source) as made:
            git = RemoteGit(made / REPOSITORY, self.env)
            try:
                commit = fetch(git, source)
            except NoSuchRef as error:
                raise _refusal(source, f"{error}; see what there is with git ls-remote") from None
            except GitError as error:
                message = f"the repository cannot be fetched: {error}"
                raise _refusal(source, message) from None
            move_into(made, cache.commit_folder(source, commit))
        return commit

    def _take(self, source: GitSource, commit: str, expected: str | None) -> Taken:
        """Check the signature where one is asked for, and give the files of a cached commit."""
        cache = self._cache()
        git = RemoteGit(cache.commit_folder(source, commit) / REPOSITORY, self.env)
        if self.signers is not None:
            try:
                signer_of(git, commit, source.ref, self.signers)
            except (NotSigned, GitError) as error:
                message = f"{error}, and the configuration asks for a signature (ruleset_signers)"
                raise _refusal(source, message) from None
        tree = cache.tree_folder(source, commit)
        on_disk = digest_on_disk(tree) if tree.is_dir() else None
        if on_disk is None or on_disk != expected:
            # Without a digest to compare with, what git has is what counts.
            on_disk = self._extract(source, commit, git, on_disk)
        return Taken(_entry_point(tree, source), Pin(commit, on_disk))

    def _extract(self, source: GitSource, commit: str, git: RemoteGit, on_disk: str | None) -> str:
        """Write the files of a commit, in place of others that are there; give their digest."""
        cache = self._cache()
        try:
            files = dict(read_files(git, list_files(git, commit, source.path)))
        except Unusable as error:
            raise _refusal(source, f"it cannot be used at {commit[:12]}: {error}") from None
        except GitError as error:
            message = f"the cache cannot be read ({error}); delete {git.repository.parent}"
            raise _refusal(source, message) from None
        found = digest_of(files)
        if found == on_disk:
            return found
        tree = cache.tree_folder(source, commit)
        with cache.workplace(source) as made:
            new = made / "tree"
            new.mkdir()
            write_files(files, new)
            shutil.rmtree(tree, ignore_errors=True)
            move_into(new, tree)
        return found


def _entry_point(tree: Path, source: GitSource) -> Path:
    """Return what the loader loads: the one file where the path names a file, else the folder."""
    name = source.path.rpartition("/")[2]
    file = tree / name
    return file if name.endswith(".toml") and file.is_file() else tree


def default_remote(base: Path) -> Remote:
    """Return what holds where no configuration does: the lock is in ``base``."""
    return Remote(base / LOCK_NAME, dict(os.environ))


def _moved(source: GitSource, pinned: str, now: str) -> RulesetError:
    message = (
        f"{source.ref} was the commit {pinned[:12]} when it was locked and is {now[:12]} now; "
        f"see what changed, and take it, with {UPDATE}"
    )
    return _refusal(source, message)


def _refusal(source: GitSource, message: str) -> RulesetError:
    return RulesetError([Problem(source.text, message)])
