"""The page on performance lists every import inside a function, with what it saves or why."""

from __future__ import annotations

import ast
import re
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
NOT_YET = re.compile(r"tfgate\.(plan|engine|hcl)\b")
"""Where imports inside functions have not been measured yet."""


def _local_imports() -> Iterator[tuple[str, str]]:
    """Yield importer and imported module of every import inside a function."""
    for path in sorted((ROOT / "tfgate").rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        if NOT_YET.match(name):
            continue
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for node in ast.walk(function):
                    if isinstance(node, ast.Import):
                        yield from ((name, alias.name) for alias in node.names)
                    elif isinstance(node, ast.ImportFrom):
                        yield name, resolve_name("." * node.level + (node.module or ""), name)


def _listed() -> set[tuple[str, str]]:
    page = (ROOT / "docs/performance.md").read_text(encoding="utf-8")
    section = page.partition("## Imports that wait")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (`.+`) \| (`.+`) \| .+ \|$", section, re.MULTILINE)
    return {
        (importer, module)
        for importers, modules in rows
        for importer in re.findall(r"`(.+?)`", importers)
        for module in re.findall(r"`(.+?)`", modules)
    }


def test_every_import_inside_a_function_is_listed() -> None:
    """And nothing is listed that is not there: measure it with scripts/bench/imports.py."""
    found = {pair for pair in _local_imports() if not NOT_YET.match(pair[0])}
    assert sorted(found - _listed()) == []
    assert sorted(pair for pair in _listed() - found if not NOT_YET.match(pair[0])) == []
