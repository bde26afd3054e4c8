"""Makes indexes of providers' schemas, from a file or from an initialised directory."""

from __future__ import annotations

import os
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import msgspec

from tfgate.command.lazy import LazyGroup
from tfgate.command.output import write_out
from tfgate.errors import UsageError
from tfgate.opening import read_file
from tfgate.schema import Provider, SchemaIndex, read_schema, user_folder, write_index
from tfgate.schema.sources import file_name, open_schema
from tfgate.terraform import find_terraform

if TYPE_CHECKING:
    from collections.abc import Mapping


def open_schemas(path: Path, env: Mapping[str, str]) -> list[SchemaIndex]:
    """Return the providers of an index, a schema file or an initialised directory.

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


_SCHEMAS = {
    "ruleset": ("tfgate.ruleset", "ruleset.schema.json", "ruleset.toml, and a ruleset in one file"),
    "rule": ("tfgate.ruleset", "rule.schema.json", "a rule file (rules/*.toml)"),
    "config": ("tfgate.ruleset", "tfgate.schema.json", "tfgate.toml"),
    "waivers": ("tfgate.ruleset", "waivers.schema.json", "a waiver file"),
    "record": ("tfgate.audit", "record.v1.schema.json", "a record of the audit trail"),
    "report": ("tfgate.report", "decision.v1.schema.json", "what --report json writes"),
}


def schema_names() -> dict[str, str]:
    """Return each schema's name and what it describes."""
    return {name: what for name, (_, _, what) in _SCHEMAS.items()}


def schema_text(name: str) -> str:
    """Return a schema as JSON text. Raises ``UsageError`` for a name there is not."""
    if name not in _SCHEMAS:
        raise UsageError(f"There is no schema {name}.", hint=f"There are: {', '.join(_SCHEMAS)}.")
    package, file, _ = _SCHEMAS[name]
    return (files(package) / "schemas" / file).read_text(encoding="utf-8")


class _Schemas(LazyGroup):
    """Takes the name of a schema for a command that prints it."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return ``index``, or what prints the schema of that name."""
        return super().get_command(ctx, cmd_name) or _printer(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Accept every name: an unknown one is an error when it is printed."""
        if args and not args[0].startswith("-"):
            return args[0], self.get_command(ctx, args[0]), args[1:]
        return super().resolve_command(ctx, args)


def _printer(name: str) -> click.Command:
    def show() -> None:
        write_out(schema_text(name))

    return click.Command(name, callback=show, help=f"Print the JSON Schema {name}.")


_COMMANDS = {
    "index": ("tfgate.authoring.schema", "index", "Make an index of providers' schemas for lint."),
}


@click.group(
    cls=_Schemas,
    lazy=_COMMANDS,
    invoke_without_command=True,
    subcommand_metavar="[NAME | index [OPTIONS]]",
    epilog="Example: tfgate schema ruleset > ruleset.schema.json",
)
@click.pass_context
def schema(ctx: click.Context, /, **_: Any) -> None:
    """Print the JSON Schema NAME. Without NAME, list what there is."""
    if ctx.invoked_subcommand is not None:
        return

    for known, what in schema_names().items():
        write_out(f"{known:12} {what}\n")


@click.command(epilog="Example: tfgate schema index --from ./infra")
@click.option("--from", "source", default=".", metavar="FILE|DIR", type=click.Path(path_type=Path),
              help="What `terraform providers schema -json` printed, or an initialised directory "
                   "(default: this one).")  # fmt: skip
@click.option("--out", metavar="FILE|DIR", type=click.Path(path_type=Path),
              help="Where to write. Default: the first folder of TFGATE_SCHEMAS, else "
                   "~/.local/share/tfgate/schemas, where lint looks.")  # fmt: skip
@click.option("--provider-version", default="", metavar="VERSION",
              help="The provider's version, which a schema file does not say.")  # fmt: skip
def index(source: Path, out: Path | None, provider_version: str) -> None:
    """Make a compact index of each provider's schema, for lint and editors.

    The index of the AWS provider comes with tfgate; make one for your version of it, or for other
    providers.
    """
    for path, made in make_indexes(source, os.environ, out=out, version=provider_version):
        types, data = len(made.types()), len(made.types(data=True))
        version = f" {made.version}" if made.version else ""
        write_out(
            f"{path}: {made.provider}{version}, resource types: {types}, data sources: {data}\n"
        )
