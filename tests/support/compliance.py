"""Reads suites in the form of the JMESPath compliance suite."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tfgate.query import EvaluationError, ExpressionError, search

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def cases(folder: Path) -> Iterator[Any]:
    """Yield every case of every suite in a folder as a parameter set."""
    for file in sorted(folder.glob("*.json")):
        for suite in json.loads(file.read_text()):
            for number, case in enumerate(suite["cases"]):
                if "result" in case or "error" in case:
                    name = f"{file.stem}-{number}-{case['expression'][:40]}"
                    yield pytest.param(suite["given"], case, id=name)


def check(document: Any, case: dict[str, Any]) -> None:
    """Evaluate one case: the result is the expected one, or the error of the expected kind."""
    if "error" in case:
        with pytest.raises((ExpressionError, EvaluationError)) as caught:
            search(case["expression"], document)
        assert caught.value.kind == case["error"]
    else:
        assert search(case["expression"], document) == case["result"]
