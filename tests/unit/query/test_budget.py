"""No rule hangs on any plan."""

from __future__ import annotations

import pytest

from tfgate import query
from tfgate.query import BudgetError


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        " | ".join(["[@, @][]"] * 60),
        " | ".join(["[@, @]"] * 60) + " | to_string(@)",
        " | ".join(["join('x', [@, @])"] * 60),
        " | ".join(["[@, @]"] * 60) + " | @ == [@[0], @[0][0]]",
        " | ".join(["[@, @]"] * 60) + " | length(split(to_string(@), 'a'))",
    ],
)
def test_an_expression_that_doubles_its_value_is_stopped(text: str) -> None:
    """Sixty doublings would fill any memory."""
    document = "x" if "join" in text else ["x"]
    with pytest.raises(BudgetError):
        query.compile(text).search(document)


@pytest.mark.slow
def test_a_stopped_evaluation_is_never_mistaken_for_an_unknown_branch() -> None:
    """The budget's end is the end, behind an unknown condition as elsewhere."""
    from tfgate.query import UNKNOWN

    text = "u && (list | " + " | ".join(["[@, @][]"] * 60) + ")"
    with pytest.raises(BudgetError):
        query.compile(text).judge({"u": UNKNOWN, "list": [1]})
    assert query.compile(text).verdict({"u": UNKNOWN, "list": [1]}) is None


def test_a_text_for_split_is_bounded() -> None:
    """A million parts are enough for anyone."""
    with pytest.raises(BudgetError):
        query.compile("split(a, ',')").search({"a": "," * 2_000_000})
