"""docs/reference/terraform.md says what the tables in the code say."""

from __future__ import annotations

import re
from pathlib import Path

from tfgate.terraform.backend import PUBLIC_SETTINGS
from tfgate.terraform.ci import CI_SYSTEMS

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "terraform.md"


def rows(heading: str) -> dict[str, list[str]]:
    """The table below a heading: what stands in backquotes, by the first of each row."""
    section = PAGE.read_text().split(f"## {heading}\n")[1].split("\n## ")[0]
    found = [re.findall(r"`([^`]+)`", line) for line in section.splitlines() if line[:3] == "| `"]
    return {first: rest for first, *rest in found}


def test_operators_of_each_ci_system_are_listed() -> None:
    """Same systems, same variables, same order."""
    listed = rows("Operator")
    for own in ("flag", "environment", "git", "sudo", "os", "none"):
        del listed[own]
    expected = {s.name: list(s.operator) for s in CI_SYSTEMS if s.operator}
    assert listed == expected
    assert list(listed) == list(expected)


def test_settings_of_each_backend_are_listed() -> None:
    """Same backends, same settings."""
    listed = rows("Workspace")
    for kind in ("cloud", "remote"):
        listed[kind] = listed[kind][:2]
    assert listed == {kind: list(settings) for kind, settings in PUBLIC_SETTINGS.items()}
