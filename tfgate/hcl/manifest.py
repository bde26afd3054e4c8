"""Where modules lie on the disk, by ``.terraform/modules/modules.json`` of ``terraform init``.

The file lies in the working directory, so the author of a change controls it. A directory it names
is believed where it lies inside the repository or the data directory, or is what the call's own
``source = "../…"`` says.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tfgate.errors import Problem

if TYPE_CHECKING:
    from tfgate.hcl.files import Reader

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
        """Give the directory of a module call, or ``None`` where it is not at hand.

        ``source`` is the call's, where it is a literal; ``parent`` the calling module's directory.
        """
        entry = self._manifest.get(".".join(calls))
        found = directory_of(self._reader, self._data_dir, parent, source, entry)
        return found if found is not None and os.path.isdir(found) else None

    def is_downloaded(self, directory: Path, calls: tuple[str, ...], source: str | None) -> bool:
        """Say whether ``terraform init`` put it there."""
        return directory.is_relative_to(self._data_dir)


def read_manifest(reader: Reader, data_dir: Path) -> dict[str, Entry]:
    """Give the installed modules by key; none where there is no manifest, or it cannot be read."""
    path = data_dir / "modules" / "modules.json"
    if not os.path.lexists(path):
        return {}
    data = reader.read(path)
    if isinstance(data, Problem):
        return {}
    try:
        manifest = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        reader.report(path, "not a module manifest: run terraform init again")
        return {}
    return {entry.key: entry for entry in manifest.modules}


def is_local(source: str) -> bool:
    """Say whether a module source is a path: ``./…`` or ``../…`` (with ``\\`` on Windows)."""
    return source.replace("\\", "/").startswith(("./", "../")) or source in (".", "..")


def directory_of(
    reader: Reader, data_dir: Path, parent: Path, source: str | None, entry: Entry | None
) -> Path | None:
    """Give the directory of a module call, or ``None`` where it is not known.

    ``source`` is the call's, where it is a literal; ``parent`` the calling module's directory.
    """
    if source is not None and is_local(source):
        return Path(os.path.normpath(parent / source.replace("\\", "/")))
    if entry is None or "\x00" in entry.dir:
        return None
    named = entry.dir if os.sep == "\\" else entry.dir.replace("\\", "/")
    directory = Path(os.path.normpath(reader.root / named))
    real = Path(os.path.realpath(directory))
    trusted = (reader.boundary, Path(os.path.realpath(data_dir)))
    if any(real.is_relative_to(place) for place in trusted):
        return directory
    if not _ABSOLUTE.match(named) and is_local(entry.source):
        return directory if real == _local(parent, entry.source) else None
    return None


def _local(parent: Path, source: str) -> Path:
    return Path(os.path.realpath(parent / source.replace("\\", "/")))
