"""Streams of plans are cut where one ends and the next begins, and nowhere else."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tfgate.plan.reading import split_stream

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=6) | st.just("}\n{"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
PLANS = st.builds(
    lambda value, indent: json.dumps({"format_version": "1.2", "x": value}, indent=indent).encode(),
    VALUES,
    st.sampled_from([None, 1]),
)


@given(st.lists(PLANS, min_size=1, max_size=4), st.sampled_from([b"", b"\n", b"\r\n", b"\n\n"]))
def test_what_was_joined_is_split(plans: list[bytes], between: bytes) -> None:
    """Whatever is in the plans, they come back as they were."""
    assert split_stream(between.join(plans)) == plans


@given(st.binary(max_size=40))
def test_anything_else_is_left_whole(data: bytes) -> None:
    """What is no row of plans comes back untouched."""
    assert split_stream(data) == [data] or b'"format_version"' in data


def test_rows_of_other_objects_are_left_whole() -> None:
    """A log of `terraform plan -json` is one input, for one explanation."""
    log = b'{"@level":"info"}\n{"@level":"info"}\n'
    assert split_stream(log) == [log]
