"""Helpers: rulesets and configurations written in a few lines."""

from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

from tfgate.query.functions.registry import Function, FunctionTable, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tfgate.errors import ConfigError

HEADER = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["security@acme.example"]
"""
RULE = """\
id = "ACME-1"
title = "Instances use an allowed type"
severity = "medium"
enforcement = "soft-mandatory"
message = "{address} uses {after.instance_type}"
require = "after.instance_type == 't3.micro'"
"""


def scope_functions() -> FunctionTable:
    """Declare what the engine adds, as far as a loader must know it."""
    path = (Parameter("path", "string"),)
    return FunctionTable.default().extended(
        [Function("changed", path, "boolean", "Whether it changes.", "", None, lambda path: None)]
    )


@pytest.fixture(scope="session")
def functions() -> FunctionTable:
    """Functions that rules may call."""
    return scope_functions()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a file below the test's folder and give its path."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")
        return path

    return write_file


def shown(error: ConfigError) -> list[str]:
    """Return every problem as it is printed."""
    return [problem.render() for problem in error.problems]
