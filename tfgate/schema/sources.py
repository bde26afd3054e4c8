"""Where indexes are found: with the package, in the user's folder, or where one is named."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tfgate.errors import UsageError
from tfgate.opening import read_file
from tfgate.schema.index import MAGIC, SUFFIX, SchemaIndex, write_index
from tfgate.schema.wire import read_schema

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

VARIABLE: Final = "TFGATE_SCHEMAS"
"""Names folders of indexes, separated as in PATH, in place of the user's own folder."""


def shipped_indexes() -> Iterator[SchemaIndex]:
    """Give the indexes that come with tfgate."""
    for path in sorted((Path(__file__).parent / "shipped").glob(f"*{SUFFIX}")):
        yield SchemaIndex(path.read_bytes(), name=path.name)


def user_folder(env: Mapping[str, str]) -> Path:
    """Give the folder that ``tfgate schema index`` writes to: ``~/.local/share/tfgate/schemas``."""
    named = env.get(VARIABLE, "").split(os.pathsep)[0]
    if named:
        return Path(named)
    home = Path(env.get("HOME") or "~").expanduser()
    data = Path(env.get("XDG_DATA_HOME", ""))
    return (data if data.is_absolute() else home / ".local" / "share") / "tfgate" / "schemas"


def load_indexes(env: Mapping[str, str]) -> Iterator[SchemaIndex]:
    """Give the user's indexes, then the shipped ones. Raises ``UsageError`` for a spoilt one."""
    named = [Path(part) for part in env.get(VARIABLE, "").split(os.pathsep) if part]
    for folder in named or [user_folder(env)]:
        if folder.is_dir():
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                yield SchemaIndex(_read(path), name=str(path))
    yield from shipped_indexes()


def open_schema(path: Path) -> list[SchemaIndex]:
    """Give the providers of a file: an index, or a schema as Terraform prints it.

    Raises ``UsageError``.
    """
    data = _read(path)
    if data.startswith(MAGIC):
        return [SchemaIndex(data, name=str(path))]
    providers = read_schema(data, name=str(path))
    return [SchemaIndex(write_index(provider), name=str(path)) for provider in providers]


def file_name(provider: str, version: str) -> str:
    """Give the name of an index's file: ``hashicorp-aws-5.100.0.tfschema``."""
    owner_and_name = "-".join(provider.split("/")[-2:])
    named = f"{owner_and_name}-{version}" if version else owner_and_name
    safe = "".join(char if char.isalnum() or char in "-._" else "_" for char in named)
    return f"{safe}{SUFFIX}"


def _read(path: Path) -> bytes:
    try:
        return read_file(path)
    except OSError as error:
        raise UsageError(
            f"The schema {path} cannot be read: {error.strerror or 'unknown reason'}."
        ) from None
