"""The documentation is whole: it builds as a site, no link is broken, every page can be found."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.doc_blocks import blocks

ROOT = Path(__file__).parents[2]
PAGES = sorted(ROOT.glob("*.md"))
LINK = re.compile(r"\]\((?!https?:|mailto:)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    """Strict: a broken link, a missing anchor or a page that no menu names fails it."""
    command = [sys.executable, "-m", "properdocs", "build", "--strict"]
    done = subprocess.run(
        [*command, "-f", str(ROOT / "properdocs.yml"), "-d", str(tmp_path / "site")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    home = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert "Start in five minutes" in home
    assert not re.search(r'<(?:script|link)[^>]*(?:src|href)="https?://(?!.*canonical)', home)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_links_of_the_pages_outside_of_the_site(path: Path) -> None:
    """README and its neighbours are read where they lie."""
    text = path.read_text(encoding="utf-8")
    missing = [link for link in LINK.findall(text) if not (path.parent / link).exists()]
    assert not missing


def test_files_that_pages_name_are_there() -> None:
    """Of the repository: scripts, templates, tests."""
    named = re.compile(r"`((?:ci|scripts|tests|rulesets|testdata)/[\w./-]+)`")
    for path in [*PAGES, *(ROOT / "docs").rglob("*.md")]:
        for name in named.findall(path.read_text(encoding="utf-8")):
            assert (ROOT / name).exists(), f"{path.name}: {name}"


def test_yaml_of_the_pages_is_yaml() -> None:
    """Examples are copied."""
    import textwrap

    import yaml

    for path in [*PAGES, *(ROOT / "docs" / "integrations").rglob("*.md")]:
        for block in blocks(path):
            if block.language == "yaml":
                assert yaml.safe_load(textwrap.dedent(block.text)), block.name


def test_the_atlantis_example_is_as_good_as_the_doctor_asks() -> None:
    """What people copy lets nothing through."""
    from tfgate.atlantis.settings import parse_document
    from tfgate.atlantis.traps import server_traps

    page = ROOT / "docs" / "integrations" / "atlantis.md"
    example = next(block for block in blocks(page) if block.text.startswith("# repos.yaml"))
    assert [one.what for one in server_traps(parse_document(example.text, "repos.yaml"))] == []


def test_every_trap_of_the_doctor_is_described() -> None:
    """By the name that its findings have."""
    page = (ROOT / "docs" / "integrations" / "atlantis.md").read_text(encoding="utf-8")
    sources = (ROOT / "tfgate" / "atlantis").glob("traps*.py")
    names = {
        name
        for source in sources
        for name in re.findall(r'Danger\.\w+,\s*"([a-z-]+)"', source.read_text(encoding="utf-8"))
    }
    assert len(names) > 20
    assert {name for name in names if f"`{name}`" not in page} <= {"flags-unknown"}
