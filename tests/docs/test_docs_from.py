"""Pages for people who come from other tools: what stands beside their constructs loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tfgate.engine.functions import rule_functions
from tfgate.errors import RulesetError
from tfgate.ruleset import load_ruleset

PAGES = sorted((Path(__file__).parents[2] / "docs" / "from").glob("*.md"))
HEAD = """\
[ruleset]
id = "page"
version = "1.0.0"
title = "Page"
owners = ["team@acme.example"]

[params.allowed]
type = "list(string)"
default = ["a"]
description = "d"

[params.required]
type = "list(string)"
default = ["a"]
description = "d"

[params.network]
type = "string"
default = "10.0.0.0/8"
description = "d"

[data]
cost = { file = "facts.json" }
allowed = { file = "facts.json" }
facts = { file = "facts.json" }

[[rules]]
"""
FACTS = '{"totalMonthlyCost": "1", "regions": ["a"], "owner": "team"}'
_CELL = re.compile(r"(?<!\\)\|")
_KEY = re.compile(r"[a-z_.]+ = ")


def _rows(page: Path) -> list[tuple[str, str]]:
    """Return the rows of the page's table: their construct and ours, without their backticks."""
    rows = []
    for line in page.read_text(encoding="utf-8").split("\n"):
        cells = [cell.strip() for cell in _CELL.split(line)[1:-1]]
        if len(cells) == 2 and all(cell.startswith("`") for cell in cells):
            theirs, ours = (cell.strip("`").strip().replace("\\|", "|") for cell in cells)
            closed = f"{ours}`" if ours.count("`") % 2 else ours
            rows.append((theirs, closed))
    return rows


def _loads(tmp_path: Path, ours: str, scope: str) -> str | None:
    """Load a rule with a key, or with an expression as its require; return what is wrong."""
    given = {"message": '"m"', "severity": '"low"', "enforcement": '"advisory"', "title": '"t"',
             "id": '"P-1"', "require": "'action'", "scope": f'"{scope}"'}  # fmt: skip
    if _KEY.match(ours):
        key, _, value = ours.partition(" = ")
        given[key] = value
    else:
        given["require"] = f"'''{ours}'''"
    if "scope = " in ours:
        given["require"] = "'name'"
    rule = "".join(f"{key} = {value}\n" for key, value in given.items())
    (tmp_path / "facts.json").write_text(FACTS, encoding="utf-8")
    (tmp_path / "ruleset.toml").write_text(f"{HEAD}{rule}", encoding="utf-8")
    try:
        load_ruleset(str(tmp_path), functions=rule_functions())
    except RulesetError as error:
        return str(error)
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_stands_beside_their_constructs_loads(page: Path, tmp_path: Path) -> None:
    """Twenty constructs a page; each of ours is a key of a rule or an expression of one."""
    rows = _rows(page)
    assert len(rows) >= 20
    wrong = []
    for theirs, ours in rows:
        errors = [_loads(tmp_path, ours, scope) for scope in ("resource", "plan")]
        if all(errors):
            wrong.append((theirs, errors[0]))
    assert wrong == []
