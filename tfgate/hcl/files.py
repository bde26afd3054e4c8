"""Reads directories and files that somebody else controls, within stated bounds, and finds modules.

* Only regular files are opened, and never in a way that blocks: a FIFO or device named ``x.tf`` is
  a problem, not a hang.
* A symbolic link is followed as Terraform follows it, as long as it stays inside the *boundary*:
  the repository around the root directory (the nearest directory with ``.git``), or the root itself
  where there is none. Shared files linked in from elsewhere in a repository are common; a link to
  ``/etc`` or to another tenant's checkout is not read.
* A directory that is named by a plain path (``../modules``) may lie outside of it: so Terraform
  reads it, and so the reviewer sees it.
* Where ``terraform init`` put a module says ``.terraform/modules/modules.json``. It lies in the
  working directory, so the author of a change controls it. A directory it names is believed where
  it lies inside the repository or the data directory, or is what the call's own
  ``source = "../…"`` says.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tfgate.errors import Problem
from tfgate.opening import NotAFileError, open_file

BOM = b"\xef\xbb\xbf"
_LEADS_OUT = "a symbolic link leads out of the repository: not read"
SUFFIXES = (".tf", ".tf.json", ".tofu", ".tofu.json")


class Limits(msgspec.Struct, frozen=True):
    """What is read at most; beyond it a problem is reported and the module is incomplete."""

    file_bytes: int = 5 * 1024 * 1024
    """Size of one file."""
    files: int = 20_000
    """Files in all."""
    modules: int = 5_000
    """Module paths in all, the root included."""
    depth: int = 64
    """How deep module calls nest."""


@dataclass
class Reader:
    """Reads sources below (and beside) ``root``; collects what went wrong in ``problems``."""

    root: Path
    """Absolute, as given: paths in messages are relative to it."""
    limits: Limits
    boundary: Path
    problems: dict[Problem, None] = field(default_factory=dict)
    """In the order they were found, each once."""
    files_read: int = 0

    @classmethod
    def of(cls, root: Path, limits: Limits) -> Reader:
        """Make a reader for ``root`` and find its boundary."""
        root = Path(os.path.abspath(root))
        return cls(root, limits, _boundary(Path(os.path.realpath(root))))

    def display(self, path: Path) -> str:
        """Write ``path`` relative to the root, with ``/``."""
        return os.path.relpath(path, self.root).replace(os.sep, "/")

    def report(self, path: Path, message: str, line: int | None = None) -> Problem:
        """Note one problem, once, and give it."""
        problem = Problem(self.display(path), message, line=line)
        self.problems[problem] = None
        return problem

    def sources(self, directory: Path) -> Iterator[Path | Problem]:
        """Return the configuration files of one module directory, by name, and what was refused."""
        try:
            if not self._inside(directory) and _has_link(directory):
                yield self.report(directory, _LEADS_OUT)
                return
            with os.scandir(directory) as entries:
                names = sorted(entry.name for entry in entries if is_source(entry.name))
        except OSError as error:
            message = f"the module's directory cannot be read ({_reason(error)})"
            yield self.report(directory, message)
            return
        yield from self._counted(directory, _unshadowed(names))

    def _counted(self, directory: Path, names: Iterable[str]) -> Iterator[Path | Problem]:
        """Yield the files' paths, as many as may be read, and the problem where there are more."""
        for name in names:
            self.files_read += 1
            if self.files_read > self.limits.files:
                message = f"more than {self.limits.files} files: the rest is not read"
                yield self.report(directory, message)
                return
            yield directory / name

    def read(self, path: Path) -> bytes | Problem:
        """Return the bytes of one file, or the problem that keeps it from being read."""
        try:
            data = self._read(path)
        except OSError as error:
            data = f"the file cannot be read ({_reason(error)})"
        return self.report(path, data) if isinstance(data, str) else data

    def _read(self, path: Path) -> bytes | str:
        if path.is_symlink() and not self._inside(path):
            return _LEADS_OUT
        try:
            with open_file(path) as file:
                data = file.read(self.limits.file_bytes + 1)
        except (IsADirectoryError, NotAFileError):
            return "not a regular file: not read"
        if len(data) > self.limits.file_bytes:
            return f"larger than {self.limits.file_bytes} bytes: not read"
        return data

    def _inside(self, path: Path) -> bool:
        return Path(os.path.realpath(path)).is_relative_to(self.boundary)


def is_source(name: str) -> bool:
    """Say whether Terraform or OpenTofu takes a file of this name for configuration."""
    return (
        name.endswith(SUFFIXES)
        and not name.startswith(".")
        and not (name.startswith("#") and name.endswith("#"))
    )


def is_override(name: str) -> bool:
    """Say whether a file of this name overrides what the others declare."""
    stem = name.removesuffix(".json").removesuffix(".tf").removesuffix(".tofu")
    return stem == "override" or stem.endswith("_override")


def decode(data: bytes) -> str | int:
    """Decode UTF-8, without a byte order mark; give the line (from 1) of the first bad byte."""
    data = data.removeprefix(BOM)
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1


def _unshadowed(names: list[str]) -> list[str]:
    """Leave out ``a.tf`` beside ``a.tofu``, which OpenTofu does not read."""
    tofu = [name for name in names if name.removesuffix(".json").endswith(".tofu")]
    hidden = {
        name.removesuffix(".json").removesuffix(".tofu")
        + (".tf.json" if name.endswith(".json") else ".tf")
        for name in tofu
    }
    return [name for name in names if name not in hidden]


def _boundary(root: Path) -> Path:
    return next((place for place in (root, *root.parents) if (place / ".git").exists()), root)


def _has_link(directory: Path) -> bool:
    """Say whether any step of a path is a symbolic link."""
    return os.path.realpath(directory) != os.path.abspath(directory)


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()


_ABSOLUTE = re.compile(r"[/\\]|[A-Za-z]:")


class Entry(msgspec.Struct, frozen=True, rename="pascal"):
    """One installed module: ``Key`` is its module path (``net.sub``), ``Dir`` its directory."""

    key: str
    dir: str
    source: str = ""
    version: str | None = None


class _Manifest(msgspec.Struct, frozen=True, rename="pascal"):
    modules: list[Entry] = []


class Installed:
    """The modules of a directory in which ``terraform init`` may have run."""

    def __init__(self, reader: Reader, data_dir: Path) -> None:
        self._reader = reader
        self._data_dir = data_dir
        self._manifest = read_manifest(reader, data_dir)

    def directory(self, parent: Path, calls: tuple[str, ...], source: str | None) -> Path | None:
        """Return the directory of a module call, or ``None`` where it is not at hand.

        ``source`` is the call's, where it is a literal; ``parent`` the calling module's directory.
        """
        if source is not None and is_local(source):
            found: Path | None = Path(os.path.normpath(parent / source.replace("\\", "/")))
        else:
            found = self._installed(parent, self._manifest.get(".".join(calls)))
        return found if found is not None and os.path.isdir(found) else None

    def _installed(self, parent: Path, entry: Entry | None) -> Path | None:
        """Return the directory that the manifest names, where that is to be believed."""
        if entry is None or "\x00" in entry.dir:
            return None
        named = entry.dir if os.sep == "\\" else entry.dir.replace("\\", "/")
        directory = Path(os.path.normpath(self._reader.root / named))
        real = Path(os.path.realpath(directory))
        trusted = (self._reader.boundary, Path(os.path.realpath(self._data_dir)))
        if any(real.is_relative_to(place) for place in trusted):
            return directory
        if _ABSOLUTE.match(named) or not is_local(entry.source):
            return None
        local = Path(os.path.realpath(parent / entry.source.replace("\\", "/")))
        return directory if real == local else None

    def is_downloaded(self, directory: Path, calls: tuple[str, ...], source: str | None) -> bool:
        """Say whether ``terraform init`` put it there."""
        return directory.is_relative_to(self._data_dir)


def read_manifest(reader: Reader, data_dir: Path) -> dict[str, Entry]:
    """The installed modules by key; none where there is no manifest, or it cannot be read."""
    path = data_dir / "modules" / "modules.json"
    if not os.path.lexists(path):
        return {}
    data = reader.read(path)
    if isinstance(data, Problem):
        return {}
    try:
        manifest = msgspec.json.decode(data.removeprefix(BOM), type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reader.report(path, "not a module manifest: run terraform init again")
        return {}
    return {entry.key: entry for entry in manifest.modules}


def is_local(source: str) -> bool:
    """Say whether a module source is a path: ``./…`` or ``../…`` (with ``\\`` on Windows)."""
    return source.replace("\\", "/").startswith(("./", "../")) or source in (".", "..")
