"""What tfgate runs with may be used: every licence is known, allowed, and the one declared."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path
from typing import Any

import pytest
import tomli
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> Any:
    """scripts/licences.py as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    import licences

    return licences


def needed(name: str, extras: frozenset[str], found: dict[str, frozenset[str]]) -> None:
    """Note what an installed package needs with these extras, and all that needs in turn."""
    if found.get(name, frozenset(["?"])) >= extras and name in found:
        return
    try:
        wanted = [Requirement(text) for text in requires(name) or []]
    except PackageNotFoundError:  # an extra that is not installed here
        return
    found[name] = found.get(name, frozenset()) | extras
    for one in wanted:
        markers = [{"extra": extra} for extra in (extras or {""})]
        if one.marker is None or any(one.marker.evaluate(marker) for marker in markers):
            needed(canonicalize_name(one.name), frozenset(one.extras), found)


def test_everything_installed_is_under_an_allowed_licence(script: Any) -> None:
    """Of the core and all extras, and what is needed in turn; the list says what they declare."""
    project = tomli.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    parts = [project["dependencies"], *project["optional-dependencies"].values()]
    found: dict[str, frozenset[str]] = {}
    for one in [Requirement(text) for texts in parts for text in texts]:
        needed(canonicalize_name(one.name), frozenset(one.extras), found)
    licences = script.Licences()
    problems = [problem for name in sorted(found) if (problem := licences.problem(name))]
    assert not problems, "\n".join(problems)
    assert len(found) > 20
    for name in found.keys() - licences.read.keys():
        assert script.declared_licence(name) == licences.licence(name), name


def test_the_list_and_its_page_are_current() -> None:
    """For everything that is locked, for whatever Python and system."""
    command = [sys.executable, "scripts/licences.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_new_licence_is_told_of(script: Any) -> None:
    """In a sentence that says what to do."""
    licences = script.Licences()
    licences.declared["newcomer"] = "AGPL-3.0-only"
    assert licences.problem("newcomer") == (
        "newcomer is under AGPL-3.0-only, which nobody has allowed: do without it, or decide and"
        " write the licence into requirements/licences.toml."
    )
    assert licences.problem("stranger").startswith("The licence of stranger is not known: ")


@pytest.mark.parametrize(
    ("expression", "permitted"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("MIT AND GPL-3.0-only", False),
        ("GPL-3.0-only OR MIT AND Apache-2.0", True),
        ("MIT AND (GPL-3.0-only OR MIT)", False),
        ("", False),
    ],
)
def test_how_an_expression_is_judged(script: Any, expression: str, permitted: bool) -> None:
    """One side of an OR suffices, all of an AND are needed, and brackets are no."""
    assert script.Licences().permits(expression) is permitted
