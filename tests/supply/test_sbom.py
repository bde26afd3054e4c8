"""The bill of materials is CycloneDX, and lists what tfgate runs with, no more and no less."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from packaging.markers import default_environment
from packaging.utils import canonicalize_name

from scripts.lockfile import read_lock
from tfgate._version import __version__

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.skipif(
    not Path(sys.prefix, "tfgate.stamp").exists(),
    reason="This environment was not made by scripts/venv, and has other versions.",
)


@pytest.mark.slow
def test_the_bill_of_materials(tmp_path: Path) -> None:
    """Every locked package of this Python with version, licence, hashes and who needs it."""
    target = tmp_path / "sbom.json"
    command = [sys.executable, "scripts/sbom", "--inside", str(target)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr  # it validates what it writes, strictly
    bom: dict[str, Any] = json.loads(target.read_text(encoding="utf-8"))
    root = bom["metadata"]["component"]
    assert (root["name"], root["version"]) == ("tfgate", __version__)
    here = {str(key): str(value) for key, value in default_environment().items()} | {"extra": ""}
    locked = {one.name: one for one in read_lock("all") if one.counts(here)}
    listed = {canonicalize_name(one["name"]): one for one in bom["components"]}
    assert set(listed) == set(locked)
    for name, component in listed.items():
        assert component["licenses"], name
        (source,) = [one for one in component["externalReferences"] if one.get("hashes")]
        hashes = {f"sha256:{one['content']}" for one in source["hashes"]}
        assert hashes == locked[name].hashes
    needs = {entry["ref"]: entry.get("dependsOn", []) for entry in bom["dependencies"]}
    needed = {canonicalize_name(ref.split("==")[0]) for refs in needs.values() for ref in refs}
    assert needed == set(locked)
