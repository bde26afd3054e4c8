"""Where indexes are found: with the package, in the user's folder, or where one is named."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from tfgate.errors import UsageError
from tfgate.opening import read_file
from tfgate.schema.index import (
    FLAGS,
    MAGIC,
    SUFFIX,
    Attribute,
    Block,
    NestedBlock,
    Provider,
    SchemaIndex,
    write_index,
)


def read_schema(
    data: bytes, *, name: str = "the schema", versions: Mapping[str, str] | None = None
) -> list[Provider]:
    """Return the providers of a schema document; ``versions`` by full name, as far as known.

    The format: https://developer.hashicorp.com/terraform/cli/commands/providers/schema.
    Descriptions are not read.

    Raises ``UsageError`` for what is no such document.
    """
    try:
        document = msgspec.json.decode(data)
        schemas = document["provider_schemas"]
        return [
            _provider(full_name, table, (versions or {}).get(full_name, ""))
            for full_name, table in schemas.items()
        ]
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError):
        raise UsageError(
            f"{name} is not what `terraform providers schema -json` prints.",
            hint="Run that in an initialised directory, and give its output or the directory.",
        ) from None


def _provider(name: str, table: Any, version: str) -> Provider:
    def blocks(key: str) -> dict[str, Block]:
        return {kind: _block(entry["block"]) for kind, entry in table.get(key, {}).items()}

    return Provider(name, version, blocks("resource_schemas"), blocks("data_source_schemas"))


def _block(table: Any) -> Block:
    return Block(
        {name: _attribute(entry) for name, entry in table.get("attributes", {}).items()},
        {name: _nested(entry) for name, entry in table.get("block_types", {}).items()},
        bool(table.get("deprecated", False)),
    )


def _nested(entry: Any) -> NestedBlock:
    least, most = entry.get("min_items", 0), entry.get("max_items", 0)
    return NestedBlock(
        str(entry["nesting_mode"]), int(least), int(most), _block(entry.get("block", {}))
    )


def _attribute(entry: Any) -> Attribute:
    flags = sum(bit for word, bit in FLAGS.items() if entry.get(word))
    if "nested_type" in entry:
        nested = entry["nested_type"]
        inner = {name: _attribute(part) for name, part in nested["attributes"].items()}
        return Attribute(["nested", nested["nesting_mode"], msgspec.to_builtins(inner)], flags)
    return Attribute(_type(entry["type"]), flags)


def _type(constraint: Any) -> Any:
    """Check a type constraint, and leave out the optional names an object type may carry."""
    if isinstance(constraint, str):
        return constraint
    kind, inner = constraint[0], constraint[1]
    if kind == "object":
        return [kind, {name: _type(part) for name, part in inner.items()}]
    if kind == "tuple":
        return [kind, [_type(part) for part in inner]]
    return [kind, _type(inner)]


VARIABLE: Final = "TFGATE_SCHEMAS"
"""Names folders of indexes, separated as in PATH, in place of the user's own folder."""


def shipped_indexes() -> Iterator[SchemaIndex]:
    """Return the indexes that come with tfgate."""
    for path in sorted((Path(__file__).parent / "shipped").glob(f"*{SUFFIX}")):
        yield SchemaIndex(path.read_bytes(), name=path.name)


def user_folder(env: Mapping[str, str]) -> Path:
    """Return where ``tfgate schema index`` writes: ``~/.local/share/tfgate/schemas``."""
    named = env.get(VARIABLE, "").split(os.pathsep)[0]
    if named:
        return Path(named)
    home = Path(env.get("HOME") or "~").expanduser()
    data = Path(env.get("XDG_DATA_HOME", ""))
    return (data if data.is_absolute() else home / ".local" / "share") / "tfgate" / "schemas"


def load_indexes(env: Mapping[str, str]) -> Iterator[SchemaIndex]:
    """Return the user's indexes, then the shipped ones. Raises ``UsageError`` for a spoilt one."""
    named = [Path(part) for part in env.get(VARIABLE, "").split(os.pathsep) if part]
    for folder in named or [user_folder(env)]:
        if folder.is_dir():
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                yield SchemaIndex(_read(path), name=str(path))
    yield from shipped_indexes()


def open_schema(path: Path) -> list[SchemaIndex]:
    """Return the providers of a file: an index, or a schema as Terraform prints it.

    Raises ``UsageError``.
    """
    data = _read(path)
    if data.startswith(MAGIC):
        return [SchemaIndex(data, name=str(path))]
    providers = read_schema(data, name=str(path))
    return [SchemaIndex(write_index(provider), name=str(path)) for provider in providers]


def file_name(provider: str, version: str) -> str:
    """Return the name of an index's file: ``hashicorp-aws-5.100.0.tfschema``."""
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
