"""Small documents that other people hand in: read with bounds, decoded strictly."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec

from tfgate.errors import TfgateError, UsageError
from tfgate.opening import open_file
from tfgate.report.jsontext import dumps

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAX_DOCUMENT = 16 * 1024 * 1024
"""Bytes. An approval of thousands of findings has a few megabytes."""

_Shape = TypeVar("_Shape")


class DocumentError(ValueError):
    """A document is not what it should be; the text says why, in a clause without its content."""


def read_document(path: Path, what: str) -> bytes:
    """Read a regular file of at most ``MAX_DOCUMENT`` bytes.

    Links, pipes, devices and directories are refused: whoever wrote the folder could send the
    reader elsewhere, or make it wait for ever. Raises ``UsageError``.
    """
    try:
        with open_file(path, follow=False) as file:
            data = file.read(MAX_DOCUMENT + 1)
    except FileNotFoundError:
        raise UsageError(f"There is no {what} {path}.") from None
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_DOCUMENT:
        raise UsageError(f"The {what} {path} is larger than {MAX_DOCUMENT // 1024**2} MiB.")
    return data


def write_document(path: Path, data: bytes, what: str) -> None:
    """Write a file, whole or not at all, that `read_document` reads. Raises ``TfgateError``."""
    if len(data) > MAX_DOCUMENT:
        raise UsageError(
            f"The {what} {path} would be larger than {MAX_DOCUMENT // 1024**2} MiB, which is not "
            "read.",
            hint="So many findings need another plan, or a waiver, in place of an approval.",
        )
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    try:
        with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(data)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise TfgateError(f"The {what} {path} cannot be written: {error.strerror}.") from None


def decode_document(data: bytes, shape: type[_Shape]) -> _Shape:
    """Decode JSON as ``shape``; repeated keys, NaN and deep nesting are refused.

    Raises ``DocumentError``.
    """
    return shaped(decode_json(data), shape)


def shaped(value: object, shape: type[_Shape]) -> _Shape:
    """Take a decoded value as ``shape``. Raises ``DocumentError``, which names no value."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        # msgspec names types, members and places, and of values only those of a closed set.
        where = str(error).rpartition(" - at ")[2] if " - at " in str(error) else "its top"
        raise DocumentError(f"it has not the shape it must have, at {where}") from None
    except UnicodeError:  # half a surrogate pair, which JSON can write and nobody can store
        raise DocumentError("it has text that is no Unicode") from None


def decode_json(data: bytes) -> Any:
    """Decode JSON in which no key is there twice. Raises ``DocumentError``."""
    try:
        return json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)
    except DocumentError:
        raise
    except (ValueError, RecursionError):
        raise DocumentError("it is not JSON") from None


def encode_document(value: object) -> bytes:
    """Encode as JSON for people to read: sorted, indented, ending in a newline."""
    return dumps(value, order="sorted").encode()


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise DocumentError("a key is there twice")
    return table


def _no_constant(_name: str) -> NoReturn:
    raise DocumentError("it has a number that JSON does not have")
