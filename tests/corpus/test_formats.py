"""Every version of the plan format is read or refused as the page on compatibility says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.corpus.test_plans import CORPUS, INDEX, REFUSED, entries
from tests.support.plans import plan_data
from tfgate.cli.main import main
from tfgate.errors import PlanError
from tfgate.plan import read_plan
from tfgate.plan.reading import NEWEST_MINOR

PAGE = Path(__file__).parents[2] / "docs" / "compatibility.md"
ROW = re.compile(r"^\| `(\d\.\d)` \| ([\d., to]+)[^|]* \| read \|$", re.MULTILINE)


def documented() -> dict[str, str]:
    """Return the formats that the page has, with the versions of Terraform that write them."""
    return dict(ROW.findall(PAGE.read_text(encoding="utf-8")))


def test_the_page_has_every_format_that_is_known() -> None:
    """No more and no less."""
    known = {
        f"{major}.{minor}" for major, newest in NEWEST_MINOR.items() for minor in range(newest + 1)
    }
    assert set(documented()) == known - {"0.0"}


@pytest.mark.skipif(not INDEX.exists(), reason=f"There is no corpus at {CORPUS}.")
def test_the_corpus_has_every_format() -> None:
    """Real plans of each are read without a warning; everything else is refused."""
    seen: dict[str, int] = {}
    for entry in entries():
        path = CORPUS / "plans" / entry["file"]
        if path.name in REFUSED:
            continue
        assert read_plan(path.read_bytes(), name=path.name).warnings == (), path.name
        seen[entry["format_version"]] = seen.get(entry["format_version"], 0) + 1
    assert set(seen) == set(documented())
    assert min(seen.values()) > 10


def judged(tmp_path: Path, version: Any) -> tuple[int, tuple[str, ...] | None]:
    """Return the exit code of a check, and the plan's warnings."""
    text = json.dumps({**plan_data(), "format_version": version})
    (tmp_path / "plan.json").write_text(text)
    code = main(["check", str(tmp_path / "plan.json"), "-r", "tfgate:core", "--allow-empty"])
    try:
        return code, read_plan(text.encode()).warnings
    except PlanError:
        return code, None


@pytest.mark.parametrize("version", ["0.1", "0.2", "1.0", "1.1", "1.2"])
def test_known_formats_are_read(tmp_path: Path, version: str) -> None:
    """Without a word."""
    assert judged(tmp_path, version) == (0, ())


@pytest.mark.parametrize("version", ["0.3", "1.3", "1.99"])
def test_newer_minor_versions_are_read_with_a_warning(tmp_path: Path, version: str) -> None:
    """They add, says Terraform's promise, and change nothing."""
    code, warnings = judged(tmp_path, version)
    assert code == 0
    assert warnings is not None
    assert version in warnings[0]


@pytest.mark.parametrize(
    "version",
    ["2.0", "10.2", "", "1", "v1.2", "1.2.3", "1.2 ", "test_format_version", 1.2, 1, None],
)
def test_anything_else_is_refused(tmp_path: Path, version: Any) -> None:
    """Nothing is decided: exit code 3."""
    assert judged(tmp_path, version) == (3, None)
