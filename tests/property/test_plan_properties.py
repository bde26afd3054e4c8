"""What holds for every plan: the overlay, the redaction, the pruning, and that nothing crashes."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.support.plan_json import change, plan
from tfgate.errors import PlanError
from tfgate.model.rule import Scope
from tfgate.plan import EVERYTHING, Plan, Reads, iter_subjects, read_plan
from tfgate.plan.values import merge
from tfgate.query.values import SENSITIVE, UNKNOWN, Maybe

KEYS = st.sampled_from(["a", "b", "tags", "id", "x y", 'q"q', "ä", "true", "n\\u0041"])
SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(KEYS, VALUES, max_size=4)
CANARY = "c4nary"


class Unset:
    """What Terraform does not know."""


@st.composite
def values_with_unknowns(draw: Any, depth: int = 3) -> Any:
    """A value as Terraform has it in memory: with unknown leaves."""
    kind = draw(st.sampled_from("sslou" if depth else "su"))
    if kind == "u":
        return Unset
    if kind == "l":
        return draw(st.lists(values_with_unknowns(depth - 1), max_size=3))
    if kind == "o":
        return draw(st.dictionaries(KEYS, values_with_unknowns(depth - 1), max_size=3))
    return draw(SCALARS)


def known_part(value: Any) -> Any:
    """What Terraform writes to ``after`` (omitUnknowns in its jsonplan)."""
    if isinstance(value, dict):
        return {key: known_part(part) for key, part in value.items() if part is not Unset}
    if isinstance(value, list):
        return [None if part is Unset else known_part(part) for part in value]
    return value


def unknown_part(value: Any) -> Any:
    """What Terraform writes to ``after_unknown`` (unknownAsBool)."""
    if isinstance(value, dict):
        marks = {key: unknown_part(part) for key, part in value.items()}
        return {key: mark for key, mark in marks.items() if mark is not False}
    if isinstance(value, list):
        return [unknown_part(part) for part in value]
    return value is Unset


def expected(value: Any) -> Any:
    """The value that a rule must see."""
    if isinstance(value, dict):
        return {key: expected(part) for key, part in value.items()}
    if isinstance(value, list):
        return [expected(part) for part in value]
    return UNKNOWN if value is Unset else value


@given(st.dictionaries(KEYS, values_with_unknowns(), max_size=4))
def test_the_overlay_gives_back_what_terraform_had(value: dict[str, Any]) -> None:
    """Splitting a value as Terraform does and merging it again loses nothing."""
    assert merge(known_part(value), unknown_part(value)) == expected(value)
    data = plan(change(after=known_part(value), after_unknown=unknown_part(value)))
    document = read_plan(data).changes[0].document(EVERYTHING)
    assert without_doubt(document["after"]) == expected(value)


def without_doubt(value: Any) -> Any:
    """The same with elements that may stand for any number of them as they are shown."""
    if isinstance(value, dict):
        return {key: without_doubt(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_doubt(part) for part in value]
    return without_doubt(value.value) if isinstance(value, Maybe) else value


@given(VALUES, VALUES)
def test_any_marks_on_any_value_are_taken(known: Any, unknown: Any) -> None:
    """What does not fit becomes unknown; nothing raises, and no mark is lost."""
    merged = merge(known, unknown)
    if "True" in repr(unknown):
        assert "UNKNOWN" in repr(merged)
    else:
        assert merged == known


@st.composite
def values_with_canaries(draw: Any, depth: int = 3) -> tuple[Any, Any]:
    """A value with secrets in it, and marks for them."""
    kind = draw(st.sampled_from("ssslom" if depth else "sm"))
    if kind == "m":
        secret = draw(st.sampled_from([CANARY, [CANARY], {CANARY: 1}, {"k": [CANARY]}]))
        return secret, True
    if kind == "l":
        pairs = draw(st.lists(values_with_canaries(depth - 1), max_size=3))
        return [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    if kind == "o":
        parts = draw(st.dictionaries(KEYS, values_with_canaries(depth - 1), max_size=3))
        marks = {key: pair[1] for key, pair in parts.items() if pair[1] is not False}
        return {key: pair[0] for key, pair in parts.items()}, marks
    return draw(SCALARS), False


@given(
    st.dictionaries(KEYS, values_with_canaries(), max_size=4),
    st.dictionaries(KEYS, values_with_unknowns(), max_size=2),
    st.lists(KEYS, max_size=3),
)
def test_redaction_never_leaks(
    parts: dict[str, tuple[Any, Any]], unknowns: dict[str, Any], read: list[str]
) -> None:
    """Whatever is marked, no byte of it is in a redacted document, pruned or whole."""
    values = {key: pair[0] for key, pair in parts.items()}
    marks = {key: pair[1] for key, pair in parts.items() if pair[1] is not False}
    entry = change(
        before=values,
        after=values,
        after_unknown=unknown_part(unknowns),
        before_sensitive=marks,
        after_sensitive=marks,
    )
    (only,) = read_plan(plan(entry)).changes
    for reads in (EVERYTHING, Reads.of([("after", key) for key in read] + [("before",)])):
        hidden = only.redacted(reads)
        assert CANARY not in repr(hidden)
        for key, mark in marks.items():
            if mark is True and key in hidden.get("after", {}):
                assert hidden["after"][key] is SENSITIVE


@given(OBJECTS | st.none(), OBJECTS, st.lists(st.lists(KEYS, min_size=1, max_size=2), max_size=4))
def test_a_pruned_document_equals_the_whole_one_where_it_is_read(
    before: Any, after: Any, paths: list[list[str]]
) -> None:
    """What `Reads` leaves out is only what is not read."""
    (only,) = read_plan(
        plan(change(before=before, after=after, after_unknown={"id": True}))
    ).changes
    wanted = [("after", *path) for path in paths] + [("before", *path) for path in paths]
    pruned = only.document(Reads.of(wanted))
    whole = only.document(EVERYTHING)
    for side in ("before", "after"):
        for path in paths:
            if whole[side] is None:
                assert pruned[side] is None
            else:
                assert pruned[side].get(path[0], Unset) == whole[side].get(path[0], Unset)
                assert (path[0] in pruned[side]) == (path[0] in whole[side])


def written_twice(value: Any, other: str) -> str:
    """Write JSON in which every object has each of its keys twice, first with another value."""
    if isinstance(value, dict):
        firsts = [f"{json.dumps(key)}:{other}" for key in value]
        lasts = [f"{json.dumps(key)}:{written_twice(part, other)}" for key, part in value.items()]
        return "{" + ",".join([*firsts, *lasts]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(written_twice(part, other) for part in value) + "]"
    return json.dumps(value)


@given(
    after=OBJECTS,
    unknown=OBJECTS,
    marks=OBJECTS,
    other=st.sampled_from(["true", "false", "null", "1", '"x"', "{}", "[]"]),
    paths=st.lists(st.tuples(st.just("after"), KEYS), max_size=2),
)
def test_of_a_key_twice_the_last_counts_in_every_view(
    after: Any, unknown: Any, marks: Any, other: str, paths: list[tuple[str, str]]
) -> None:
    """Below the values of a plan: what it was before is seen by no rule and in no report."""
    parts = {"after": after, "after_unknown": unknown, "after_sensitive": marks, "before": after}
    data = plan(change(**dict.fromkeys(parts, "(here)")))
    twice = json.dumps(json.loads(data), separators=(",", ":"))
    for name, part in parts.items():
        twice = twice.replace(f'"{name}":"(here)"', f'"{name}":{written_twice(part, other)}')
    (one,) = read_plan(plan(change(**parts))).changes
    (found,) = read_plan(twice.encode()).changes
    for reads in (EVERYTHING, Reads.of(paths)):
        assert found.document(reads) == one.document(reads)
        assert found.redacted(reads) == one.redacted(reads)


def exhaust(read: Plan) -> None:
    """Ask a plan for everything it has."""
    for scope in Scope:
        for subject in iter_subjects(read, scope):
            subject.document(EVERYTHING)
            subject.redacted(EVERYTHING)
            read.references(subject)
            read.referenced_by(subject, "*")
            read.configured(subject, "a")
    read.counts()
    read.counts_by_type()
    assert read.json_sha256


def read_or_refuse(data: bytes) -> None:
    """Nothing but a plan or a PlanError comes of any bytes."""
    refusal = "none"
    try:
        exhaust(read_plan(data))
    except PlanError as error:
        refusal = str(error)
    assert refusal
    assert "\n" not in refusal


@given(st.binary(max_size=200) | st.text(max_size=100).map(str.encode))
@example(b"{")
@example(b'{"')
@example(b'{"format_version":"1.2","planned_values":{},"resource_changes":null}')
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """Most of them are refused."""
    read_or_refuse(data)


RICH = json.dumps(
    {
        **json.loads(
            plan(
                change('a_b.c["k"]', index="k", after={"x": [1, {"y": None}]},
                       after_unknown={"id": True}, before_sensitive=False,
                       after_sensitive={"x": True}, replace_paths=[["x", 0]],
                       importing={"id": "i"}),
                change("a_b.d", actions=["delete"], before={"x": 1}, after=None, deposed="01"),
                resource_drift=[change("a_b.e", actions=["update"])],
                deferred_changes=[{"reason": "unknown", "resource_change": change("a_b.f")}],
                output_changes={"o": {"actions": ["create"], "after": 1, "after_unknown": False}},
                variables={"v": {"value": 1}},
                checks=[],
                action_invocations=[{"address": "action.a.b", "config_values": {"x": 1}}],
            )
        ),
        "configuration": {
            "provider_config": {"a": {"name": "a", "expressions": {"x": {"constant_value": 1}}}},
            "root_module": {
                "resources": [
                    {"address": "a_b.c", "type": "a_b", "name": "c", "mode": "managed",
                     "expressions": {"x": {"references": ["module.m.o", "module.m"]},
                                     "z": [{"y": {"references": ["each.value", "local.l"]}}]},
                     "for_each_expression": {"references": ["a_b.d"]}},
                ],
                "module_calls": {
                    "m": {"source": "./m",
                          "expressions": {"v": {"references": ["a_b.d.id", "a_b.d"]}},
                          "module": {"outputs": {"o": {"expression": {"references": ["var.v"]}}},
                                     "variables": {"v": {"sensitive": True}}}},
                },
                "outputs": {"o": {"expression": {"constant_value": 1}}},
                "variables": {"v": {"default": 1}},
            },
        },
    }
).encode()  # fmt: skip
JSON_BITS = st.sampled_from(
    [b"null", b"true", b"{}", b"[]", b'""', b"1", b"1e999", b'{"a":1}', b"[[", b'"\\ud800"',
     b"\xff", b","]
)  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, len(RICH)), st.integers(0, 12), JSON_BITS), max_size=4))
def test_damaged_plans_are_read_or_refused(edits: list[tuple[int, int, bytes]]) -> None:
    """Bytes cut out, put in and replaced anywhere."""
    data = RICH
    for at, cut, put in edits:
        data = data[:at] + put + data[at + cut :]
    read_or_refuse(data)


def nodes(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of everything in a JSON value."""
    children = (
        value.items() if isinstance(value, dict)
        else enumerate(value) if isinstance(value, list) else ()
    )  # fmt: skip
    return [path, *(inner for key, part in children for inner in nodes(part, (*path, key)))]


PATHS = nodes(json.loads(RICH))


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(PATHS), VALUES)
def test_plans_of_wrong_shapes_are_read_or_refused(path: tuple[Any, ...], value: Any) -> None:
    """Valid JSON with anything in the place of anything."""
    whole: Any = {"root": json.loads(RICH)}
    node = whole
    steps = ("root", *path)
    for step in steps[:-1]:
        node = node[step]
    node[steps[-1]] = value
    read_or_refuse(json.dumps(whole["root"]).encode())
