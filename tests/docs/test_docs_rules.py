"""The pages for rule authors are followed to the letter, in an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# ([\w./-]+\.(?:toml|py))\n")


def _blocks(page: str) -> Iterator[tuple[str, str]]:
    text = (ROOT / "docs" / page).read_text(encoding="utf-8")
    yield from ((found[1], found[2]) for found in _BLOCK.finditer(text))


def _run(script: str, folder: Path) -> str:
    """Run a block as a reader would, with ``tfgate`` being this one."""
    own = f'tfgate() {{ {shlex.quote(sys.executable)} -m tfgate "$@"; }}\nset -euo pipefail\n'
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"}
    done = subprocess.run(
        ["bash", "-c", own + script],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.parametrize("page", ["writing-rules.md", "distributing-rules.md"])
def test_every_command_works(page: str, tmp_path: Path) -> None:
    """Files are written where they say, commands succeed, and what they print is on the page."""
    printed = ""
    for language, text in _blocks(page):
        named = _NAMED.match(text)
        if language == "sh":
            printed = _run(text, tmp_path)
        elif named is not None:
            path = tmp_path / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif language == "text" and printed:
            for line in text.splitlines():
                assert line in printed, f"{line!r} is not in:\n{printed}"
            printed = ""


def test_the_test_in_python_passes(tmp_path: Path) -> None:
    """The test file of the page runs in a pytest of its own, and the rulesets are collected."""
    for language, text in _blocks("writing-rules.md"):
        named = _NAMED.match(text)
        if named is not None and language in ("toml", "python"):
            path = tmp_path / named[1]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    plugin = "-p no:tfgate -p tfgate.pytest_plugin -p no:cacheprovider"
    script = f"{shlex.quote(sys.executable)} -m pytest -q {plugin} --tfgate ."
    assert "failed" not in _run(script, tmp_path)
