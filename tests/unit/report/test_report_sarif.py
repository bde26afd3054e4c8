"""The SARIF report: the official schema, and what code scanning makes of it."""

from __future__ import annotations

import functools
import json
from typing import TYPE_CHECKING, Any

import jsonschema
import msgspec
import pytest

from tests.support.decisions import CASES, LOCATION, context, decision, outcome
from tests.support.sarif_schema import sarif_schema
from tfgate.model.address import Location
from tfgate.report import render

if TYPE_CHECKING:
    from tfgate.model.decision import Decision


@functools.cache
def validator() -> jsonschema.protocols.Validator:
    """The official schema, read once."""
    return jsonschema.Draft7Validator(sarif_schema())


def run(case: Decision, **circumstances: Any) -> dict[str, Any]:
    """Render and give the only run."""
    (only,) = json.loads(render("sarif", case, context(**circumstances)))["runs"]
    return only


def results(case: Decision, **circumstances: Any) -> list[dict[str, Any]]:
    """Render and give the results."""
    return run(case, **circumstances)["results"]


@pytest.mark.parametrize("name", CASES)
def test_every_decision_satisfies_the_official_schema(name: str) -> None:
    """A viewer that follows the standard can read it."""
    validator().validate(json.loads(render("sarif", CASES[name], context())))


def test_the_schema_would_notice_a_mistake() -> None:
    """The check above checks something."""
    log = json.loads(render("sarif", CASES["deny-soft"], context()))
    log["runs"][0]["results"][0]["level"] = "fatal"
    with pytest.raises(jsonschema.ValidationError):
        validator().validate(log)


def test_points_at_the_line_from_the_repositorys_root() -> None:
    """A configuration in a folder is found by a reader that starts at the root."""
    (found,) = results(CASES["deny-soft"], path_prefix="infra/prod")
    place = found["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "infra/prod/main.tf"
    assert place["region"] == {"startLine": 12, "endLine": 20}


def test_a_path_becomes_a_uri() -> None:
    """Blanks and non-ASCII letters are percent-encoded."""
    case = decision(outcome(location=Location("é x/ä#1.tf", 1)))
    place = results(case)[0]["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "%C3%A9%20x/%C3%A4%231.tf"


def test_no_place_is_invented() -> None:
    """Without a line there is the address alone, unless a file is given to stand in."""
    case = decision(outcome(address="plan"))
    (location,) = results(case)[0]["locations"]
    assert location["logicalLocations"][0]["fullyQualifiedName"] == "plan"
    assert "physicalLocation" not in location
    (location,) = results(case, fallback_file="main.tf")[0]["locations"]
    assert location["physicalLocation"]["artifactLocation"]["uri"] == "main.tf"
    assert "region" not in location["physicalLocation"]


def test_module_calls_are_related_locations() -> None:
    """The way from the root module can be walked."""
    related = results(CASES["deny-chains"])[0]["relatedLocations"]
    files = [entry["physicalLocation"]["artifactLocation"]["uri"] for entry in related]
    assert files == ["main.tf", "modules/web/main.tf"]


@pytest.mark.parametrize(
    ("name", "kind", "level"),
    [
        ("deny-soft", "fail", "error"),
        ("deny-unknown", "fail", "error"),
        ("deny-error", "fail", "error"),
        ("allow-advisory", "fail", "warning"),
        ("allow-unknown-verify", "open", "none"),
        ("allow-unknown-tolerated", "open", "none"),
        ("allow-waived", "fail", "error"),
    ],
)
def test_kind_and_level_follow_what_the_outcome_does(name: str, kind: str, level: str) -> None:
    """What denies is an error; what is open has, as the standard wants, no level."""
    found = results(CASES[name])[0]
    assert (found["kind"], found["level"]) == (kind, level)


def test_a_waiver_is_a_suppression() -> None:
    """In the source where a comment waived it, external otherwise."""
    comment, file = results(CASES["allow-waived"])
    assert comment["suppressions"][0]["kind"] == "inSource"
    place = comment["suppressions"][0]["location"]["physicalLocation"]
    assert place["region"]["startLine"] == 3
    assert file["suppressions"][0]["kind"] == "external"
    assert "load test until the end of January" in file["suppressions"][0]["justification"]


def test_fingerprints_do_not_move_with_the_line() -> None:
    """The same finding on another line of another file is the same alert."""
    here = results(decision(outcome(location=LOCATION)))[0]
    there = results(decision(outcome(location=Location("moved.tf", 99))))[0]
    assert here["partialFingerprints"] == there["partialFingerprints"]


def test_findings_alike_have_fingerprints_of_their_own() -> None:
    """Two elements with one message are two alerts."""
    prints = [
        result["partialFingerprints"]["primaryLocationLineHash"]
        for result in results(CASES["deny-items-deposed-no-location"])
    ]
    assert len(set(prints)) == len(prints) == 4


def test_rules_carry_help_and_what_is_sorted_by() -> None:
    """Code scanning shows the help and ranks by security-severity."""
    rules = run(CASES["deny-hard-and-soft"])["tool"]["driver"]["rules"]
    (rule,) = [rule for rule in rules if rule["id"] == "ACME-EC2-003"]
    assert rule["helpUri"] == "https://docs.acme.example/ec2-types"
    assert "Large instances are expensive." in rule["help"]["markdown"]
    assert rule["properties"]["security-severity"] == "5.5"
    assert "soc2/CC8.1" in rule["properties"]["tags"]


def test_each_result_names_its_rule_twice_alike() -> None:
    """``ruleIndex`` points at the rule that ``ruleId`` names."""
    only = run(CASES["deny-hard-and-soft"])
    for result in only["results"]:
        rule = only["tool"]["driver"]["rules"][result["ruleIndex"]]
        assert rule["id"] == result["ruleId"]


def test_an_undecided_verdict_is_an_execution_that_did_not_succeed() -> None:
    """No results is not the same as nothing found."""
    (invocation,) = run(CASES["undecided-nothing-selected"])["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 3
    (note,) = invocation["toolExecutionNotifications"]
    assert note["level"] == "error"


def test_a_version_that_is_not_semantic_is_not_called_so() -> None:
    """``0+unknown`` out of a source tree stays a plain version."""
    driver = run(CASES["allow-clean"], tfgate_version="0+unknown")["tool"]["driver"]
    assert driver["version"] == "0+unknown"
    assert "semanticVersion" not in driver


def test_more_controls_than_github_takes_are_cut() -> None:
    """Twenty tags a rule."""
    case = CASES["deny-soft"]
    controls = {"x": tuple(map(str, range(50)))}
    many = msgspec.structs.replace(case.outcomes[0], controls=controls)
    (rule,) = run(decision(many))["tool"]["driver"]["rules"]
    assert len(rule["properties"]["tags"]) == 20
