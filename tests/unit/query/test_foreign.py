"""Who writes another language is shown the JMESPath form of what they wrote."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate import query
from tfgate.query import ExpressionError

FORMS = [
    # constants
    ("after.size > 100", "after.size > `100`"),
    ("after.size >= 1.5", "after.size >= `1.5`"),
    ("-5 < after.size", "`-5` < after.size"),
    ("after.count <= 10_000", "after.count <= `10000`"),
    ("length(after.disks) == 0", "length(after.disks) == `0`"),
    ("after.ports == [80, 443]", "after.ports == `[80, 443]`"),
    ("contains([22, 3389], after.port)", "contains(`[22, 3389]`, after.port)"),
    ("after.a == \u2018x\u2019", "after.a == 'x'"),
    # and, or, not
    ("after.a and after.b", "after.a && after.b"),
    ("after.a AND NOT after.b", "after.a && !(after.b)"),
    ("after.a or not contains(after.b, 'x')", "after.a || !contains(after.b, 'x')"),
    ("not after.tags.Owner", "!(after.tags.Owner)"),
    ("not (after.a == 'x')", "!(after.a == 'x')"),
    ("after.a & after.b", "after.a && after.b"),
    ("after.a == 'x'; after.b == 'y'", "after.a == 'x' && after.b == 'y'"),
    ("after.a == 'x'\nafter.b == 'y'", "after.a == 'x' && after.b == 'y'"),
    # comparisons
    ("after.a = 'x'", "after.a == 'x'"),
    ("after.a === 'x'", "after.a == 'x'"),
    ('after.a !== "x"', "after.a != 'x'"),
    ("after.a <> 'x'", "after.a != 'x'"),
    ("after.a > = `5`", "after.a >= `5`"),
    ("1 < after.size < 10", "`1` < after.size && after.size < `10`"),
    ("after.size between 1 and 5", "after.size >= `1` && after.size <= `5`"),
    ('after.a is "x"', "after.a == 'x'"),
    ('after.a is not "x"', "after.a != 'x'"),
    ("after.a is null", "after.a == `null`"),
    ("after.a is not None", "after.a != `null`"),
    ("after.a is defined and after.b is not empty", "after.a != `null` && after.b"),
    # in, contains, matches
    ('after.type in ["t3.micro", "t3.small"]', "contains(['t3.micro', 't3.small'], after.type)"),
    ("after.type not in after.list", "!contains(after.list, after.type)"),
    ("!after.type in after.list", "!contains(after.list, after.type)"),
    ("after.port in (80, 443)", "contains(`[80, 443]`, after.port)"),
    ("after.rules[?port in [22]]", "after.rules[?contains(`[22]`, port)]"),
    ('after.a contains "x"', "contains(after.a, 'x')"),
    ('after.a not contains "x"', "!contains(after.a, 'x')"),
    ('after.name matches "^prod-"', "matches(after.name, '^prod-')"),
    ('after.name =~ "^prod-"', "matches(after.name, '^prod-')"),
    ("after.name =~ /^prod-/", "matches(after.name, '^prod-')"),
    ("after.name like 'prod-*'", "glob(after.name, 'prod-*')"),
    ('after.name startswith "prod-"', "starts_with(after.name, 'prod-')"),
    # functions and methods
    ('startswith(after.name, "prod-")', "starts_with(after.name, 'prod-')"),
    ("after.name.endsWith('x')", "ends_with(after.name, 'x')"),
    ("after.name.starts_with('x')", "starts_with(after.name, 'x')"),
    ("after.tags.keys()", "keys(after.tags)"),
    ("len(after.tags.keys()) >= 3", "length(keys(after.tags)) >= `3`"),
    ("after.tags.size() > `0`", "length(after.tags) > `0`"),
    ('regex("^prod", after.name)', "matches(after.name, '^prod')"),
    ('regex.match("^prod", after.name)', "matches(after.name, '^prod')"),
    ("re.search('^prod', after.name)", "matches(after.name, '^prod')"),
    ("toLowerCase(after.name)", "lower(after.name)"),
    ("jsondecode(after.policy)", "parse_json(after.policy)"),
    ("json.unmarshal(after.policy)", "parse_json(after.policy)"),
    ("coalesce(after.a, after.b)", "not_null(after.a, after.b)"),
    ("flatten(after.a)", "after.a[]"),
    ("concat(after.a, after.b)", "[after.a, after.b][]"),
    ("is_null(after.a)", "after.a == `null`"),
    # paths
    ("after.tags['Owner'] == 'x'", "after.tags.Owner == 'x'"),
    ('after["tags"]["cost-center"]', 'after.tags."cost-center"'),
    ("after.tags.aws:name", 'after.tags."aws:name"'),
    ("after.list[_].name == 'x'", "after.list[*].name == 'x'"),
    ("after.list[0]name", "after.list[0].name"),
    (".after.name", "after.name"),
    ('.changes[] | select(.type == "x")', "changes[] | [?type == 'x']"),
    ("changes[].(after.size == `5`)", "changes[?after.size == `5`]"),
    ("changes[*].(length(after.list))", "map(&(length(after.list)), changes)"),
    ("after.(a == 'x')", "after | (a == 'x')"),
    ("after.a ?? 'x'", "after.a || 'x'"),
    ("after.a else 'x'", "after.a || 'x'"),
    # comments
    ("after.a == 'x' # why", "after.a == 'x'"),
    ("/* why */ after.a == 'x'", "after.a == 'x'"),
    # loops
    (
        'any after.ingress as rule { rule.cidr is "0.0.0.0/0" }',
        "any(after.ingress, &cidr == '0.0.0.0/0')",
    ),
    (
        'all after.ingress as _, rule { rule.cidr is not "0.0.0.0/0" and rule.port != 22 }',
        "all(after.ingress, &cidr != '0.0.0.0/0' && port != `22`)",
    ),
    (
        'filter changes as _, rc { rc.type is "aws_instance" }',
        "changes[?type == 'aws_instance']",
    ),
    ("any x in after.ingress : x.port == 22", "any(after.ingress, &port == `22`)"),
    ("every r in after.ingress { r.port == 22 }", "all(after.ingress, &port == `22`)"),
    ("some r in after.ingress; r.port == 22", "any(after.ingress, &port == `22`)"),
    ("any(x.port == 22 for x in after.ingress)", "any(after.ingress, &port == `22`)"),
    ("sum([x.size for x in after.disks]) > 100", "sum(map(&size, after.disks)) > `100`"),
    (
        "[for r in after.ingress : r.cidr if r.port == 22]",
        "map(&cidr, after.ingress[?port == `22`])",
    ),
    (
        "alltrue([for r in after.ingress : r.port != 22])",
        "all(map(&port != `22`, after.ingress))",
    ),
    ("after.ingress.some(r => r.port === 22)", "any(after.ingress, &port == `22`)"),
    ('all after.tags as k, v { v matches "^x" }', "all(after.tags, &matches(@, '^x'))"),
]


@pytest.mark.parametrize(("foreign", "form"), FORMS)
def test_the_form_is_derived_from_what_was_written(foreign: str, form: str) -> None:
    """The error shows the author's own expression as JMESPath, and that compiles."""
    with pytest.raises(ExpressionError) as caught:
        query.compile(foreign)
    assert caught.value.hint == f"Write: {form}"
    query.compile(form)


@pytest.mark.parametrize(
    ("foreign", "words"),
    [
        ("(after.a == 'x'", "bracket ( is never closed"),
        ("after.a == 'x", "quote ' is never closed"),
        ("parse_yaml(after.x)", "--data"),
        ('sprintf("%s", after.a)', "join()"),
        ("http.send(after.a)", "network"),
        ("${var.x} == 'a'", "no ${…}"),
        ("after..name", "every step"),
    ],
)
def test_what_has_no_form_is_explained(foreign: str, words: str) -> None:
    """Where nothing can be derived, a sentence says what there is in its place."""
    with pytest.raises(ExpressionError) as caught:
        query.compile(foreign)
    assert words in str(caught.value)


def test_a_name_of_a_function_is_near_functions_alone() -> None:
    """A word that is no function's is not taken for one."""
    with pytest.raises(ExpressionError) as caught:
        query.compile("qqqq(after.x)")
    assert caught.value.hint is None


def test_a_long_expression_is_not_written_out_again() -> None:
    """The sentence stands alone where the whole form would be longer than a line or two."""
    text = " and ".join(f"after.field_{number} == 'x'" for number in range(60))
    with pytest.raises(ExpressionError) as caught:
        query.compile(text)
    assert "`and`" in caught.value.message
    assert len(str(caught.value)) < 300


_PIECES = (
    "after.a", "'x'", '"x"', "5", "1.5", "and", "or", "not", "in", "is", "[", "]", "(", ")", "{",
    "}", ".", ",", ":", ";", "=", "==", "===", "=>", "->", "any", "all", "as", "for", "if", "then",
    "else", "x", "_", "${", "`", "'", '"', "#", "//", "/*", "between", "contains", "&", "len(",
)  # fmt: skip


@given(st.lists(st.sampled_from(_PIECES), max_size=14).map(" ".join))
def test_whatever_is_written_the_answer_is_an_expression_or_an_error(text: str) -> None:
    """No mixture of languages makes anything but an ExpressionError inside the text."""
    position = 0
    with contextlib.suppress(ExpressionError):
        try:
            query.compile(text)
        except ExpressionError as error:
            position = error.position
            raise
    assert 0 <= position <= len(text)
