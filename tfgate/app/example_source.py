"""An example's HCL text → the blocks that a rule on sources sees, by the parser of real sources."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from tfgate.audit.scratch import scratch
from tfgate.errors import UsageError
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.source_blocks import blocks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.hcl.subject import SourceBlock

MAIN: Final = "main.tf"
"""Name of the file that an example's text is."""


def example_blocks(table: Mapping[str, Any]) -> tuple[list[SourceBlock], str | None]:
    """Give every block of an example, and the address it is about (``None``: all of them).

    ``hcl`` is the text of ``main.tf``; ``files`` are others by name. Raises ``UsageError`` for a
    name that leads elsewhere.
    """
    files = {**({MAIN: table["hcl"]} if "hcl" in table else {}), **table.get("files", {})}
    with scratch() as directory:
        for name, text in files.items():
            path = directory / _checked(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        found = list(blocks(SourceIndex.build(directory), merged=True))
    return found, table.get("address")


def _checked(name: str) -> PurePosixPath:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name:
        raise UsageError(
            "A file of the example is not below its directory.",
            hint='Name it as in files = { "modules/net/main.tf" = "…" }.',
        )
    return path
