#!/usr/bin/env python3
"""What each import made inside a function saves a check of a small plan.

scripts/bench/imports.py [--runs 9]

A check is run to its end in a process of its own; then the module is imported, and that is timed:
what of it the check has loaded anyway costs nothing. Printed is the least of several runs, dearest
first, in ms, with the modules that import it inside a function and that the check has loaded (the
others save a check nothing). docs/performance.md lists those that stay where they are.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import subprocess
import sys
import tempfile
from importlib.util import resolve_name
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE = Path(__file__).resolve().parent
PACKAGE = HERE.parents[1] / "tfgate"
PLAN = '{"format_version":"1.2","planned_values":{},"resource_changes":[]}'
CHECK = """\
import contextlib, io, json, sys, time
from importlib import import_module
from tfgate.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
    main(sys.argv[2:])
loaded = [name for name in sys.modules if name.startswith("tfgate")]
start = time.perf_counter()
try:
    import_module(sys.argv[1])
    print(json.dumps([1e3 * (time.perf_counter() - start), loaded]))
except ImportError:
    print(json.dumps([None, loaded]))
"""


def local_imports() -> Iterator[tuple[str, str, int]]:
    """Yield importer, imported module and line of every import inside a function."""
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
                for node in ast.walk(function):
                    for module in _modules(node, name):
                        yield name, module, node.lineno  # type: ignore[attr-defined] # a statement


def _modules(node: ast.AST, name: str) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    whole = resolve_name("." * node.level + (node.module or ""), name)
    below = PACKAGE.parent / whole.replace(".", "/")
    found = [alias.name for alias in node.names if (below / f"{alias.name}.py").is_file()]
    return [f"{whole}.{one}" for one in found] or [whole]


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=9)
    runs = parser.parse_args().runs
    importers: dict[str, set[str]] = {}
    for importer, module, _ in local_imports():
        importers.setdefault(module, set()).add(importer)
    with tempfile.TemporaryDirectory(prefix="tfgate-bench-") as folder:
        plan = Path(folder, "plan.json")
        plan.write_text(PLAN)
        rules = str(HERE / "rules.toml")
        check = ["check", str(plan), "--ruleset", rules, "--audit-log", f"{folder}/audit.jsonl"]
        loaded = set(_run("os", check)[1])
        rows = []
        for module, names in importers.items():
            if near := sorted(names & loaded):
                times = [_run(module, check)[0] for _ in range(runs)]
                rows.append((min((t for t in times if t is not None), default=None), module, near))
    for cost, module, near in sorted(rows, key=lambda row: -(row[0] or 0)):
        print(f"{'-' if cost is None else f'{cost:.2f}':>7} {module:40} {', '.join(near)}")


def _run(module: str, check: list[str]) -> tuple[float | None, list[str]]:
    # Where it is set, every module would be compiled anew.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    command = [sys.executable, "-c", CHECK, module, *check]
    done = subprocess.run(command, stdout=subprocess.PIPE, env=environment, check=True)
    cost, loaded = json.loads(done.stdout)
    return cost, loaded


if __name__ == "__main__":
    main()
