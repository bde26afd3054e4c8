"""What CI, the demo and the tests install is locked: which version, and which bytes."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from scripts.lockfile import FOLDER, Locked, read_lock

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
PROJECT = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PYTHONS = ("3.10.13", "3.11.9", "3.12.1", "3.13.0", "3.14.0")
SYSTEMS = {
    "linux-x86_64": ("linux", "Linux", "posix", "x86_64"),
    "linux-arm64": ("linux", "Linux", "posix", "aarch64"),
    "macos-arm64": ("darwin", "Darwin", "posix", "arm64"),
    "macos-x86_64": ("darwin", "Darwin", "posix", "x86_64"),
    "windows": ("win32", "Windows", "nt", "AMD64"),
}


def group(name: str) -> Iterator[Requirement]:
    """Yield what a dependency group asks for, and those that it includes (PEP 735)."""
    for entry in PROJECT["dependency-groups"][name]:
        if isinstance(entry, str):
            yield Requirement(entry)
        else:
            yield from group(entry["include-group"])


def asked(lock: str) -> list[Requirement]:
    """Return what pyproject.toml wants to be in a lock."""
    if lock == "lock":
        return [*group("lock")]
    if lock == "build":
        return [*group("build"), *map(Requirement, PROJECT["build-system"]["requires"])]
    extras: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]
    chosen = {"demo": ["terraform"], "core": []}.get(lock, list(extras))
    texts = [*PROJECT["project"]["dependencies"], *(text for one in chosen for text in extras[one])]
    return [*map(Requirement, texts), *(group("dev") if lock == "test" else ())]


def environment(python: str, system: str) -> dict[str, str]:
    """Return the values of markers on a Python and a system."""
    platform, name, os_name, machine = SYSTEMS[system]
    return {
        "python_version": ".".join(python.split(".")[:2]),
        "python_full_version": python,
        "implementation_name": "cpython",
        "platform_python_implementation": "CPython",
        "sys_platform": platform,
        "platform_system": name,
        "os_name": os_name,
        "platform_machine": machine,
        "extra": "",
    }


LOCKS = {name: read_lock(name) for name in ("test", "all", "demo", "core", "build", "lock")}


def test_every_lock_is_known() -> None:
    """Here, in scripts/lock and in the folder."""
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(LOCKS)


@pytest.mark.parametrize("lock", LOCKS)
def test_everything_is_pinned_by_its_bytes(lock: str) -> None:
    """One version each, a hash for each of its files, and no index named."""
    for one in LOCKS[lock]:
        assert str(one.requirement.specifier) == f"=={one.version}"
        assert one.hashes, one.name
        assert all(value.startswith("sha256:") for value in one.hashes), one.name
    assert "://" not in (FOLDER / f"{lock}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_has_what_pyproject_asks_for(lock: str, python: str, system: str) -> None:
    """Exactly once for each Python and system; run scripts/lock where this fails."""
    markers = environment(python, system)
    versions: dict[str, str] = {}
    for one in LOCKS[lock]:
        if one.counts(markers):
            assert one.name not in versions, f"{one.name} is there twice"
            versions[one.name] = one.version
    for wanted in asked(lock):
        if wanted.marker is None or wanted.marker.evaluate(markers):
            found = versions.get(canonicalize_name(wanted.name))
            assert found is not None, f"run scripts/lock: {wanted} is not locked"
            assert found in wanted.specifier, f"run scripts/lock: {wanted}, locked is {found}"


@pytest.mark.parametrize("lock", ["all", "demo", "core", "build"])
def test_locks_agree(lock: str) -> None:
    """What is shown and shipped is what is tested: the same versions, the same files."""
    tested: dict[tuple[str, str], Locked] = {(one.name, one.version): one for one in LOCKS["test"]}
    for one in LOCKS[lock]:
        assert tested[one.name, one.version].hashes == one.hashes


def test_the_tests_run_with_what_is_locked() -> None:
    """In an environment made by scripts/venv; one made by hand may have other versions."""
    if not Path(sys.prefix, "tfgate.stamp").exists():
        pytest.skip("This environment was not made by scripts/venv.")
    installed = {
        canonicalize_name(one.name): one.version for one in importlib.metadata.distributions()
    }
    locked = {one.name: one.version for one in LOCKS["test"] if one.counts({"extra": ""})}
    unlocked = installed.keys() - locked.keys() - {"tfgate", "pip", "setuptools"}
    assert not unlocked
    assert {name: installed.get(name) for name in locked} == locked


FAKE = """#!/bin/sh
# What stands in for a Python: makes an environment whose Python only notes what it is told.
case "$1" in
-c) echo True ;;
*) mkdir -p "$LAST/bin"; printf '#!/bin/sh\\necho "$@" >> "%s/told"\\n' "$LAST" > "$LAST/bin/python"
   chmod +x "$LAST/bin/python" ;;
esac
"""


@pytest.mark.parametrize("lock", ["core", "all", "demo", "test"])
def test_nothing_is_installed_but_by_hash(lock: str, tmp_path: Path) -> None:
    """And tfgate itself from the checkout, without a look at an index."""
    fake = tmp_path / "python"
    fake.write_text(FAKE)
    fake.chmod(0o755)
    made = tmp_path / "made"
    command = [sys.executable, "scripts/venv", str(made), lock, "--python", str(fake)]
    env: dict[str, Any] = {"PATH": os.environ["PATH"], "LAST": str(made)}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    from_index, own, checked = (made / "told").read_text().splitlines()
    assert "install --no-deps --require-hashes --only-binary :all: -r" in from_index
    files = [word for word in from_index.split() if word.endswith(".txt")]
    assert [Path(file).name for file in files] == [f"{lock}.txt", "build.txt"]
    assert "install --no-index --no-deps --no-build-isolation" in own
    assert checked.endswith(" check")


@pytest.mark.parametrize(
    ("script", "lock"), [("test", "test"), ("docs", "test"), ("demo", "demo"), ("sbom", "test")]
)
def test_every_script_installs_so(script: str, lock: str) -> None:
    """None has a pip of its own."""
    text = (ROOT / "scripts" / script).read_text(encoding="utf-8")
    assert "pip install" not in text
    assert '"pip"' not in text
    assert lock in text
    assert "scripts/venv" in text


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    """By pip, with the options that scripts/venv gives it: the bytes are what was locked."""
    wheel = tmp_path / "harmless-1.0-py3-none-any.whl"
    wheel.write_bytes(b"not what was locked")
    lock = tmp_path / "lock.txt"
    lock.write_text(f"harmless==1.0 --hash=sha256:{'0' * 64}\n")
    pip = [sys.executable, "-m", "pip", "install", "--no-index", "--find-links", str(tmp_path)]
    done = subprocess.run(
        [*pip, "--require-hashes", "--only-binary", ":all:", "--dry-run", "-r", str(lock)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
