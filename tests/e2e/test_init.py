"""``tfgate init``: what it writes works at once, and what was there stays."""

from __future__ import annotations

import os
import pty
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.support.gate import Ended
from tfgate._version import __version__

ROOT = Path(__file__).parents[2]
PLACES = ("local", "github", "gitlab", "azure", "atlantis")


def tfgate(directory: Path, *arguments: str, stdin: int = subprocess.DEVNULL) -> Ended:
    """Run a command in a directory."""
    done = subprocess.run(
        [sys.executable, "-m", "tfgate", *arguments],
        cwd=directory,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(directory.parent),
            "PYTHONPATH": str(ROOT),
            "TFGATE_AUDIT_LOG": str(directory.parent / "audit.jsonl"),
        },
        stdin=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A directory with a configuration for AWS and a plan."""
    path = tmp_path / "Shop Infra"
    path.mkdir()
    (path / "main.tf").write_text('resource "aws_vpc" "main" {}\n')
    shutil.copy(ROOT / "testdata" / "plans" / "demo.json", path / "plan.json")
    return path


def files(directory: Path) -> dict[str, str]:
    """Return every file with its text."""
    found = (path for path in directory.rglob("*") if path.is_file())
    return {path.relative_to(directory).as_posix(): path.read_text() for path in found}


@pytest.mark.parametrize("place", PLACES)
def test_what_it_writes_works_at_once(directory: Path, place: str) -> None:
    """The rules load, their examples hold, a plan is judged by them, the YAML is YAML."""
    assert tfgate(directory, "init", "--for", place).code == 0
    tested = tfgate(directory, "rules", "test", "./policy")
    assert tested.code == 0, tested
    assert "1 rule, 3 examples, all hold" in tested.out
    judged = tfgate(directory, "check", "plan.json", "--no-audit", "--report", "json")
    assert judged.code == 1, judged
    assert '"shop-infra"' in judged.out
    assert '"tfgate:aws"' in judged.out
    for name, text in files(directory).items():
        if name.endswith(".yml"):
            assert yaml.safe_load(text)
            assert __version__ in text


def test_a_fresh_project_is_green(directory: Path) -> None:
    """The first rule is proven: its examples hold, lint finds nothing, no change of it survives."""
    tfgate(directory, "init", "--for", "local")
    for command in ("test", "lint", "mutate"):
        ended = tfgate(directory, "rules", command)
        assert ended.code == 0, ended
        own = tfgate(directory, "rules", command, "./policy")
        assert own.code == 0, own
        assert "not shown" not in own.out


def test_the_atlantis_files_are_those_that_its_doctor_wants(directory: Path) -> None:
    """What it writes for a server lets nothing through."""
    tfgate(directory, "init", "--for", "atlantis")
    flags = ("--", "atlantis", "server", "--enable-policy-checks", "--repo-config=repos.yaml")
    ended = tfgate(directory, "atlantis", "doctor", *flags)
    assert ended.code == 0, ended
    assert "weak" not in ended.out


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_overwritten(directory: Path, place: str) -> None:
    """A second run says what is there, and changes nothing."""
    tfgate(directory, "init", "--for", place)
    for path in directory.rglob("*.*"):
        if path.suffix in (".toml", ".yml", ".yaml"):
            path.write_text("# mine\n")
    before = files(directory)
    ended = tfgate(directory, "init", "--for", place)
    assert ended.code == 0
    assert "wrote" not in ended.out
    assert "kept   tfgate.toml" in ended.out
    assert files(directory) == before


def test_a_link_is_not_followed(directory: Path) -> None:
    """Not even one that leads nowhere yet."""
    target = directory.parent / "elsewhere.toml"
    (directory / "tfgate.toml").symlink_to(target)
    ended = tfgate(directory, "init", "--for", "local")
    assert "kept   tfgate.toml" in ended.out
    assert 'rulesets = [..., "./policy"]' in ended.out
    assert not target.exists()


def test_it_asks_where_there_is_somebody_to_ask(directory: Path) -> None:
    """And says what to give where there is not."""
    ended = tfgate(directory, "init")
    assert (ended.code, "Name it with --for" in ended.err) == (2, True)
    ours, theirs = pty.openpty()
    os.write(ours, b"gitlab\n")
    assert tfgate(directory, "init", stdin=theirs).code == 0
    os.close(ours)
    os.close(theirs)
    assert (directory / ".gitlab" / "tfgate.yml").exists()


@pytest.mark.parametrize("option", [("--name", 'a"b'), ("--name", "-a"), ("--owner", 'a"\nb')])
def test_what_would_not_load_is_refused(directory: Path, option: tuple[str, str]) -> None:
    """Before anything is written."""
    assert tfgate(directory, "init", "--for", "local", *option).code == 2
    assert not (directory / "tfgate.toml").exists()


@pytest.mark.parametrize("name", ["1", "Ä", "x" * 80, "a b_c.d"])
def test_any_directory_gives_a_ruleset_that_loads(tmp_path: Path, name: str) -> None:
    """Whatever it is called."""
    directory = tmp_path / name
    directory.mkdir(exist_ok=True)
    assert tfgate(tmp_path, "init", "--for", "local", str(directory)).code == 0
    assert tfgate(tmp_path, "rules", "test", str(directory / "policy")).code == 0
