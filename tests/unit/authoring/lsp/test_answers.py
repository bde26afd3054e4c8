"""Hover and completion on texts that are half-written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfgate.authoring.lsp.answers import (
    Declared,
    complete,
    declared_in,
    hover,
    marks_of,
    place_at,
)
from tfgate.schema import Catalog, shipped_indexes

if TYPE_CHECKING:
    from pathlib import Path

DECLARED = Declared(
    {"limit": "number"},
    {"types": "t.json"},
    {"workspace": "string", "pull": "string"},
    {"rules": "after.ingress"},
)


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """The AWS provider's schema, as it is shipped."""
    return Catalog(shipped_indexes())


def _labels(text: str, catalog: Catalog) -> set[str]:
    """Complete at the bar."""
    place = text.index("¦")
    offers = complete(text.replace("¦", ""), place, catalog, DECLARED)
    return {offer.label for offer in offers}


SECURITY_GROUP = 'match.types = ["aws_security_group"]\n'


@pytest.mark.parametrize(
    ("line", "offered", "not_offered"),
    [
        ('deny = "af¦', {"after", "before", "starts_with", "left_to_provider"}, {"ingress"}),
        ('deny = "after.¦', {"ingress", "vpc_id"}, {"from_port", "after", "length"}),
        ('deny = "after.ingress[?¦', {"from_port", "cidr_blocks"}, {"vpc_id"}),
        ('deny = "after.ingress[?from_port == `22` && ¦', {"cidr_blocks"}, {"vpc_id"}),
        ('deny = "after.ingress[0].¦"', {"from_port"}, {"vpc_id"}),
        ('deny = """\nafter.ingress[].¦', {"from_port"}, {"vpc_id"}),
        ('deny = "$params.¦', {"limit"}, {"after", "rules"}),
        ('deny = "$context.work¦', {"workspace", "pull"}, {"after"}),
        ('deny = "after.x == $¦', {"rules", "params", "data", "context"}, {"after"}),
        ('message = "{address} of {$params.¦', {"limit"}, {"vpc_id"}),
        ("deny = \"left_to_provider('¦", {"ingress"}, {"from_port"}),
        ("deny = \"left_to_provider('timeouts.¦", {"create"}, {"ingress"}),
        ('message = "{address} has {after.¦', {"vpc_id"}, {"length"}),
        ('let.x = "after.¦', {"vpc_id"}, set()),
        ('title = "after.¦', set(), {"vpc_id"}),
    ],
)
def test_completion(line: str, offered: set[str], not_offered: set[str], catalog: Catalog) -> None:
    """What is offered fits the place: roots, attributes, elements of filters, names."""
    labels = _labels(SECURITY_GROUP + line, catalog)
    assert offered - labels == set()
    assert not_offered & labels == set()


def test_types_are_offered(catalog: Catalog) -> None:
    """In match.types, the types of all known providers."""
    assert "aws_s3_bucket" in _labels('match.types = ["aws_s3¦', catalog)


def test_hover(catalog: Catalog) -> None:
    """Functions show signature and example, attributes their type and flags."""
    text = SECURITY_GROUP + "deny = \"starts_with(after.vpc_id, 'x') && after.ingress[?from_port]\""
    page = hover(text, text.index("starts_with") + 3, catalog)
    assert page is not None
    assert "starts_with(" in page
    page = hover(text, text.index("vpc_id") + 1, catalog)
    assert page is not None
    assert "string, optional, computed" in page
    page = hover(text, text.index("from_port") + 1, catalog)
    assert page is not None
    assert "after.ingress[].from_port: number" in page
    assert hover(text, 2, catalog) is None


def test_the_rule_around_counts() -> None:
    """In a file of several rules, the types of the rule around the cursor."""
    text = '[[rules]]\nmatch.types = ["a_b"]\n[[rules]]\nmatch.types = ["c_d"]\ndeny = "after.'
    assert place_at(text, len(text)).types == ("c_d",)


def test_marks_of_an_unsaved_text(tmp_path: Path, catalog: Catalog) -> None:
    """The text in the editor counts, not the file; the mark is under the name."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "ruleset.toml").write_text(
        '[ruleset]\nid = "a"\nversion = "1.0.0"\ntitle = "A"\nowners = ["o"]\n'
        '[params.limit]\ntype = "number"\ndefault = 1\ndescription = "L"\n'
    )
    path = tmp_path / "rules" / "r.toml"
    path.write_text("")
    text = (
        'id = "A-1"\ntitle = "T"\nseverity = "low"\nenforcement = "advisory"\n'
        'message = "{address}"\nmatch.types = ["aws_instance"]\n'
        'require = "after.monitorin == `true`"\n'
    )
    (mark,) = marks_of(path, text, catalog)
    assert (mark.line, mark.check) == (6, "unknown-attribute")
    assert text.split("\n")[6][mark.start : mark.end] == "monitorin"
    broken = text + 'let.x = "after'
    marks = marks_of(path, broken, catalog)
    assert [mark.check for mark in marks] == ["does-not-load"]
    declared = declared_in(path, f"let.y = 'after.ami'\n{broken}")
    assert (set(declared.params), set(declared.variables)) == ({"limit"}, {"y"})


def test_files_of_no_ruleset_have_no_marks(tmp_path: Path, catalog: Catalog) -> None:
    """Any other TOML file is left alone."""
    (tmp_path / "x.toml").write_text("a = 1\n")
    assert marks_of(tmp_path / "x.toml", "a =", catalog) == []
