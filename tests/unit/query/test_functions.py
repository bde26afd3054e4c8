"""Each function does what its own documentation says."""

from __future__ import annotations

import pkgutil
from datetime import datetime, timezone
from typing import Any

import msgspec
import pytest

from tfgate import query
from tfgate.query import UNKNOWN, EvaluationError, Function, FunctionTable, Scope, functions


class Noon(Scope):
    """A scope whose clock stands still."""

    now = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)


BUILTIN = tuple(FunctionTable.default())
STANDARD = [function for function in BUILTIN if function.standard]
EXTRA = [function for function in BUILTIN if not function.standard]


def test_every_family_registers_its_functions() -> None:
    """No module of functions is forgotten where they are imported."""
    names = {module.name for module in pkgutil.iter_modules(functions.__path__)}
    assert {name for name in names if hasattr(functions, name)} == names


def test_a_function_of_an_extension_wins() -> None:
    """The others stay what they are."""
    mine = msgspec.structs.replace(next(f for f in BUILTIN if f.name == "abs"), doc="Mine.")
    table = FunctionTable.default().extended([mine])
    found = {name: table.find(name) for name in ("abs", "sum", "nothing")}
    assert found["abs"] is mine
    assert found["sum"] is next(f for f in BUILTIN if f.name == "sum")
    assert found["nothing"] is None
    assert "age_days" in table
    assert [f.name for f in table] == [f.name for f in BUILTIN]


@pytest.mark.parametrize("function", BUILTIN, ids=lambda function: function.name)
def test_the_documented_example_gives_the_documented_result(function: Function) -> None:
    """Examples are run, so that the generated pages are true."""
    assert query.compile(function.example).search({}, Noon()) == function.result


@pytest.mark.parametrize("function", BUILTIN, ids=lambda function: function.name)
def test_a_function_is_documented(function: Function) -> None:
    """A sentence on what it does, and one on errors unless only types can be wrong."""
    assert function.doc.endswith(".")
    assert function.errors or function.total or function.name == "join"
    assert function.signature.startswith(f"{function.name}(")


def test_all_standard_functions_are_there() -> None:
    """The specification has 26."""
    assert len({function.name for function in STANDARD}) == 26


@pytest.mark.parametrize("name", sorted(f.name for f in EXTRA))
def test_null_is_refused_by_every_added_function(name: str) -> None:
    """As by the standard functions: null is a type of its own."""
    function = next(f for f in EXTRA if f.name == name)
    rest = {"expref": "&@"}
    arguments = [rest.get(p.types, "missing") for p in function.parameters if not p.optional]
    with pytest.raises(EvaluationError) as caught:
        query.compile(f"{name}({', '.join(arguments)})").search({}, Noon())
    assert caught.value.kind == "invalid-type"


def test_an_unknown_argument_gives_an_unknown_result_that_may_raise() -> None:
    """For a string function null is an error, and an unknown may be null."""
    judgement = query.compile("lower(u)").judge({"u": UNKNOWN})
    assert (judgement.value, judgement.truth, judgement.may_raise) == (UNKNOWN, None, True)


@pytest.mark.parametrize(
    ("expression", "result"),
    [
        ("matches('t3.micro', 'micro')", True),
        ("matches('t3.micro', '^micro')", False),
        ("matches('ABC', '(?i)^abc$')", True),
        ("matches(p, p)", True),
        ("glob('aws_instance', 'aws_*')", True),
        ("glob('aws_instance', 'AWS_*')", False),
        ("glob('a.b', 'a?b')", True),
        ("glob('a.b', 'a.[!a]')", False),
        ("glob('a.[!a]', 'a.[!a]')", True),
        ("glob('aws_s3_bucket.b[\"uploads\"]', 'aws_s3_bucket.*[\"up*\"]')", True),
        ("glob('a?c', 'a??')", True),
        ("glob('a\nb', 'a*b')", True),
        ("glob('a[b', 'a[b')", True),
        ("glob('x+y', 'x+y')", True),
        ("lower('ÄB')", "äb"),
        ("upper('äb')", "ÄB"),
        ("split('a--b', '--')", ["a", "b"]),
        ("split('', ',')", [""]),
        ("split('', '')", []),
        ("split('', '', `0`)", [""]),
        ("split('abc', '', `5`)", ["a", "b", "c"]),
        ("split('a,b,c', ',', `1.0`)", ["a", "b,c"]),
        ("replace('aaa', 'a', '', `2`)", "a"),
        ("replace('ab', '', '-')", "-a-b-"),
        ("pad_left('abc', `-5`)", "abc"),
        ("find_last('abab', 'ab', `-3`, `-1`)", None),
        ("find_first('abc', 'c', `-1`)", 2),
        ("trim('xxaxx', 'x')", "a"),
        ('from_items(`[["a", 1], ["a", 2]]`)', {"a": 2}),
        ("from_items(`[]`)", {}),
        ("zip(`[1, 2]`)", [[1], [2]]),
        ("zip(`[1, 2]`, `[]`)", []),
        ("sum_by(`[]`, &a)", 0),
        ("group_by(`[]`, &a)", {}),
        ("get(`null`, 'a')", None),
        ("get(`{\"a\": null}`, 'a', 'd')", "d"),
        ("get(`{\"a\": 0}`, 'a', 'd')", 0),
        ("cidr_overlaps('10.0.0.0/16', '10.1.0.0/16')", False),
        ("cidr_overlaps('10.1.0.0/16', '10.0.0.0/8')", True),
        ("cidr_overlaps('10.0.0.0/8', '::/0')", False),
        ("date_add('2024-02-28', `1`)", "2024-02-29"),
        ("date_add('2026-01-31T23:30:00.5+01:00', `1.5`)", "2026-02-02T10:30:00Z"),
        ("date_add('2026-01-01', `-1`)", "2025-12-31"),
        ("any(`[]`)", False),
        ("all(`[]`)", True),
        ("none(`[]`)", True),
        ("any(`[0]`)", True),
        ('any(`[null, false, ""]`)', False),
        (
            "unique(`[1, 1.0, true, 0, false, [1], [1], null, null]`)",
            [1, True, 0, False, [1], None],
        ),
        ("count_by(`[]`, &@)", {}),
        ("any(`[1, 2]`, &@ > `1`)", True),
    ],
)
def test_added_functions_on_text_and_lists(expression: str, result: Any) -> None:
    """The corner cases of what tfgate adds."""
    assert query.compile(expression).search({"p": "a+"}) == result


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"a": 1, "a": 1}',
        '{"a": 1, "a": 2}',
        '{"a" :1,"a":2}',
        '{"a":{"b":1,"b":1}}',
        "NaN",
        "[Infinity]",
        "-Infinity",
        "1e999",
        "[1] [2]",
        "'a'",
        "[" * 101 + "]" * 101,
        "[" * 100_000,
        '{"a":' * 200 + "1" + "}" * 200,
        '"' + "x" * (4 * 1024 * 1024) + '"',
        "1" * 5000,
    ],
)
def test_a_hostile_json_text_is_refused(text: str) -> None:
    """The error holds nothing of the text."""
    with pytest.raises(EvaluationError) as caught:
        query.compile("parse_json(@)").search(text)
    assert caught.value.function == "parse_json"
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a":[1,2.5,true,null,"\\u00e9"]}', {"a": [1, 2.5, True, None, "é"]}),
        (' { "a" : 1 } ', {"a": 1}),
        ("123456789012345678901234567890", 123456789012345678901234567890),
        ('"' + "[" * 300 + '"', "[" * 300),
        ("[" * 100 + "]" * 100, None),
        ("1.0", 1.0),
    ],
)
def test_a_json_text_is_read(text: str, value: Any) -> None:
    """All of JSON is read, in whatever form it is written."""
    found = query.compile("parse_json(@)").search(text)
    assert value is None or (found == value and type(found) is type(value))


@pytest.mark.parametrize(
    ("network", "public"),
    [
        ("0.0.0.0/0", True),
        ("::/0", True),
        ("10.0.0.0/8", False),
        ("10.1.2.3/8", False),
        ("10.1.2.3", False),
        ("8.0.0.0/6", True),  # holds 10.0.0.0/8 and more
        ("172.16.0.0/11", True),
        ("172.31.255.255/32", False),
        ("192.168.1.0/24", False),
        ("8.8.8.8", True),
        ("100.64.0.0/10", False),
        ("169.254.169.254/32", False),
        ("224.0.0.0/3", False),
        ("::1", False),
        ("fc00::/7", False),
        ("fe80::1", False),
        ("2001:db8::/32", False),
        ("2600::/12", True),
        ("::ffff:10.0.0.1", False),
        ("::ffff:8.8.8.8", True),
        ("::ffff:0:0/95", True),
    ],
)
def test_public_networks(network: str, public: bool) -> None:
    """A range is public unless it lies entirely within a private or reserved one."""
    assert query.compile("cidr_is_public(@)").search(network) is public


@pytest.mark.parametrize(
    ("network", "part", "result"),
    [
        ("10.0.0.0/8", "10.1.0.0/16", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "10.0.0.0/7", False),
        ("10.0.0.0/8", "11.0.0.0", False),
        ("::/0", "10.0.0.0", False),
        ("2001:db8::/32", "2001:db8:1::/48", True),
    ],
)
def test_networks_inside_networks(network: str, part: str, result: bool) -> None:
    """Both IP versions, addresses as well as networks."""
    assert query.compile("cidr_contains(@[0], @[1])").search([network, part]) is result


@pytest.mark.parametrize("text", ["", "10.0.0", "10.0.0.0/33", "x", "1.2.3.4/-1", "010.0.0.1"])
def test_what_is_no_network_is_refused(text: str) -> None:
    """A text that is no network is an error, not a network that nothing is in."""
    with pytest.raises(EvaluationError):
        query.compile("cidr_is_public(@)").search(text)


@pytest.mark.parametrize(
    ("version", "constraint", "result"),
    [
        ("1.2.3", "1.2.3", True),
        ("1.2.3", "= 1.2.3", True),
        ("1.2", "1.2.0", True),
        ("v1.2.3", ">= 1.2, < 2", True),
        ("2.0.0", ">= 1.2, < 2", False),
        ("1.2.3", "!= 1.2.3", False),
        ("1.9.0", "~> 1.2", True),
        ("2.0.0", "~> 1.2", False),
        ("1.2.9", "~> 1.2.3", True),
        ("1.3.0", "~> 1.2.3", False),
        ("1.2.2", "~> 1.2.3", False),
        ("9.0.0", "~> 1", True),
        ("1.0.0-beta", ">= 0.9", False),
        ("1.0.0-beta2", ">= 1.0.0-beta1", True),
        ("1.0.0-beta10", "> 1.0.0-beta9", False),
        ("1.0.0-10", "> 1.0.0-9", True),
        ("1.0.0", "> 1.0.0-rc1", True),
        ("1.0.0-rc1", "1.0.0-rc1", True),
        ("1.0.0+build", "1.0.0", True),
    ],
)
def test_versions_against_constraints(version: str, constraint: str, result: bool) -> None:
    """Constraints mean what they mean to Terraform."""
    assert query.compile("semver_satisfies(@[0], @[1])").search([version, constraint]) is result


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("2026-01-31T12:00:00Z", 0.0),
        ("2026-01-30T12:00:00z", 1.0),
        ("2026-01-31T14:00:00+02:00", 0.0),
        ("2026-02-01 00:00:00Z", -0.5),
        ("2026-01-31T11:59:60Z", 0.0),
        ("2026-01-29T12:00:00.000Z", 2.0),
    ],
)
def test_ages(text: str, days: float) -> None:
    """Ages are counted from the scope's clock, whatever the zones."""
    assert query.compile("age_days(@)").search(text, Noon()) == days


@pytest.mark.parametrize(
    "text", ["2026-01-31", "yesterday", "2026-13-01T00:00:00Z", "9999-12-31T23:59:60Z"]
)
def test_what_is_no_time_is_refused(text: str) -> None:
    """A date without a time is not a point in time."""
    with pytest.raises(EvaluationError):
        query.compile("age_days(@)").search(text, Noon())


def test_without_a_clock_there_is_no_age() -> None:
    """The evaluator never asks the machine's clock."""
    with pytest.raises(EvaluationError, match="time of day"):
        query.compile("age_days(@)").search("2026-01-31T12:00:00Z")
