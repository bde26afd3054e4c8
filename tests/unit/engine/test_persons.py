"""Whether two names mean one person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.engine.persons import any_same, count_people, same_person

SAME = [
    ("alice", "Alice"),
    ("alice@acme.example", "ALICE@Acme.Example"),
    ("alice@acme.example", "alice+tf@acme.example"),
    ("alice", "alice@acme.example"),
    ("12345+alice@users.noreply.github.com", "alice"),
    ("12345-alice@users.noreply.gitlab.com", "alice@acme.example"),
    ("ａｌｉｃｅ", "alice"),
    (" alice ", "alice"),
]
DIFFERENT = [
    ("alice", "bob"),
    ("alice@acme.example", "alice@other.example"),
    ("alice@acme.example", "bob@acme.example"),
    ("", ""),
    ("", "alice"),
    ("@acme.example", "@acme.example"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_may_be_one_person(one: str, other: str) -> None:
    """Where names could be one person's, they are taken to be."""
    assert same_person(one, other)
    assert same_person(other, one)


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_are_different_people(one: str, other: str) -> None:
    """Names that differ in more than their spelling are different people."""
    assert not same_person(one, other)


def test_any_same_gives_the_name_that_is_meant() -> None:
    """The message can say whom it is about."""
    assert any_same(["carol", "alice"], ["bob", "alice@acme.example"]) == "alice@acme.example"
    assert any_same(["carol"], ["bob"]) is None


NAMES = st.sampled_from(["a", "b", "c", "a@x", "b@x", "a@y", "c@y", "d"])


@given(st.lists(st.sets(NAMES, min_size=1, max_size=3), max_size=6), st.randoms())
def test_the_count_does_not_depend_on_the_order(people: list[set[str]], random: object) -> None:
    """Of whatever order approvals come in, the same people are behind them."""
    shuffled = list(people)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a random.Random
    assert count_people(people) == count_people(shuffled) <= len(people)


def test_one_person_with_two_keys_counts_once() -> None:
    """A shared name joins; a third set may join two that shared none."""
    assert count_people([("a", "k1"), ("a", "k2")]) == 1
    assert count_people([("a", "k1"), ("b", "k2")]) == 2
    assert count_people([("a",), ("b",), ("a", "b")]) == 1
    assert count_people([]) == 0
