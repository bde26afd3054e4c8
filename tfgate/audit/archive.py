"""Plans that were judged, redacted, compressed, each under the SHA-256 of its content.

``<first two digits>/<digest>.json.zst`` (Zstandard, with the extra ``archive``), else
``.json.gz``. Either is read; Zstandard needs the extra for reading too.
"""

from __future__ import annotations

import gzip
import os
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.audit.files import make_directory, read_bounded, reported, write_new
from tfgate.audit.read import unpacked
from tfgate.audit.record import sha256
from tfgate.errors import AuditError
from tfgate.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    AnyPath = str | os.PathLike[str]

MAX_PLAN = 2 << 30
"""Bytes, unpacked. A file that unpacks to more is refused."""
LEVEL = 6
"""Of Zstandard: a plan of 10,000 changes takes 40 ms, and becomes a sixtieth."""

_DAY = 86_400
_PRUNED = ".pruned"
_SUFFIXES = (".json.zst", ".json.gz")


def keep_plan(directory: AnyPath, data: bytes) -> str:
    """Keep a redacted plan, on the disk before this returns; give its digest (hex).

    Raises ``AuditError`` where it cannot be written. A plan that is kept already gets a new date.
    """
    digest = sha256(data)
    folder = Path(directory).expanduser() / digest[:2]
    with reported(folder, "written"):
        make_directory(folder)
        for suffix in _SUFFIXES:
            file = folder / f"{digest}{suffix}"
            if file.exists():
                os.utime(file)
                return digest
        suffix, packed = _pack(data)
        write_new(folder / f"{digest}{suffix}", packed)
    return digest


def find_plan(directory: AnyPath, digest: str) -> Path | None:
    """Give the file of a kept plan, ``None`` where there is none (any more)."""
    folder = Path(directory).expanduser() / digest[:2]
    files = (folder / f"{digest}{suffix}" for suffix in _SUFFIXES)
    return next((file for file in files if file.is_file()), None)


def kept_plans(directory: AnyPath) -> Iterator[Path]:
    """Give the file of every kept plan, by digest."""
    root = Path(directory).expanduser()
    for suffix in _SUFFIXES:
        yield from sorted(root.glob(f"[0-9a-f][0-9a-f]/*{suffix}"))


def read_packed(path: Path) -> bytes:
    """Read a file that may be compressed (by its name); a file of the archive is checked.

    Raises ``AuditError`` where it cannot be read, or is not what its name says.
    """
    try:
        data = _unpack(path)
    except (OSError, ValueError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise AuditError(f"The plan {path} cannot be read: {reason}.") from None
    name = path.name.split(".", 1)[0]
    if path.name.endswith(_SUFFIXES) and len(name) == 64 and sha256(data) != name:
        raise AuditError(f"The archived plan {path} was changed: its digest is {sha256(data)}.")
    return data


def prune(directory: AnyPath, days: int, now: float | None = None) -> int:
    """Remove plans that were last judged more than ``days`` ago, at most once a day.

    Gives how many. Their decisions' records stay, and say which plan it was.
    """
    now = time.time() if now is None else now
    root = Path(directory).expanduser()
    stamp = root / _PRUNED
    if not root.is_dir() or (stamp.exists() and now - stamp.stat().st_mtime < _DAY):
        return 0
    with reported(root, "written"):
        stamp.touch()
        old = [file for file in kept_plans(root) if now - file.stat().st_mtime > days * _DAY]
        for file in old:
            file.unlink(missing_ok=True)
    return len(old)


def _pack(data: bytes) -> tuple[str, bytes]:
    try:
        import zstandard
    except ImportError:
        return _SUFFIXES[1], gzip.compress(data, compresslevel=6, mtime=0)
    return _SUFFIXES[0], zstandard.ZstdCompressor(level=LEVEL).compress(data)


def _unpack(path: Path) -> bytes:
    if path.name.endswith(".zst"):
        return _unzstd(path)
    if not path.name.endswith(".gz"):
        with open_file(path) as plain:
            return read_bounded(plain, MAX_PLAN)
    with unpacked(path) as file:
        return read_bounded(file, MAX_PLAN)


def _unzstd(path: Path) -> bytes:
    try:
        import zstandard
    except ImportError:
        raise AuditError(
            f"{path} is compressed with Zstandard, which is not installed.",
            hint="Install the extra: pip install 'tfgate[archive]'.",
        ) from None
    try:
        with open_file(path) as packed, zstandard.ZstdDecompressor().stream_reader(packed) as file:
            return read_bounded(file, MAX_PLAN)
    except zstandard.ZstdError as error:
        raise ValueError(str(error)) from None
