"""What holds for the review of any plan: it is made, and no secret is in it."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from tests.support.plans import change, plan_data
from tests.support.review_plans import review_of
from tfgate.report import ReportContext
from tfgate.review import html as review_html
from tfgate.review import text as review_text

CANARY = "CANARY-7f3a"


class Marked(NamedTuple):
    """A value with its marks, as a plan has them in three places."""

    value: Any
    sensitive: Any
    unknown: Any


ABSENT = object()
"""An unknown value is not in ``after``."""

texts = st.one_of(
    st.text(max_size=12),
    st.sampled_from(["", "a\nb\nc", "a\nb\nd\n", '{"a": [1, {"b": null}]}', '{"a": [2]}', "0" * 300,
                     "<script>alert(1)</script>", "\x1b[31m", "\u202e", '{"a": 1, "a": 2}']),
)  # fmt: skip
scalars = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(-9, 9, allow_nan=False), texts
)
plain = scalars.map(lambda value: Marked(value, False, False))
secret = st.sampled_from(
    [CANARY, f"{CANARY}\n{CANARY}", {CANARY: 1}, [CANARY], json.dumps({"a": CANARY})]
).map(lambda value: Marked(value, True, False))
unknown = st.booleans().map(lambda hidden: Marked(ABSENT, hidden, True))
leaves = st.one_of(plain, plain, plain, secret, unknown)


def objects(members: st.SearchStrategy[Marked]) -> st.SearchStrategy[Marked]:
    """Objects of few names, so that before and after have some in common."""
    names = st.sampled_from(["name", "id", "policy", "Sid", "tags", "x"])
    return st.dictionaries(names, members, max_size=4).map(_object)


def _object(members: dict[str, Marked]) -> Marked:
    return Marked(
        {key: part.value for key, part in members.items() if part.value is not ABSENT},
        {key: part.sensitive for key, part in members.items()},
        {key: part.unknown for key, part in members.items()},
    )


def _list(parts: list[Marked]) -> Marked:
    return Marked(
        [None if part.value is ABSENT else part.value for part in parts],
        [part.sensitive for part in parts],
        [part.unknown for part in parts],
    )


values = st.recursive(
    leaves, lambda inner: st.one_of(objects(inner), st.lists(inner, max_size=4).map(_list)),
    max_leaves=12,
)  # fmt: skip
bodies = objects(values)
paths = st.lists(
    st.lists(st.one_of(st.sampled_from(["name", "policy", "x"]), st.integers(0, 2), st.none()),
             max_size=3),
    max_size=2,
)  # fmt: skip
actions = st.sampled_from([["create"], ["update"], ["delete"], ["delete", "create"], ["read"]])


def _known(body: Marked) -> Any:
    """Return a value of the state: there is nothing unknown in it."""
    return json.loads(json.dumps(body.value))


def entry(before: Marked, after: Marked, verbs: list[str], forcing: list[Any]) -> dict[str, Any]:
    """Return a resource change; its state has no unknown values."""
    return change(
        "aws_thing.a", verbs,
        None if verbs == ["delete"] else after.value,
        before=None if verbs in (["create"], ["read"]) else _known(before),
        before_sensitive=before.sensitive,
        after_sensitive=after.sensitive,
        after_unknown={} if verbs == ["delete"] else after.unknown,
        replace_paths=forcing,
    )  # fmt: skip


@given(bodies, bodies, actions, paths)
def test_no_secret_is_in_any_review(
    before: Marked, after: Marked, verbs: list[str], forcing: list[Any]
) -> None:
    """Neither in the model nor in what is made of it, whatever the marks and the shapes."""
    made = entry(before, after, verbs, forcing)
    output = {"o": {"actions": ["update"], "before": _known(before), "after": after.value,
                    "before_sensitive": before.sensitive, "after_sensitive": after.sensitive,
                    "after_unknown": after.unknown}}  # fmt: skip
    found = review_of(plan_data(made, resource_drift=[made], output_changes=output))
    context = ReportContext(tfgate_version="1", width=60)
    text = review_text.render(found, context, full=True)
    page = review_html.render(found, context)
    for told in (repr(found), text, page):
        assert CANARY not in told
    assert text.replace("\n", "").isprintable()
    assert page.count("<script") == 1


@given(st.text("ab", min_size=9, max_size=30), st.text("cd", min_size=9, max_size=200), bodies)
def test_secrets_tell_nothing_but_that_they_change(one: str, other: str, rest: Marked) -> None:
    """Two plans whose secrets differ have the same review: no length, no part, no equality."""
    marks = {"password": True, "list": [False, True]}

    def made(secret: str) -> str:
        before = {**_known(rest), "password": "before-before", "list": ["x", "before-before"]}
        after = {**_known(rest), "password": secret, "list": ["x", secret]}
        found = review_of(plan_data(
            change("aws_thing.a", ["update"], after, before=before, before_sensitive=marks,
                   after_sensitive=marks)
        ))  # fmt: skip
        return repr(found.groups)

    assert made(one) == made(other)
