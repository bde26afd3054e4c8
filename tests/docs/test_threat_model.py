"""Each claim of the threat model has its test, and each test that it names is there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "threat-model.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
CLAIM = re.compile(r"^- \*\*.*?(?=^- \*\*|^\S|\Z)", re.MULTILINE | re.DOTALL)


def parties() -> dict[str, str]:
    """Return the sections that make claims, by the party's name."""
    text = PAGE.read_text(encoding="utf-8")
    sections = dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    others = ("What is protected", "Who controls what", "What no test can show")
    return {name: body for name, body in sections.items() if name not in others}


def test_the_parties() -> None:
    """Those that the page is about."""
    assert len(parties()) == 4


@pytest.mark.parametrize("party", parties())
def test_each_claim_names_its_tests(party: str) -> None:
    """Whether it says what somebody cannot do or what they can."""
    claims = CLAIM.findall(parties()[party])
    assert len(claims) > 5
    untested = [claim for claim in claims if not NAMED.search(claim)]
    assert not untested


@pytest.mark.slow
def test_each_named_test_is_there() -> None:
    """As pytest collects it, so that none is named that would not run."""
    named = set(NAMED.findall(PAGE.read_text(encoding="utf-8")))
    assert len(named) > 100
    files = sorted({file for file, _ in named})
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider"]
    done = subprocess.run([*command, *files], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    collected = {
        (line.split("::")[0], line.split("::")[1].partition("[")[0])
        for line in done.stdout.splitlines()
        if "::" in line
    }
    assert not named - collected
