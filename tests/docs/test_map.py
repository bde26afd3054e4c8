"""The map of the code is true: every folder of the package is on it, every path in it exists."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "map.md").read_text(encoding="utf-8")
NAMED = set(re.findall(r"`((?:tfgate|tests|scripts|rulesets)/[\w./-]*)`", TEXT))
BESIDE = re.compile(r"`([\w]+\.py)`")


def test_every_folder_is_on_the_map() -> None:
    """A room that nobody can find on the map is missing from it."""
    tracked = (path for path in (ROOT / "tfgate").rglob("*") if path.is_file())
    folders = {
        path.parent.relative_to(ROOT).as_posix()
        for path in tracked
        if "__pycache__" not in path.parts
    }
    assert sorted(folders - NAMED - {"tfgate"}) == []


def test_every_path_on_the_map_exists() -> None:
    """What was moved is moved on the map as well."""
    assert sorted(name for name in NAMED if not (ROOT / name).exists()) == []


def test_files_that_a_row_names_are_in_the_room_of_that_row() -> None:
    """``check.py`` in the row of a room stands in its folder."""
    for row in TEXT.splitlines():
        room = re.match(r"\| `(tfgate/[\w/]+)` \|", row)
        if room:
            for name in BESIDE.findall(row):
                assert (ROOT / room[1] / name).is_file(), f"{room[1]}: {name}"


def test_the_layers_of_the_map_are_those_of_the_contract() -> None:
    """Every room of the contract stands in the picture."""
    contract = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    layers = re.search(r"^layers = \[\n(.*?)^\]", contract, re.MULTILINE | re.DOTALL)
    assert layers is not None
    rooms = set(re.findall(r"\w+", " ".join(re.findall(r'"([^"]+)"', layers[1]))))
    picture = TEXT.split("```")[1]
    drawn = set(re.findall(r"\w+", picture))
    assert sorted(rooms - drawn - {"__main__", "pytest_plugin", "testing"}) == []
