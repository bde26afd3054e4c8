"""The page on failures names every class of errors and every command, as they are."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from tests.support.click_tree import paths
from tests.support.faults.table import UNFORESEEN, tfgate_errors
from tfgate.cli.main import cli
from tfgate.errors import TfgateError

PAGE = (Path(__file__).parents[2] / "docs" / "faults.md").read_text(encoding="utf-8")
TABLE = PAGE.partition("## The fail-closed table")[2]


def test_every_class_of_errors_has_its_exit_code() -> None:
    """Classes and exit codes on the page are those of the program."""
    found: dict[int, set[str]] = defaultdict(set)
    for name, make in tfgate_errors().items():
        error = make()
        assert isinstance(error, TfgateError)
        if type(error).__module__.startswith("tfgate."):
            found[int(error.exit_code)].add(name)
    said = {
        int(code): set(re.findall(r"`(\w+)`", names))
        for code, names in re.findall(r"^\| ([1-4]) \| (.+) \|$", TABLE, re.MULTILINE)
    }
    assert said == found


def test_what_the_system_raises_is_named() -> None:
    """The other errors of the table are on the page."""
    names = {name.split()[0] for name in UNFORESEEN}
    assert names <= set(re.findall(r"`(\w+)`", TABLE))


def test_every_command_is_named() -> None:
    """Each command is in the table of commands."""
    rows = TABLE.partition("| command |")[2]
    assert set(paths(cli)) <= set(re.findall(r"`([a-z ]+)`", rows))
