"""Rules of a page: its TOML blocks are one ruleset."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_BLOCK = re.compile(r"^```toml\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def ruleset_of_page(page: Path, folder: Path) -> Path:
    """Write the ruleset that the page's blocks of TOML are together; return its folder."""
    text = page.read_text(encoding="utf-8")
    blocks = [block for block in _BLOCK.findall(text) if "[ruleset]" in block or "[[rules" in block]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ruleset.toml").write_text("\n".join(blocks), encoding="utf-8")
    return folder
