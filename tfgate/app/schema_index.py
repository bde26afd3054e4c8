"""Makes indexes of providers' schemas, from a file or from an initialised directory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from tfgate.errors import UsageError
from tfgate.opening import read_file
from tfgate.schema import SchemaIndex, read_schema, user_folder, write_index
from tfgate.schema.sources import file_name, open_schema
from tfgate.terraform import find_terraform

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfgate.schema import Provider


def open_schemas(path: Path, env: Mapping[str, str]) -> list[SchemaIndex]:
    """Give the providers of an index, a schema file or an initialised directory.

    Raises ``UsageError``, and ``TerraformError`` where Terraform is needed and fails.
    """
    if not path.is_dir():
        return open_schema(path)
    return [SchemaIndex(write_index(one), name=str(path)) for one in _of_directory(path, env)]


def make_indexes(
    source: Path, env: Mapping[str, str], *, out: Path | None = None, version: str = ""
) -> list[tuple[Path, SchemaIndex]]:
    """Write an index for each provider of ``source``; give the files and what is in them.

    ``out`` is a folder, or a file where there is one provider; without it, the user's folder.
    ``version`` is the provider's, where a schema file does not say. Raises ``UsageError``.
    """
    providers = _providers(source, env, version)
    if out is not None and out.suffix and not out.is_dir() and len(providers) != 1:
        names = ", ".join(provider.name for provider in providers) or "none"
        raise UsageError(f"{source} has several providers ({names}), and {out} is one file.")
    written = []
    for provider in providers:
        if not provider.resources and not provider.data:
            continue
        data = write_index(provider)
        path = _target(provider, env, out)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        except OSError as error:
            raise UsageError(f"{path} cannot be written: {error.strerror}.") from None
        written.append((path, SchemaIndex(data, name=str(path))))
    if not written:
        raise UsageError(f"{source} describes no provider with resources.")
    return written


def _target(provider: Provider, env: Mapping[str, str], out: Path | None) -> Path:
    if out is not None and out.suffix and not out.is_dir():
        return out
    folder = user_folder(env) if out is None else out
    return folder / file_name(provider.name, provider.version)


def _providers(source: Path, env: Mapping[str, str], version: str) -> list[Provider]:
    if source.is_dir():
        return _of_directory(source, env)
    try:
        data = read_file(source)
    except OSError as error:
        raise UsageError(f"{source} cannot be read: {error.strerror}.") from None
    providers = read_schema(data, name=str(source))
    if version and len(providers) > 1:
        raise UsageError("--provider-version is of one provider, and the schema has several.")
    return [msgspec.structs.replace(one, version=one.version or version) for one in providers]


def _of_directory(path: Path, env: Mapping[str, str]) -> list[Provider]:
    terraform = find_terraform(env)
    schema = terraform.providers_schema(path)
    return read_schema(schema, name=str(path), versions=terraform.provider_versions(path))
