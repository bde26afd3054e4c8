"""Reads TOML files that may be hostile: bounded, UTF-8, never a device, never a traceback."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import tomli

from tfgate.errors import Problem
from tfgate.model import Frozen
from tfgate.model.text import late
from tfgate.opening import NotAFileError, descriptor_of
from tfgate.ruleset.problems import Problems

if TYPE_CHECKING:
    from pathlib import Path

MAX_TOML_BYTES = 4 * 1024 * 1024
"""Of one TOML file. The largest ruleset known has 250 rules in about 400 kB."""
_MAX_EXCERPT = 160
_CHUNK = 1024 * 1024
_POSITION = late(r" \(at (?:line (\d+), column (\d+)|end of document)\)\Z")


class Unreadable(Exception):  # noqa: N818 - carries a mistake to report, is never shown itself
    """A file could not be read; ``problem`` says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.message)
        self.problem = problem


class TomlFile(Frozen, frozen=True):
    """One TOML file as it was read."""

    name: str
    """Path as a user would write it."""
    table: dict[str, Any]
    """What tomli made of it."""
    text: str
    sha256: str
    """Hex digest of the bytes on disk."""

    def problems(self) -> Problems:
        """Return an empty list of mistakes that knows this file's name and lines."""
        return Problems(self.name, self.text)


def read_bytes(path: str | Path, name: str, limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes. Raises ``Unreadable``."""
    try:
        handle = descriptor_of(path)
    except (IsADirectoryError, NotAFileError):
        raise Unreadable(Problem(name, "is not a regular file")) from None
    except OSError as error:
        raise Unreadable(Problem(name, f"cannot be read: {_reason(error)}")) from None
    try:
        data = _read_all(handle, os.fstat(handle).st_size, limit)
    except OSError as error:
        raise Unreadable(Problem(name, f"cannot be read: {_reason(error)}")) from None
    finally:
        os.close(handle)
    if len(data) > limit:
        raise Unreadable(Problem(name, f"is larger than {limit:,} bytes, the most that is read"))
    return data


def _read_all(handle: int, size: int, limit: int) -> bytes:
    """Read to the end, or one byte more than ``limit``. Most files are read in one call."""
    data = os.read(handle, min(size, limit) + 1)
    while len(data) != size and len(data) <= limit:  # the file grows, or has no size (/proc)
        more = os.read(handle, min(limit + 1 - len(data), _CHUNK))
        if not more:
            break
        data += more
    return data


def is_inside(folder: Path, file: str) -> bool:
    """Whether a relative path stays in the folder, symbolic links followed."""
    if os.path.isabs(file) or "\\" in file or "\0" in file:
        return False
    real = os.path.realpath(folder)
    return os.path.realpath(os.path.join(real, file)).startswith(real + os.sep)


def read_toml(path: str | Path, name: str) -> TomlFile:
    """Read and parse one TOML file. Raises ``Unreadable`` with line and column of a mistake."""
    return toml_file(read_bytes(path, name, MAX_TOML_BYTES), name)


def toml_file(data: bytes, name: str) -> TomlFile:
    """Parse the bytes of a TOML file. Raises ``Unreadable``."""
    text = decode_text(data, name)
    return TomlFile(name, parse_toml(text, name), text, hashlib.sha256(data).hexdigest())


def decode_text(data: bytes, name: str) -> str:
    """Decode UTF-8, with or without a byte order mark. Raises ``Unreadable``."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        problem = Problem(name, "is not UTF-8 text; save it in UTF-8", line=line)
        raise Unreadable(problem) from None


def parse_toml(text: str, name: str) -> dict[str, Any]:
    """Parse TOML text. Raises ``Unreadable``."""
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise Unreadable(_syntax_problem(error, text, name)) from None
    except RecursionError:
        raise Unreadable(Problem(name, "nests arrays or tables too deeply")) from None
    except ValueError:
        # int() refuses more than 4,300 digits, and tomli lets that through.
        raise Unreadable(Problem(name, "holds a number with too many digits")) from None


def _syntax_problem(error: ValueError, text: str, name: str) -> Problem:
    """tomli 2.1 and older give the position in the message only."""
    message = str(error)
    match = _POSITION.search(message)
    lines = text.split("\n")
    if match is None or match.group(1) is None:
        line, column = len(lines), len(lines[-1]) + 1
    else:
        line, column = int(match.group(1)), int(match.group(2))
    if match is not None:
        message = message[: match.start()]
    if match is not None and match.group(1) is None:
        message += " at the end of the file"
    message = f"is not valid TOML: {message[:1].lower()}{message[1:]}"
    source = lines[line - 1] if line <= len(lines) else ""
    return Problem(name, message, line=line, column=column, excerpt=show_excerpt(source, column))


def show_excerpt(source: str, column: int) -> str | None:
    """Make a source line printable, one character for one, so that a caret stands right."""
    if not source or column > _MAX_EXCERPT:
        return None
    shown = "".join(char if char.isprintable() else " " for char in source[:_MAX_EXCERPT])
    return shown.rstrip() or None


def _reason(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    return "not a usable path"
