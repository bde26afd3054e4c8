"""Where a ruleset is: shipped with tfgate, on disk, or in git."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.errors import Problem, RulesetError
from tfgate.model import Frozen
from tfgate.ruleset.problems import show_name, suggest

if TYPE_CHECKING:
    from tfgate.ruleset.remote.remote import Remote

MANIFEST = "ruleset.toml"
SHIPPED_PREFIX = "tfgate:"
GIT_PREFIX = "git::"


class Located(Frozen, frozen=True):
    """A ruleset's place on disk."""

    path: Path
    """Folder with ``ruleset.toml``, or one TOML file."""
    shown: str
    """How its files are named in messages and records: the source, tidied."""
    commit: str | None = None
    """Commit that it is pinned to, where it comes from git."""
    shipped: str | None = None
    """Its name among the rulesets that come with tfgate."""


def locate(source: str, base: Path | None = None, remote: Remote | None = None) -> Located:
    """Find what a source names. Relative paths are relative to ``base`` (the working directory).

    Sources: ``tfgate:core`` (shipped), a path to a folder or a ``.toml`` file, and ``git::…``,
    which ``remote`` finds (without one: pinned by a lock in ``base``). Raises ``RulesetError``.
    """
    if source.startswith(SHIPPED_PREFIX):
        return _find_shipped(source)
    if source.startswith(GIT_PREFIX):
        return _find_git(source, base, remote)
    if not source.strip() or "\0" in source:
        raise RulesetError([Problem("rulesets", f"{show_name(source)} names no ruleset")])
    path = Path(source)
    return Located(path if base is None else base / path, _tidy(source))


def shipped_folder() -> Path:
    """Return the folder of the shipped rulesets: inside a wheel, or beside a checkout's package."""
    package = Path(__file__).parent.parent
    return find_shipped_folder(package)


def find_shipped_folder(package: Path) -> Path:
    """Return ``_rulesets`` in the package if it is there, else ``rulesets`` beside the package."""
    inside = package / "_rulesets"
    return inside if inside.is_dir() else package.parent / "rulesets"


def shipped_names(folder: Path | None = None) -> list[str]:
    """Name the shipped rulesets, sorted: ``["aws", "core"]``."""
    folder = shipped_folder() if folder is None else folder
    if not folder.is_dir():
        return []
    return sorted(name for name in os.listdir(folder) if (folder / name / MANIFEST).exists())


def _find_shipped(source: str) -> Located:
    name = source[len(SHIPPED_PREFIX) :]
    names = shipped_names()
    if name not in names:
        shipped = ", ".join(SHIPPED_PREFIX + known for known in names) or "none"
        near = suggest(name, names) if len(names) > 12 else ""
        message = f"no ruleset of this name is shipped with tfgate{near} (shipped: {shipped})"
        raise RulesetError([Problem(_shown(source), message)])
    return Located(shipped_folder() / name, source, shipped=name)


def _find_git(source: str, base: Path | None, remote: Remote | None) -> Located:
    if remote is None:
        # Late: it brings subprocess along, and few rulesets are in git.
        from tfgate.ruleset.remote.remote import default_remote

        remote = default_remote(Path.cwd() if base is None else base)
    taken = remote.locate(source)
    return Located(taken.path, source, taken.pin.commit)


def _tidy(source: str) -> str:
    """``./policy/`` → ``policy``."""
    return Path(source).as_posix()


def _shown(source: str) -> str:
    return source if source.isprintable() and len(source) <= 200 else show_name(source)
