"""What is in the wheel works where it is installed, and the checkout works as it lies."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, and give the folder that it unpacks to."""
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(path: Path, *arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run tfgate with ``path`` first on the module path, and nothing else of this checkout."""
    env = {**os.environ, "PYTHONPATH": str(path), "PYTHONSAFEPATH": "1", "HOME": str(cwd)}
    command = [sys.executable, "-m", "tfgate", *arguments]
    return subprocess.run(
        command, cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=120
    )


@pytest.mark.parametrize(
    ("name", "prefix"),
    [("core", "CORE"), ("aws", "AWS"), ("azure", "AZURE"), ("kubernetes", "K8S")],
)
def test_wheel_carries_the_rulesets(wheel: Path, tmp_path: Path, name: str, prefix: str) -> None:
    """A ruleset of an installed wheel is the one of the checkout, rule for rule."""
    installed = run(wheel, "rules", "list", "-r", f"tfgate:{name}", cwd=tmp_path)
    editable = run(ROOT, "rules", "list", "-r", f"tfgate:{name}", cwd=tmp_path)
    assert installed.returncode == 0, installed.stderr
    assert installed.stdout == editable.stdout
    assert f"{prefix}-" in installed.stdout


def test_wheel_carries_the_rules_as_they_were_checked(wheel: Path) -> None:
    """An evaluation by an installed wheel need not read their TOML: examples are not there."""
    code = """
import sys
from tfgate import ruleset
from tfgate.engine.functions import rule_functions
from tfgate.ruleset import load_ruleset, shipped_names

assert ruleset.__file__.startswith(sys.argv[1])
for name in shipped_names():
    functions = rule_functions()
    rules = load_ruleset(f"tfgate:{name}", functions=functions, shipped_examples=False).rules
    assert rules, name
    assert not any(rule.rule.tests for rule in rules), name
"""
    env = {**os.environ, "PYTHONPATH": str(wheel), "PYTHONSAFEPATH": "1"}
    subprocess.run([sys.executable, "-c", code, str(wheel)], env=env, check=True)


def test_wheel_is_used_and_not_the_checkout(wheel: Path, tmp_path: Path) -> None:
    """The rules of the wheel come out of the wheel."""
    shown = run(wheel, "rules", "show", "CORE-DEL-001", "-r", "tfgate:core", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    code = "import tfgate.ruleset.sources as s; print(s.__file__)"
    env = {**os.environ, "PYTHONPATH": str(wheel), "PYTHONSAFEPATH": "1"}
    where = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True
    )
    assert where.stdout.startswith(str(wheel))


@pytest.mark.parametrize("name", ["ruleset", "rule", "config", "waivers", "report"])
def test_wheel_carries_the_schemas(wheel: Path, tmp_path: Path, name: str) -> None:
    """Every published schema is in the wheel."""
    done = run(wheel, "schema", name, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert '"$schema"' in done.stdout


def test_wheel_is_typed_and_names_its_command(wheel: Path) -> None:
    """The wheel tells type checkers that it has types, and installs the command."""
    assert (wheel / "tfgate/py.typed").exists()
    (points,) = wheel.glob("*.dist-info/entry_points.txt")
    assert "tfgate = tfgate.__main__:run" in points.read_text()
