"""Tests of whole plans beside a ruleset: ``tests/*.toml``, read strictly."""

from __future__ import annotations

import os
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

from tfgate.errors import Problem, RulesetError
from tfgate.model import Frozen
from tfgate.ruleset.example_tables import CHANGE, OUTPUT, PLAN, Expect
from tfgate.ruleset.facts import check_example_context
from tfgate.ruleset.files import Unreadable, read_toml
from tfgate.ruleset.params import check_known, check_params
from tfgate.ruleset.problems import Problems, suggest
from tfgate.ruleset.rule_tables import ID_PATTERN
from tfgate.ruleset.strict import Boolean, Choice, Json, Key, ListOf, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tfgate.ruleset.ruleset import Ruleset

FOLDER: Final = "tests"
MAX_FILES: Final = 1_000
"""Files of tests beside one ruleset."""


class Verdict(str, Enum):
    """What the whole decision must be."""

    ALLOW = "allow"
    DENY = "deny"


EXPECTED: Final = Table(
    "an expectation",
    {
        "rule": Key(Text("a rule id", ID_PATTERN), "Id of the rule.", required=True, default=""),
        "address": Key(
            Text(), 'Address of the subject; the plan itself is "plan".', required=True, default=""
        ),
        "outcome": Key(Choice(Expect), "What the rule comes to on it.", required=True),
        "message": Key(Text(empty=True), "The message of the (first) finding, where it matters."),
    },
    retired={"expect": "write outcome = …"},
)

PLAN_TEST: Final = Table(
    "a plan test",
    {
        "name": Key(Text(most=300), "What the test shows.", required=True, default=""),
        "plan": Key(
            Text(most=1_000, one_line=True),
            "Path of plan JSON (terraform show -json), relative to this file. Without it, the "
            "plan is made of what stands here.",
        ),
        "changes": Key(ListOf(CHANGE, unique=False), "Changes of resources.", default=()),
        "outputs": Key(ListOf(OUTPUT, unique=False), "Changes of outputs.", default=()),
        "facts": Key(PLAN, "Other parts of the plan: variables, checks, drift, complete, …"),
        "configuration": Key(Json(table=True), "The plan's configuration, for references."),
        "params": Key(Json(table=True), "Parameter values.", default={}),
        "variables": Key(
            Json(table=True), "Input variables of the root module by name, each with its value."
        ),
        "context": Key(Json(table=True), "Facts of the run: $context.", default={}),
        "data": Key(Json(table=True), "Content of data files by name: $data.", default={}),
        "workspace": Key(Text(), "Workspace of the plan."),
        "verdict": Key(Choice(Verdict), "What the whole decision must be."),
        "exact": Key(
            Boolean(), "Whether every finding must be expected. Without it: false.", default=False
        ),
        "expect": Key(ListOf(EXPECTED, unique=False), "Outcomes by rule and address.", default=()),
    },
)

PLAN_TESTS: Final = Table(
    "a file of plan tests",
    {
        "ruleset": Key(
            Text("a ruleset id", ID_PATTERN),
            "Id of the ruleset that the tests are of. Without it: of every ruleset beside it.",
        ),
        "tests": Key(
            ListOf(PLAN_TEST, least=1, unique=False), "The tests.", required=True, default=()
        ),
    },
    retired={"test": "write [[tests]]"},
)


class Expected(Frozen, frozen=True):
    """One outcome that a plan test expects."""

    rule: str
    address: str
    outcome: str
    message: str | None = None


class PlanTest(Frozen, frozen=True):
    """One test of a whole plan."""

    name: str
    file: str
    """As a user would write it."""
    line: int | None
    plan: Path | None
    """Plan JSON, where the plan is a file."""
    inline: Mapping[str, Any]
    """Where it is none: ``plan``, ``changes``, ``configuration`` as an example has them."""
    params: Mapping[str, Any]
    context: Mapping[str, Any]
    data: Mapping[str, Any]
    workspace: str | None
    verdict: str | None
    exact: bool
    expect: tuple[Expected, ...]


def load_plan_tests(ruleset: Ruleset) -> tuple[PlanTest, ...]:
    """Read the tests beside a ruleset. Raises ``RulesetError`` with every mistake of every file."""
    folder, shown = _folder(ruleset)
    problems: list[Problem] = []
    tests = [
        test
        for path, name in _files(folder, shown, problems)
        for test in _read(path, name, ruleset, problems)
    ]
    if problems:
        raise RulesetError(problems)
    return tuple(tests)


def _folder(ruleset: Ruleset) -> tuple[Path, str]:
    if ruleset.path.is_dir():
        return ruleset.path / FOLDER, f"{ruleset.source.rstrip('/')}/{FOLDER}"
    return ruleset.path.parent / FOLDER, os.path.join(os.path.dirname(ruleset.source), FOLDER)


def _files(folder: Path, shown: str, problems: list[Problem]) -> Iterator[tuple[Path, str]]:
    if not folder.is_dir():
        return
    names = sorted(name for name in os.listdir(folder) if name.endswith(".toml"))
    if len(names) > MAX_FILES:
        problems.append(Problem(shown, f"has more than {MAX_FILES:,} files"))
        return
    for name in names:
        if not name.startswith("."):
            yield folder / name, f"{shown}/{name}"


def _read(path: Path, shown: str, ruleset: Ruleset, problems: list[Problem]) -> Iterator[PlanTest]:
    try:
        file = read_toml(path, shown)
    except Unreadable as error:
        problems.append(error.problem)
        return
    found = file.problems()
    read = PLAN_TESTS.read(file.table, (), found)
    if read["ruleset"] in (None, ruleset.id):
        known = [rule.id for rule in ruleset.rules]
        for number, table in enumerate(read["tests"]):
            _check(table, known, number, found)
            at = ("tests", number)
            check_params(ruleset.params, table["params"], (*at, "params"), found)
            check_example_context(ruleset.context, table["context"], (*at, "context"), found)
            check_known(ruleset.data, table["data"], (*at, "data"), found)
            yield _build(table, path, shown, found.line_of(("tests", number)))
    problems += found.done()


_INLINE: Final = ("changes", "outputs", "facts", "configuration", "variables")


def _check(table: Mapping[str, Any], known: list[str], number: int, found: Problems) -> None:
    at = ("tests", number)
    if not table["expect"] and table["verdict"] is None:
        found.add("a plan test expects something: write [[tests.expect]] or verdict", at)
    for place, expected in enumerate(table["expect"]):
        rule = expected["rule"]
        if rule and rule not in known:
            found.add(f"no such rule{suggest(rule, known)}", (*at, "expect", place, "rule"))
    inline = [name for name in _INLINE if table[name]]
    if table["plan"] is not None and inline:
        found.add(f"a plan from a file has no {inline[0]} beside it", (*at, inline[0]))


def _build(table: Mapping[str, Any], path: Path, shown: str, line: int | None) -> PlanTest:
    return PlanTest(
        name=table["name"],
        file=shown,
        line=line,
        plan=None if table["plan"] is None else path.parent / table["plan"],
        inline=_inline(table),
        params=table["params"],
        context=table["context"],
        data=table["data"],
        workspace=table["workspace"],
        verdict=None if table["verdict"] is None else table["verdict"].value,
        exact=table["exact"],
        expect=tuple(
            Expected(entry["rule"], entry["address"], entry["outcome"].value, entry["message"])
            for entry in table["expect"]
            if entry["outcome"] is not None
        ),
    )


def read_inline(tables: Mapping[str, Any]) -> dict[str, Any]:
    """Read the parts of an inline plan that come from elsewhere than a file.

    Raises ``RulesetError`` with every mistake.
    """
    problems = Problems("the plan")
    table = {"name": "plan", **tables}
    read = PLAN_TEST.read({key: value for key, value in table.items() if value}, (), problems)
    if problems:
        raise RulesetError(problems.done())
    return _inline(read)


def _inline(table: Mapping[str, Any]) -> dict[str, Any]:
    facts = dict(table["facts"] or {})
    facts["outputs"] = [*(facts.get("outputs") or ()), *table["outputs"]]
    subject = {
        "plan": facts,
        "changes": table["changes"],
        "configuration": table["configuration"],
        "variables": table["variables"],
    }
    return {name: plain(value) for name, value in subject.items() if value}


def plain(value: Any) -> Any:
    """Leave out what the author did not write; make lists of tuples."""
    if isinstance(value, dict):
        return {
            name: plain(item) for name, item in value.items() if item is not None and item != ()
        }
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value
