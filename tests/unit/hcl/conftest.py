"""Configurations made of texts."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import pytest

from tfgate.hcl.index import SourceIndex

if TYPE_CHECKING:
    from pathlib import Path

Write = Callable[[Mapping[str, "str | bytes"]], SourceIndex]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write files below a root directory and index them."""

    def make(files: Mapping[str, str | bytes]) -> SourceIndex:
        for name, content in files.items():
            path = tmp_path / "root" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            data = content if isinstance(content, bytes) else textwrap.dedent(content).encode()
            path.write_bytes(data)
        return SourceIndex.build(tmp_path / "root")

    return make
