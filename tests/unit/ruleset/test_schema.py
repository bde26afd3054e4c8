"""The published schemas say what the strict reader says."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from tfgate.ruleset.config_tables import CONFIG, WAIVER_FILE
from tfgate.ruleset.problems import Problems
from tfgate.ruleset.rule_tables import RULE, RULESET
from tfgate.ruleset.schema import outdated, schemas
from tfgate.ruleset.strict import ListOf, MapOf, Table

from .conftest import HEADER
from .conftest import RULE as RULE_TEXT
from .test_config import FULL, MORE
from .test_loader import FULL_RULE

ROOT = Path(__file__).parents[3]
TABLES = {"rule": RULE, "ruleset": RULESET, "tfgate": CONFIG, "waivers": WAIVER_FILE}
PAGES = {"ruleset": "ruleset-format.md", "rule": "ruleset-format.md", "tfgate": "configuration.md"}
GOOD = [
    ("rule", FULL_RULE),
    ("rule", RULE_TEXT),
    ("ruleset", HEADER),
    ("ruleset", f"{HEADER}[[rules]]\n{RULE_TEXT}"),
    ("tfgate", FULL),
    ("tfgate", ""),
    ("waivers", MORE),
]
BAD = [
    ("rule", RULE_TEXT + 'deny = "x"\n'),
    ("rule", RULE_TEXT.replace("require", "requires")),
    ("rule", RULE_TEXT.replace("medium", "severe")),
    ("rule", RULE_TEXT + 'match = { types = "aws_instance" }\n'),
    ("rule", RULE_TEXT + 'match = { actions = ["destroy"] }\n'),
    ("rule", RULE_TEXT + 'match = { action = ["create"] }\n'),
    ("rule", RULE_TEXT + 'tests = [{ name = "x" }]\n'),
    ("ruleset", HEADER.replace("1.0.0", "1.0")),
    ("ruleset", HEADER.replace('["security@acme.example"]', "[]")),
    ("ruleset", HEADER + '[params.x]\ntype = "str"\ndescription = "d"\n'),
    ("tfgate", "[gates]\n"),
    ("tfgate", '[gate]\nevaluate = "al"\n'),
    ("tfgate", '[levels]\nx = "off"\n'),
    ("tfgate", "[workspace]\n"),
    ("waivers", MORE.replace("reason", "because")),
]


def plain(value: Any) -> Any:
    """Return a TOML value as a JSON validator wants it: dates as strings."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    return value.isoformat() if isinstance(value, (dt.date, dt.time)) else value


def _is_valid(name: str, text: str) -> bool:
    validator = jsonschema.Draft202012Validator(schemas()[name])
    return validator.is_valid(plain(tomli.loads(text)))


def _strictly_valid(name: str, text: str) -> bool:
    problems = Problems(name)
    TABLES[name].read(tomli.loads(text), (), problems)
    return not problems


@pytest.mark.parametrize("name", TABLES)
def test_a_schema_is_a_schema(name: str) -> None:
    """Each is valid draft 2020-12."""
    jsonschema.Draft202012Validator.check_schema(schemas()[name])


def test_the_package_carries_the_current_schemas() -> None:
    """The files are what the tables give (run ``python -m tfgate.ruleset.schema`` where not)."""
    assert outdated() == []


@pytest.mark.parametrize(("name", "text"), GOOD)
def test_what_is_right_is_valid(name: str, text: str) -> None:
    """Reader and schema accept the same examples."""
    assert _is_valid(name, text)
    assert _strictly_valid(name, text)


@pytest.mark.parametrize(("name", "text"), BAD)
def test_typical_mistakes_are_not_valid(name: str, text: str) -> None:
    """An editor marks what the reader will refuse."""
    assert not _is_valid(name, text)


FOLDERS = ROOT / "rulesets"
SHIPPED = sorted([*FOLDERS.glob("*/ruleset.toml"), *FOLDERS.glob("*/rules/*.toml")])


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: str(path.relative_to(ROOT)))
def test_shipped_rulesets_are_valid(path: Path) -> None:
    """What we ship passes our own schema."""
    name = "ruleset" if path.name == "ruleset.toml" else "rule"
    assert _is_valid(name, path.read_text(encoding="utf-8"))


def _keys(table: Table) -> set[str]:
    names = set(table.keys)
    for key in table.keys.values():
        kind: Any = key.kind
        while isinstance(kind, (ListOf, MapOf)):
            kind = kind.item
        if isinstance(kind, Table):
            names |= _keys(kind)
    return names


@pytest.mark.parametrize("name", PAGES)
def test_the_reference_page_mentions_every_key(name: str) -> None:
    """A key that is added is documented, in code font."""
    text = (ROOT / "docs" / "reference" / PAGES[name]).read_text(encoding="utf-8")
    assert {key for key in _keys(TABLES[name]) if f"`{key}`" not in text} == set()


def _examples(page: str) -> list[str]:
    text = (ROOT / "docs" / "reference" / page).read_text(encoding="utf-8")
    return [part.split("```", 1)[0] for part in text.split("```toml\n")[1:]]


@pytest.mark.parametrize("page", sorted(set(PAGES.values())))
def test_the_examples_of_the_reference_pages_are_valid(page: str) -> None:
    """Each block begins with a comment that names its file; that names its schema."""
    names = {
        "# ruleset": "ruleset",
        "# rules/": "rule",
        "# tfgate": "tfgate",
        "# waivers": "waivers",
    }
    for text in _examples(page):
        (name,) = [name for start, name in names.items() if text.startswith(start)]
        assert _is_valid(name, text), text
        assert _strictly_valid(name, text), text
