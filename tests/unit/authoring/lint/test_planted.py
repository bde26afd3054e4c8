"""Lint names every planted defect, and nothing in rules that are right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.unit.authoring.lint.planted import PLANTED, Planted
from tfgate.authoring.lint.findings import CHECKS, LintResult
from tfgate.authoring.lint.ruleset import lint_rulesets
from tfgate.schema import Catalog, shipped_indexes

if TYPE_CHECKING:
    from pathlib import Path

HEADER = """\
[ruleset]
id = "acme"
version = "1.0.0"
title = "Acme"
owners = ["security@acme.example"]
"""


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The AWS provider's schema, as it is shipped."""
    return Catalog(shipped_indexes())


def lint(folder: Path, catalog: Catalog, *rules: str, header: str = HEADER) -> LintResult:
    """Lint a ruleset of these rules."""
    (folder / "rules").mkdir(parents=True)
    (folder / "ruleset.toml").write_text(header, encoding="utf-8")
    for number, rule in enumerate(rules):
        (folder / "rules" / f"r{number}.toml").write_text(rule, encoding="utf-8")
    return lint_rulesets([folder.name], catalog, base=folder.parent)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name.replace(" ", "-"))
def test_names_the_defect(planted: Planted, tmp_path: Path, catalog: Catalog) -> None:
    """Each defect is found by the check that is meant for it, in words that name it."""
    result = lint(tmp_path / "set", catalog, planted.rule)
    told = [(found.check, found.message) for found in result.findings]
    assert any(c == planted.check and planted.says in message for c, message in told), told
    assert planted.check in CHECKS
