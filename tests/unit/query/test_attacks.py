"""What an author of rules, or of plans, may try in order to hang the gate or to fill its memory.

Each attack is run with a tenth of the steps that an evaluation has, and bounded accordingly: what
it takes grows with the steps alone.
"""

from __future__ import annotations

import datetime as dt
import random
from typing import Any, Final

import pytest

from tests.support.fuzzing.limits import bounded
from tfgate import query
from tfgate.query import UNKNOWN, BudgetError, EvaluationError
from tfgate.query.state import STEPS, State

SECONDS: Final = 3.0
"""Of a processor, for a tenth of the steps; it takes 0.3 s on a quiet machine."""
MEMORY: Final = 160 * 1024**2
"""Bytes, for a tenth of the steps."""

NUMBERS: Final = "[" + ",".join("1" for _ in range(9000)) + "]"
KEYS: Final = "{" + ",".join(f'"k{n}":1' for n in range(1500)) + "}"
ONES: Final = {"list": [1] * 50_000}


def doubled(times: int, part: str = "[@, @]") -> str:
    """Return an expression that makes two of its value, as often as said."""
    return " | ".join([part] * times)


def lets(first: str, step: str) -> str:
    """Return an expression that binds what is made of the binding before, as often as it may."""
    bound = [f"let $x{n + 1} = {step.format(n=n)} in" for n in range(50)]
    return " ".join([f"let $x0 = {first} in", *bound, "$x50"])


def noise(length: int) -> str:
    """Return a text of a and b, always the same."""
    return "".join(random.Random(1).choices("ab", k=length))


STOPPED: Final[dict[str, tuple[str, Any]]] = {
    "a tree of two to the 40": (doubled(40), 1),
    "a tree with an unknown in it": (f"[u] | {doubled(40)}", {"u": UNKNOWN}),
    "a flat list, doubled": (doubled(60, "[@, @][]"), 1),
    "objects, doubled": (doubled(60, "{a: @, b: @}"), 1),
    "the text of a tree": (f"{doubled(60)} | to_string(@)", 1),
    "one long text many times": (f"{doubled(8)} | to_string(@)", "x" * 2**24),
    "two trees compared": (f"{doubled(60)} | @ == [@[0], @[0][0]]", 1),
    "a tree sought in a tree": (f"{doubled(60)} | contains(@, [@[0], @[0][0]])", 1),
    "trees told apart": (f"{doubled(60)} | unique([@, @[0]])", 1),
    "lists of lists put together": (f"map(&`{NUMBERS}`, list) | []", ONES),
    "projections in projections": ("[*][*][*].[@, @]", [[[1] * 300] * 300] * 300),
    "objects in projections": (f"{doubled(21, '[@, @][]')} | [*].{{a: @, b: @, c: @}}", 1),
    "a long expression on each element": (
        "[*].[" + ",".join(["@.a.b"] * 2500) + "]",
        [1] * 20_000,
    ),
    "keys": (f"list[?keys(`{KEYS}`)]", ONES),
    "values": (f"map(&values(`{KEYS}`), list)", ONES),
    "merge": (f"map(&merge(`{KEYS}`, `{{}}`), list)", ONES),
    "reverse a list": (f"map(&reverse(`{NUMBERS}`), list)", ONES),
    "reverse a text": (f"list[*].reverse('{'A' * 19_000}')", ONES),
    "slice": (f"map(&(`{NUMBERS}`[1:]), list)", ONES),
    "sort": (f"map(&sort(`{NUMBERS}`), list)", ONES),
    "sort in sort": (f"sort_by(list, &length(sort_by(`{NUMBERS}`, &@)))", ONES),
    "greatest of long texts": ("max(list)", {"list": ["a" * 10**6 + "b", "a" * 10**6] * 50_000}),
    "join a text to itself": (doubled(60, "join('x', [@, @])"), "x"),
    "join on each element": (f'map(&join(\'{"x" * 9000}\', `["a", "b", "c"]`), list)', ONES),
    "lower": (f"list[*].lower('{'A' * 19_000}')", ONES),
    "upper": (f"list[*].upper('{'ß' * 19_000}')", ONES),
    "split": (f"list[*].split('{',' * 19_000}', ',')", ONES),
    "a text with a million separators": ("split(@, ',')", "," * 2_000_000),
    "a text that doubles in lets": (lets("'abcdefgh'", "join('', [$x{n}, $x{n}])"), {}),
    "a list that doubles in lets": (lets("[`1`, `2`]", "[$x{n}, $x{n}][]"), {}),
    "a list in lists in lets": (lets("[`1`, `2`]", "[$x{n}, $x{n}]"), {}),
    "a wide text": ("pad_left('x', `1e15`)", {}),
    "wide texts": ("list[*].pad_right('x', `16000000`)", ONES),
    "a text replaced by a longer one": ("replace(@, 'a', @)", "a" * 10_000),
    "replaced again and again": (doubled(40, "replace(@, 'x', 'xxxxxxxx')"), "x"),
    "characters of a text": ("split(@, '')", "a" * 2_000_000),
    "found from behind": (
        f"list[?find_last('{'a' * 19_000}', @)]",
        {"list": ["a" + "b" + "a" * 900] * 5_000},
    ),
    "trimmed": (f"list[?trim('{'a' * 9_000}', '{'b' * 9_000}a')]", ONES),
    "lists zipped on each element": (f"let $n = `{NUMBERS}` in map(&zip($n, $n), list)", ONES),
    "zipped of zipped": (doubled(40, "zip(@, @)[]"), [1, 2]),
    "globs of the plan": (
        "list[?glob(t, p)]",
        {"list": [{"t": "a" * 1000, "p": "*" + "a?" * 400 + "b"}] * 5_000},
    ),
    "globs of stars": (
        "list[?glob(t, p)]",
        {"list": [{"t": "ab" * 500, "p": "*a" * 1_000 + "c"}] * 50_000},
    ),
    "objects and items": (
        f"let $n = `{KEYS}` in map(&from_items(items(from_items(items($n)))), list)",
        ONES,
    ),
    "sums on each element": (f"map(&sum_by(`{NUMBERS}`, &(@ * @ + @)), list)", ONES),
    "dates": ("list[?date_add(@, `1`) > '2026']", {"list": ["2026-01-01"] * 50_000}),
    "a document on each element": (f"map(&parse_json('[{'[],' * 5000}0]'), list)", ONES),
    "documents of the plan": (
        "map(&parse_json(@), list)",
        {"list": [f"[{'[],' * 50_000}{n}]" for n in range(30)]},
    ),
    "a number sought in a long list": (f"list[?contains(`{NUMBERS}`, @)]", {"list": [2] * 50_000}),
    "a text sought in a long text": (
        f"list[?contains('{'a' * 19_000}', @)]",
        {"list": ["a" * 90 + "b"] * 50_000},
    ),
    "lists told apart": ("unique(list)", {"list": [[n] for n in range(20_000)]}),
    "a pattern with too many states": ("matches(@, '(a|b)*a(a|b){500}c')", noise(200_000)),
    "patterns of the plan": (
        "list[?matches('x', @)]",
        {"list": [f"[a-z]{{{n % 500}}}{n}" for n in range(50_000)]},
    ),
    "networks": ("list[?cidr_contains('0.0.0.0/0', @)]", {"list": ["10.0.0.0/8"] * 50_000}),
    "times": ("list[?age_days(@) > `3`]", {"list": ["2026-01-01T00:00:00Z"] * 50_000}),
    "unknown elements": (f"list[?u].[@] | {doubled(21, '[@, @][]')}", {"list": [UNKNOWN] * 1000}),
    "calls on unknown elements": ("list[*].length(@)", {"list": [UNKNOWN] * 500_000}),
    "errors that only some completions have": (
        "list[?u] | map(&abs('x'), @)",
        {"list": [{"u": UNKNOWN}] * 500_000},
    ),
    "lists that may be empty": (
        "[list[?u], list[?u]] | [0][?length(map(&@, @)) && @] | [*].[@]",
        {"list": [{"u": UNKNOWN}] * 500_000},
    ),
}
"""What must be stopped."""

REFUSED: Final[dict[str, tuple[str, Any]]] = {
    "a glob of brackets": ("glob('x', @)", "[" * 10_000_000),
    "a version of white space": ("semver_satisfies('1.0.0', @)", " " * 10_000_000),
    "white space in a version": ("semver_satisfies('1.0.0', @)", "=" + " " * 4_000 + "!"),
    "versions without number": ("semver_satisfies('1.0.0', @)", "=1," * 3_000_000),
    "a deep document": ("parse_json(@)", "[" * 2_000_000),
    "a wide and deep document": ("parse_json(@)", ("[" * 101 + "]" * 101 + ",") * 10_000),
    "quotes that do not end": ("parse_json(@)", "[[[[" * 30 + '"' + '\\"' * 1_900_000),
    "a network of colons": ("cidr_is_public(@)", ":" * 10_000_000),
    "a product without end": (" * ".join(["@"] * 50), 10**300),
    "a product of large integers": ("@ * @", 10**4000),
    "a step of nothing": ("@[::0]", [1]),
}
"""What must be refused at once."""

DONE: Final[dict[str, tuple[str, Any]]] = {
    "many texts told apart": ("unique(list)", {"list": [str(n) for n in range(200_000)]}),
    "a number of many digits": ("to_number(@)", "9" * 10_000_000),
    "a slice without end": ("@[::-99999999999999999999]", [1] * 1000),
    "a value of all kinds of values": ("*[]", {"a": [1], "b": [2]}),
}
"""What is no attack."""


class Clock(query.Scope):
    """A scope with a time."""

    now = dt.datetime(2026, 11, 24, tzinfo=dt.timezone.utc)


@pytest.fixture(autouse=True)
def _a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(State, "left", STEPS // 10)


def judged(attack: tuple[str, Any]) -> Any:
    """Evaluate in bounded time and memory, as the engine does, the value included."""
    text, document = attack
    expression = query.compile(text)
    with bounded(SECONDS, MEMORY):
        return expression.judge(document, Clock()).value


@pytest.mark.slow
@pytest.mark.parametrize("name", STOPPED)
def test_what_has_no_end_is_stopped(name: str) -> None:
    """In time, and before it has filled the memory; as an error, which fails closed."""
    with pytest.raises(BudgetError):
        judged(STOPPED[name])


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_not_worth_looking_at_is_refused(name: str) -> None:
    """A text of ten million characters is no glob, version or network."""
    with pytest.raises(EvaluationError):
        judged(REFUSED[name])


@pytest.mark.parametrize("name", DONE)
def test_what_is_merely_large_is_evaluated(name: str) -> None:
    """Size alone is no reason to deny."""
    judged(DONE[name])


def test_steps_depend_on_nothing_but_the_arguments() -> None:
    """The same evaluation takes the same steps, whatever was evaluated before."""
    expression = query.compile("list[?matches(a, p) && parse_json(j) && glob(a, p)] | unique(@)")
    document = {"list": [{"a": text, "p": "[a]*", "j": "[1, [2]]"} for text in "abc"]}
    taken = {expression.judge(document).left for _ in range(3)}
    assert len(taken) == 1
    assert taken != {STEPS // 10}


def test_searching_is_bounded_as_judging_is() -> None:
    """What `search` gives can be gone through, and so printed."""
    with bounded(SECONDS, MEMORY), pytest.raises(BudgetError):
        query.compile(doubled(60)).search(1)
