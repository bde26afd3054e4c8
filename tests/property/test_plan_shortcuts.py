"""What is found without looking at everything is what looking at everything would find."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from tests.support.plan_json import block, change, configuration, plan
from tfgate.plan import EVERYTHING, Plan, Reads, read_plan
from tfgate.plan.decoding import MARK
from tfgate.plan.provider_defaults import _is_left, _is_open
from tfgate.plan.values import marks_any, merge
from tfgate.query.values import UNKNOWN, Maybe

HIDDEN = "«hidden»"
"""Becomes the mark of an archived plan."""
NAMES = st.sampled_from(["a", "b", "ab", "a_wo", "a-b", "ä"])
LEAVES = st.sampled_from([None, True, False, 0, "", "true", '"a"', HIDDEN])
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
OBJECTS = st.dictionaries(NAMES, VALUES, max_size=3)
MARKS = st.recursive(
    st.sampled_from([None, True, False]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)
BLOCKS = st.recursive(
    st.sampled_from([None, {"constant_value": 1}, {"constant_value": ""}, {"references": ["x"]}]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)


def written(document: bytes, *, spelt: bool, laid_out: bool) -> bytes:
    """The same JSON with marks in place, and as other writers may write it."""
    text = document.decode()
    if laid_out:
        text = json.dumps(json.loads(text), indent=1)
    if spelt:
        text = text.replace('"a":', '"\\u0061":')
    return text.replace(json.dumps(HIDDEN), MARK.decode()).encode()


def plain_answer(read: Plan, argument: str) -> Any:
    """`Plan.left_to_provider` by its definition, on the whole document."""
    (only,) = read.changes
    document = only.document(EVERYTHING)
    path = argument.split(".")
    if not _is_open(document["after"], path):
        return False
    if document["config"] is None:
        return UNKNOWN
    return _is_left(document["config"]["expressions"], document["after"], path)


@given(
    st.none() | OBJECTS,
    st.sampled_from([None, True, False]) | st.dictionaries(NAMES, MARKS, max_size=3),
    st.none() | st.dictionaries(NAMES, BLOCKS, max_size=3),
    st.lists(NAMES, min_size=1, max_size=2).map(".".join),
    st.booleans(),
    st.booleans(),
)
@example({}, True, {}, "a", False, False)
@example({}, {"a": True}, {}, "a", True, False)
@example({"a": {"a_wo": None}}, {}, {}, "a.a_wo", False, False)
@example({"a": HIDDEN}, {}, {}, "a", False, False)
@example({"a": [{}]}, {"a": [{}, {"b": True}]}, {"a": [{}, {}]}, "a.b", False, False)
def test_left_to_provider_asks_the_marks_first(
    after: Any, unknown: Any, expressions: Any, argument: str, spelt: bool, laid_out: bool
) -> None:
    """Whatever the bytes look like, the answer is that of the whole document."""
    blocks = [] if expressions is None else [block("a_b.c") | {"expressions": expressions}]
    entry = change("a_b.c", after=after, after_unknown=unknown)
    document = plan(entry, configuration=configuration(*blocks))
    read = read_plan(written(document, spelt=spelt, laid_out=laid_out))
    for name in (argument, "b", argument):
        assert read.left_to_provider(read.changes[0], name) is plain_answer(read, name)


FIELDS = ("expressions", "count_expression", "for_each_expression", "depends_on", "provisioners",
          "provider_config_key", "schema_version")  # fmt: skip


@given(
    st.dictionaries(st.sampled_from(["a", "password", "hidden"]), BLOCKS, max_size=2),
    st.fixed_dictionaries({}, optional={
        "count_expression": st.sampled_from([{"constant_value": 0}, {"references": ["var.x"]}]),
        "depends_on": st.sampled_from([[], ["a_b.d"]]),
        "provisioners": st.sampled_from([[{"type": "x", "expressions": {"token": {
            "constant_value": "s"}}}]]),
        "schema_version": st.just(0),
    }),
    st.sets(st.sampled_from(FIELDS)),
)  # fmt: skip
def test_a_block_is_decoded_as_far_as_it_is_read(
    expressions: Any, others: dict[str, Any], read: set[str]
) -> None:
    """Each field of ``config`` is what it is in the whole one, redacted or not."""
    made = block("a_b.c") | {"expressions": expressions} | others
    entry = change("a_b.c", before_sensitive=False, after_sensitive={"hidden": True})
    (only,) = read_plan(plan(entry, configuration=configuration(made))).changes
    reads = Reads.of({("config", field, "x") for field in read} | {("config", "unheard", "of")})
    for pruned, whole in (
        (only.document(reads), only.document(EVERYTHING)),
        (only.redacted(reads), only.redacted(EVERYTHING)),
    ):
        assert tuple(whole["config"]) == FIELDS
        assert pruned["config"] == {name: whole["config"][name] for name in FIELDS if name in read}


def plainly_merged(known: Any, unknown: Any) -> Any:
    """`merge` by its definition for objects: what has a mark anywhere is taken apart."""
    if unknown is True:
        return UNKNOWN
    if not marks_any(unknown):
        return known
    if type(unknown) is list:
        return merge(known, unknown)
    if known is not None and type(known) is not dict:
        return UNKNOWN
    merged = dict(known or {})
    for key, mark in unknown.items():
        if marks_any(mark):
            merged[key] = plainly_merged(merged.get(key), mark)
    return merged


@given(VALUES, MARKS)
def test_one_walk_merges_as_two_would(known: Any, unknown: Any) -> None:
    """An object without a mark anywhere is the known one itself."""
    merged = merge(known, unknown)
    assert merged == plainly_merged(known, unknown)
    assert marks_any(unknown) or merged is known


TYPES = ("aws_a", "aws_ab", "gcp_c")
ADDRESSES = tuple(f"{kind}.{name}" for kind in TYPES for name in "xy")
REFERENCES = st.lists(
    st.sampled_from([*ADDRESSES, "local.l", "var.v", "module.m.o", "each.value"]), max_size=2
)
ARGUMENTS = st.dictionaries(
    st.sampled_from(["id", "group", "tags"]),
    REFERENCES | st.sampled_from(["id-x", "text"]),
    max_size=2,
)


@st.composite
def plans(draw: Any) -> bytes:
    """Blocks of three types that refer to each other, to what is lost, and by their values."""
    blocks, changes = [], []
    for address in ADDRESSES:
        arguments = draw(ARGUMENTS)
        if draw(st.booleans()):
            blocks.append(block(address, **arguments))
        if draw(st.booleans()):
            known = draw(st.sampled_from([{}, {"id": "id-x"}, {"group": "see id-x"}, {"z": 1}]))
            unknown = draw(st.sampled_from([{}, {"id": True}, {"group": True}, True]))
            gone = draw(st.integers(0, 5)) == 0
            parts = {"actions": ["delete"], "before": known, "after": None} if gone else {
                "after": known, "after_unknown": unknown}  # fmt: skip
            changes.append(change(address, **parts))
    outputs = {"o": {"expression": {"references": ["aws_a.x"]}}}
    module = {"resources": [block("aws_a.x")], "outputs": outputs}
    config = configuration(*blocks, module_calls={"m": {"module": module}})
    return plan(*changes, configuration=config, complete=draw(st.sampled_from([True, False, None])))


def parts_of(answer: list[Any]) -> tuple[set[str], set[str], bool]:
    """Who certainly refers, who may, and whether there may be others."""
    sure = {one["address"] for one in answer if not isinstance(one, Maybe)}
    doubted = [one for one in answer if isinstance(one, Maybe)]
    maybe = {one.value["address"] for one in doubted if not one.many}
    return sure, maybe, any(one.many for one in doubted)


@given(plans())
def test_types_can_be_asked_for_together_or_one_by_one(data: bytes) -> None:
    """Looking at the blocks of some types alone misses none of their references."""
    together, apart = read_plan(data), read_plan(data)
    for number, subject in enumerate(together.changes):
        whole = parts_of(together.referenced_by(subject, "*"))
        each = [parts_of(apart.referenced_by(apart.changes[number], kind)) for kind in TYPES]
        assert whole == (
            set().union(*(sure for sure, _, _ in each)),
            set().union(*(maybe for _, maybe, _ in each)),
            any(blind for _, _, blind in each),
        )
