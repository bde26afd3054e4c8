"""``tfgate lsp``."""

from __future__ import annotations

import os
from pathlib import Path

import click

from tfgate.authoring.schema import open_schemas
from tfgate.errors import UsageError
from tfgate.schema import Catalog, load_indexes


@click.command(epilog="Example: tfgate lsp   (started by an editor: see docs/editors.md)")
@click.option("--schema", "schemas", multiple=True, metavar="FILE|DIR",
              help="A provider's schema, as for tfgate rules lint.")  # fmt: skip
def lsp(schemas: tuple[str, ...]) -> int:
    """Serve an editor over standard input and output: findings, hover, completion for rules."""
    try:
        from tfgate.authoring.lsp.server import make_server
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] not in {"pygls", "lsprotocol"}:
            raise
        raise UsageError(
            "The language server needs pygls.", hint="Run: pip install 'tfgate[lsp]'"
        ) from None

    given = [index for schema in schemas for index in open_schemas(Path(schema), os.environ)]
    server = make_server(Catalog([*given, *load_indexes(os.environ)]))
    try:
        server.start_io()
    except SystemExit as end:  # how pygls answers the editor's "exit"
        return 0 if end.code in (0, None) else 3
    return 0
