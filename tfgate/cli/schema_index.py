"""``tfgate schema index``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfgate.app.schema_index import make_indexes
from tfgate.cli.output import write_out


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
