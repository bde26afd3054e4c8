"""Files of a bundle as one archive: equal files give equal bytes."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_LONG_AGO = (1980, 1, 1, 0, 0, 0)
_MODE = 0o644


def pack(files: Mapping[str, bytes], name: str, folder: str) -> bytes:
    """Pack ``files`` below ``folder``: as tar.gz where ``name`` ends in .tar.gz or .tgz, else zip.

    Sorted, without times, owners and extra fields.
    """
    if name.endswith((".tar.gz", ".tgz")):
        return gzip.compress(_tar(files, folder), mtime=0)
    return _zip(files, folder)


def _zip(files: Mapping[str, bytes], folder: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(f"{folder}/{name}", _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _MODE << 16
            entry.create_system = 3  # Unix, on every system
            archive.writestr(entry, data)
    return buffer.getvalue()


def _tar(files: Mapping[str, bytes], folder: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{folder}/{name}")
            entry.size, entry.mode = len(data), _MODE
            archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()
