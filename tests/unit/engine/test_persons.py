"""Whether two names mean one person."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.engine.override import any_same, count_people, same_person, spelling

SAME = [
    ("alice", "Alice"),
    ("alice@acme.example", "ALICE@Acme.Example"),
    ("alice@acme.example", "alice+tf@acme.example"),
    ("alice", "alice@acme.example"),
    ("12345+alice@users.noreply.github.com", "alice"),
    ("12345-alice@users.noreply.gitlab.com", "alice@acme.example"),
    ("ａｌｉｃｅ", "alice"),
    (" alice ", "alice"),
    ("al\u200bice", "alice"),
    ("alice\u200d@acme.example", "alice@acme.example"),
    ("alice\u00ad", "ali\u2060ce"),
    ("\u202ealice\u202c", "alice"),
    ("alice\ufe0f", "a\U000e0101lice"),
    ("ali\u034fce\u115f\u3164", "alice"),
    ("al\ufffdice", "alice"),  # as a name comes that was cleaned
    ("alice.", "alice"),
    ("alice@acme.example.", "alice@acme.example"),
    ("alice@acme.example\u3002", "alice@acme\uff0eexample"),
    ("alice@acme\u3002example", "alice@acme.example"),
    ("alice.@acme.example", "alice"),
    ("alice@\u200bacme.example\u200b.\u200b", "alice@acme.example"),
    ("12345+alice@users.noreply.github.com.", "alice"),
    ("Jo\u0308rg", "jörg"),
    ("STRASSE", "straße"),
    ("\u1e9e\u0345", "ss\u03b9"),
    ("Alice  Doe", "alice\u00a0doe"),
    ("Alice\tDoe", "alice doe"),
    ("alice@github", "alice@acme.example"),  # no mail goes there: it is a login
    ("alice@github", "alice@gitlab"),
]
DIFFERENT = [
    ("alice", "bob"),
    ("alice@acme.example", "alice@other.example"),
    ("alice@acme.example", "bob@acme.example"),
    ("", ""),
    ("", "alice"),
    ("@acme.example", "@acme.example"),
    ("\u200b", "\u2060"),
    (".", ""),
    ("a.lice", "alice"),
    ("alice@acme.example", "alice@acme.example.other"),
    ("аlice", "alice"),  # a Cyrillic letter
    ("аlice@github", "alice@acme.example"),
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


@given(st.text(max_size=12))
def test_a_spelling_is_its_own(name: str) -> None:
    """What was spelt once is not spelt otherwise again, and shows in every character."""
    spelt = spelling(name)
    assert spelling(spelt) == spelt
    assert spelt == "" or same_person(spelt, name) or "@" in name or "+" in name


HIDDEN = st.sampled_from(
    "\u200b\u200c\u200d\u2060\u00ad\u202e\u2066\ufe0f\U000e0100\u034f\u3164\ufffd"
)


@given(st.sampled_from(["alice", "Älice Doe", "alice+x@acme.example"]), st.data())
def test_what_shows_nothing_makes_nobody_else(name: str, data: st.DataObject) -> None:
    """Wherever in a name it stands, and in whatever form and case the rest is written."""
    place = data.draw(st.integers(0, len(name)))
    form = data.draw(st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
    other = name[:place] + data.draw(HIDDEN) + unicodedata.normalize(form, name[place:])
    other = data.draw(st.sampled_from([str.upper, str.lower, str.title]))(other) + "." * place
    assert same_person(name, other)
