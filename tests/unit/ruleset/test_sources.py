"""Shipped rulesets are found in a wheel and in a checkout."""

from __future__ import annotations

from pathlib import Path

import tfgate
from tfgate.ruleset.sources import find_shipped_folder, locate, shipped_folder, shipped_names


def _ship(folder: Path, name: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "ruleset.toml").write_text("")


def test_a_wheel_carries_them_inside_the_package(tmp_path: Path) -> None:
    """``_rulesets`` in the package wins over whatever stands beside it in site-packages."""
    _ship(tmp_path / "tfgate" / "_rulesets", "core")
    _ship(tmp_path / "rulesets", "other")
    folder = find_shipped_folder(tmp_path / "tfgate")
    assert shipped_names(folder) == ["core"]


def test_a_checkout_has_them_beside_the_package(tmp_path: Path) -> None:
    """An editable install has no ``_rulesets``; the repository's folder is used."""
    (tmp_path / "tfgate").mkdir()
    _ship(tmp_path / "rulesets", "core")
    _ship(tmp_path / "rulesets", "aws")
    (tmp_path / "rulesets" / "unfinished").mkdir()
    assert shipped_names(find_shipped_folder(tmp_path / "tfgate")) == ["aws", "core"]


def test_no_folder_means_no_names(tmp_path: Path) -> None:
    """A broken install names nothing and raises nothing."""
    assert shipped_names(find_shipped_folder(tmp_path)) == []


def test_this_install_finds_its_own() -> None:
    """The folder is one of the two places."""
    package = Path(tfgate.__file__).parent
    assert shipped_folder() in {package / "_rulesets", package.parent / "rulesets"}


def test_a_path_is_tidied_for_messages(tmp_path: Path) -> None:
    """Files are named as a user would write them."""
    located = locate("./policy/", tmp_path)
    assert (located.path, located.shown) == (tmp_path / "policy", "policy")
