"""Evidence files: what is too big for a record, named by its own SHA-256."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.canonical import decode, sha256
from tfgate.audit.files import make_directory, read_bounded, reported, write_new
from tfgate.audit.neutral import is_harmless, neutralise
from tfgate.audit.read import unpacked
from tfgate.errors import AuditError

if TYPE_CHECKING:
    import os

MAX_EVIDENCE = 1 << 30
"""Bytes, uncompressed. A file that unpacks to more is refused."""

_encoder = msgspec.json.Encoder(order="sorted", enc_hook=str)


def evidence_path(directory: str | os.PathLike[str], digest: str) -> Path:
    """Give where the evidence with this digest lies: ``<first two digits>/<digest>.json.gz``."""
    return Path(directory).expanduser() / digest[:2] / f"{digest}.json.gz"


def write_evidence(directory: str | os.PathLike[str], value: object) -> str:
    """Keep ``value`` in a content-addressed file, on the disk before this returns; give its digest.

    The digest is the SHA-256 (hex) of the uncompressed JSON: members sorted, no white space, UTF-8.
    The file is gzip with no time and no name in it, so that the same value gives the same bytes.
    Raises ``AuditError`` where it cannot be written.
    """
    data = _encode(value)
    digest = sha256(data)
    path = evidence_path(directory, digest)
    with reported(path.parent, "written"):
        make_directory(path.parent)
        if not _is_kept(path, digest):
            write_new(path, _pack(data))
    return digest


def read_evidence(directory: str | os.PathLike[str], digest: str) -> Any:
    """Read evidence back as plain JSON data.

    Raises ``AuditError`` where it is missing, or where its content does not have the digest.
    """
    try:
        return decode(read_evidence_bytes(directory, digest))
    except ValueError:
        place = evidence_path(directory, digest)
        raise AuditError(f"The evidence file {place} does not hold JSON.") from None


def read_evidence_bytes(directory: str | os.PathLike[str], digest: str) -> bytes:
    """Read the uncompressed bytes of evidence; raises as ``read_evidence`` does."""
    path = evidence_path(directory, digest)
    try:
        data = _unpack(path)
    except FileNotFoundError:
        raise AuditError(f"The evidence {digest} is missing: there is no file {path}.") from None
    except (OSError, ValueError) as error:
        raise AuditError(f"The evidence file {path} cannot be read: {_reason(error)}.") from None
    if sha256(data) != digest:
        raise AuditError(f"The evidence file {path} was changed: its digest is {sha256(data)}.")
    return data


def _encode(value: object) -> bytes:
    try:
        data = _encoder.encode(value)
    except (msgspec.MsgspecError, TypeError, ValueError, OverflowError, RecursionError):
        data = b""
    # Megabytes: looking at the bytes once is far cheaper than at every string.
    if data and is_harmless(data):
        return data
    return _encoder.encode(neutralise(value))


def _is_kept(path: Path, digest: str) -> bool:
    if not path.exists():
        return False
    try:
        return sha256(_unpack(path)) == digest
    except (OSError, ValueError):
        return False


def _pack(data: bytes) -> bytes:
    """Compress as ``gzip`` does, whose import takes a millisecond more than zlib's."""
    packer = zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


def _unpack(path: Path) -> bytes:
    try:
        with unpacked(path) as file:
            data = read_bounded(file, MAX_EVIDENCE)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        raise ValueError("it is not a whole gzip file") from None
    return data


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)
