"""Data files: JSON or TOML that ``data(name)`` gives to rules."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.errors import Problem
from tfgate.ruleset.files import Unreadable, decode_text, parse_toml, read_bytes
from tfgate.ruleset.frozen import Frozen
from tfgate.ruleset.problems import Problems
from tfgate.ruleset.strict import INVALID, Json

if TYPE_CHECKING:
    from pathlib import Path

MAX_DATA_BYTES = 32 * 1024 * 1024
"""Of one data file."""


class DataFile(Frozen, frozen=True):
    """One data file as it was read."""

    name: str
    """What ``data(name)`` calls it."""
    file: str
    """Path as a user would write it."""
    sha256: str
    """Hex digest of its bytes."""
    value: Any
    """Plain JSON."""


def read_data(name: str, path: Path, shown: str) -> DataFile:
    """Read a ``.json`` or ``.toml`` file. Raises ``Unreadable``."""
    suffix = path.suffix.lower()
    if suffix not in {".json", ".toml"}:
        raise Unreadable(Problem(shown, "a data file is named *.json or *.toml"))
    content = read_bytes(path, shown, MAX_DATA_BYTES)
    text = decode_text(content, shown)
    value = _parse_json(text, shown) if suffix == ".json" else _parse_plain_toml(text, shown)
    return DataFile(name, shown, hashlib.sha256(content).hexdigest(), value)


def _parse_json(text: str, shown: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Unreadable(Problem(shown, f"is not valid JSON: {error}")) from None
    except RecursionError:
        raise Unreadable(Problem(shown, "nests arrays or objects too deeply")) from None


def _parse_plain_toml(text: str, shown: str) -> Any:
    value = parse_toml(text, shown)
    problems = Problems(shown, text)
    if Json().read(value, (), problems) is INVALID:
        raise Unreadable(problems.found[0])
    return value
