"""A configuration version (``tar.gz``), unpacked without doing what it says beyond its folder."""

from __future__ import annotations

import gzip
import io
import tarfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO, Final

from tfgate.errors import SourceError

MAX_FILES: Final = 50_000
MAX_DEPTH: Final = 64


class _Limited(io.RawIOBase):
    """Reads at most so many bytes: what a bomb unpacks to, headers included."""

    def __init__(self, inner: IO[bytes], limit: int) -> None:
        self._inner = inner
        self._left = limit
        self._limit = limit

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        if size < 0 or size > self._left + 1:
            size = self._left + 1
        data = self._inner.read(size)
        self._left -= len(data)
        if self._left < 0:
            raise SourceError(f"The configuration is larger than {self._limit} bytes.")
        return data


def unpack(archive: IO[bytes], folder: Path, limit: int) -> int:
    """Write the regular files of a ``tar.gz`` below ``folder``; give how many.

    Links, devices and names that lead out are left out: a link may point anywhere, and Terraform
    configurations need none to be judged. Raises ``SourceError`` for anything too large or broken.
    """
    count = 0
    try:
        plain = _Limited(gzip.GzipFile(fileobj=archive), limit)  # type: ignore[arg-type] # reads
        with tarfile.open(fileobj=plain, mode="r|") as tar:
            for member in tar:
                path = _place(member.name)
                if not member.isreg() or path is None:
                    continue
                count += 1
                if count > MAX_FILES:
                    raise SourceError(f"The configuration has more than {MAX_FILES} files.")
                _write(tar, member, folder / path)
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError):
        raise SourceError("The configuration is not a tar.gz archive, or is cut short.") from None
    except OSError as error:
        raise SourceError(f"The configuration cannot be unpacked: {error.strerror}.") from None
    return count


def _place(name: str) -> PurePosixPath | None:
    """Give where a member goes, ``None`` where that is not below the folder."""
    path = PurePosixPath(name)
    parts = [part for part in path.parts if part != "."]
    odd = path.is_absolute() or ".." in parts or "\0" in name or len(parts) > MAX_DEPTH
    return None if odd or not parts else PurePosixPath(*parts)


def _write(tar: tarfile.TarFile, member: tarfile.TarInfo, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    source = tar.extractfile(member)
    assert source is not None, "regular files have content"
    with path.open("wb") as target:
        while chunk := source.read(1 << 16):
            target.write(chunk)


def working_directory(folder: Path, named: str | None) -> Path:
    """Give the directory of the root module. Raises ``SourceError`` where it is not there."""
    if not named or not named.strip("/"):
        return folder
    path = _place(named.strip("/"))
    if path is None or not (folder / path).is_dir():
        raise SourceError("The workspace's working directory is not in the configuration.")
    return folder / path
