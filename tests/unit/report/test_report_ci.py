"""JUnit, GitHub and GitLab: what their readers make of each decision."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

import pytest

from tests.support.decisions import CASES, LOCATION, context, decision, outcome
from tfgate.model.decision import Verdict
from tfgate.report import render

if TYPE_CHECKING:
    from tfgate.model.decision import Decision


def junit(case: Decision) -> ElementTree.Element:
    """Render and parse."""
    return ElementTree.fromstring(render("junit", case, context()))


@pytest.mark.parametrize("name", CASES)
def test_junit_is_red_exactly_for_a_deny(name: str) -> None:
    """A CI system that reads nothing but JUnit comes to the same verdict."""
    root = junit(CASES[name])
    red = root.findall(".//failure") + root.findall(".//error")
    assert bool(red) is (CASES[name].verdict is Verdict.DENY)


@pytest.mark.parametrize("name", CASES)
def test_junit_numbers_are_those_of_its_tests(name: str) -> None:
    """Readers show the attributes without counting."""
    root = junit(CASES[name])
    assert int(root.attrib["tests"]) == len(root.findall(".//testcase"))
    for attribute, tag in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
        assert int(root.attrib[attribute]) == len(root.findall(f".//{tag}"))


def test_junit_says_why_a_test_is_skipped() -> None:
    """What was let through stays visible."""
    messages = {
        name: junit(CASES[name]).find(".//skipped").attrib["message"]
        for name in ("allow-advisory", "allow-waived", "allow-unknown-verify")
    }
    assert messages["allow-advisory"].startswith("advisory: ")
    assert messages["allow-waived"].startswith("waived: ")
    assert messages["allow-unknown-verify"].startswith("to be checked after the apply: ")


def commands(case: Decision, **circumstances: Any) -> list[str]:
    """Render and split."""
    return render("github", case, context(**circumstances)).splitlines()


def test_github_begins_with_the_verdict_and_what_blocks() -> None:
    """Only the first ten of a kind are shown."""
    lines = commands(CASES["deny-hard-and-soft"])
    assert lines[0] == "::error title=tfgate::DENIED: 2 findings of 2 rules block this plan."
    assert lines[1].startswith("::error file=main.tf,line=12,endLine=20,title=ACME-EC2-003%3A ")


def test_github_paths_count_from_the_repositorys_root() -> None:
    """An annotation lands on the file of the pull request."""
    lines = commands(CASES["deny-soft"], path_prefix="infra/")
    assert "file=infra/main.tf," in lines[1]


@pytest.mark.parametrize(
    ("name", "levels"),
    [
        ("allow-clean", ["notice"]),
        ("allow-advisory", ["notice", "warning", "warning"]),
        ("allow-unknown-verify", ["notice", "notice"]),
        ("allow-waived", ["notice", "notice", "notice"]),
        ("deny-unknown", ["error", "error"]),
        ("undecided-nothing-selected", ["error"]),
    ],
)
def test_github_levels_follow_what_an_outcome_does(name: str, levels: list[str]) -> None:
    """Red is what stops the apply."""
    assert [line.split(" ")[0].strip(":") for line in commands(CASES[name])] == levels


def quality(case: Decision, **circumstances: Any) -> list[dict[str, Any]]:
    """Render and read back."""
    return json.loads(render("gitlab", case, context(**circumstances)))


@pytest.mark.parametrize("name", CASES)
def test_gitlab_entries_have_what_gitlab_requires(name: str) -> None:
    """An entry without one of these is dropped without a word; so is a repeated fingerprint."""
    entries = quality(CASES[name])
    for entry in entries:
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert entry["location"]["path"]
        assert not entry["location"]["path"].startswith(("./", "/"))
        assert entry["location"]["lines"]["begin"] >= 1
    prints = [entry["fingerprint"] for entry in entries]
    assert len(set(prints)) == len(prints)


def test_gitlab_shows_a_verdict_that_was_not_reached() -> None:
    """An empty list would look like a clean plan."""
    (entry,) = quality(CASES["undecided-nothing-selected"])
    assert entry["severity"] == "blocker"
    assert "No rule was evaluated" in entry["description"]


def test_gitlab_marks_a_waived_finding_as_information() -> None:
    """It is listed, with its reason, and does not count against the change."""
    entries = quality(CASES["allow-waived"])
    assert {entry["severity"] for entry in entries} == {"info"}
    assert "benchmark" in entries[0]["description"]


def test_gitlab_points_at_the_plan_where_no_line_is_known() -> None:
    """GitLab takes no entry without a path."""
    case = decision(outcome(address="plan"), outcome(address="a.b", location=LOCATION))
    places = [entry["location"] for entry in quality(case, plan_name="tfplan", path_prefix="x")]
    assert places == [
        {"path": "x/main.tf", "lines": {"begin": 12}},
        {"path": "tfplan", "lines": {"begin": 1}},
    ]
