"""Functions that the engine and other packages add."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tfgate import query
from tfgate.query import (
    UNKNOWN,
    EvaluationError,
    Function,
    FunctionTable,
    MayRaise,
    Parameter,
    Scope,
)
from tfgate.query.functions import registry as plugins

if TYPE_CHECKING:
    from collections.abc import Callable


class Names(Scope):
    """A scope with something to look up."""

    known = {"limit": 5, "later": UNKNOWN, "perhaps": MayRaise(UNKNOWN), "list": [1, 2]}  # noqa: RUF012


def lookup(scope: Names, name: str) -> Any:
    """Return what the scope has under the name."""
    if name not in scope.known:
        raise EvaluationError("There is nothing of that name.")
    return scope.known[name]


def table(*functions: Function) -> FunctionTable:
    """Return the default table with functions added."""
    return FunctionTable.default().extended(functions)


def function(call: Callable[..., Any], **options: Any) -> Function:
    """Return a function of one string."""
    parameters = (Parameter("name", "string"),)
    return Function("of", parameters, "any", "A test.", "", None, call, **options)


SCOPED = table(function(lookup, scope=True, handles_unknown=True))


def test_a_scope_function_gets_the_scope() -> None:
    """It is given with the document and reaches the function first."""
    assert query.compile("n <= of('limit')", functions=SCOPED).search({"n": 5}, Names()) is True
    assert query.compile("of('list')[1]", functions=SCOPED).search({}, Names()) == 2


def test_a_scope_function_may_answer_unknown() -> None:
    """The answer takes part in three-valued logic as any other."""
    expression = query.compile("of('later') || n", functions=SCOPED)
    assert expression.verdict({"n": 1}, Names()) is True
    assert expression.verdict({"n": None}, Names()) is None


def test_a_scope_function_may_say_that_it_may_raise() -> None:
    """What it says beside the value ends in the judgement."""
    judgement = query.compile("[of('perhaps')]", functions=SCOPED).judge({}, Names())
    assert (judgement.value, judgement.truth, judgement.may_raise) == ([UNKNOWN], True, True)


def test_a_scope_function_may_fail_and_its_call_is_named() -> None:
    """Its own error is completed with name and column."""
    with pytest.raises(EvaluationError) as caught:
        query.compile("n || of('x')", functions=SCOPED).search({}, Names())
    assert (caught.value.function, caught.value.position) == ("of", 5)


def test_a_function_is_not_called_with_unknowns_unless_it_asks_for_them() -> None:
    """The result is unknown then, and may raise."""
    called: list[Any] = []
    parameters = (Parameter("value"),)
    function = Function("of", parameters, "any", "A test.", "", None, called.append)
    expression = query.compile("of(a)", functions=table(function))
    for value in (UNKNOWN, [UNKNOWN], {"x": [1, {"y": UNKNOWN}]}):
        judgement = expression.judge({"a": value})
        assert (judgement.value, judgement.truth, judgement.may_raise) == (UNKNOWN, None, True)
    maybe = query.compile("of(a[?p == `1`])", functions=table(function))
    assert maybe.verdict({"a": [{"p": UNKNOWN}]}) is None
    assert called == []
    expression.search({"a": [1]})
    assert called == [[1]]


def test_a_reference_gives_no_unknowns_to_a_function_that_does_not_take_them() -> None:
    """An expression can come to something unknown on a known value."""
    parameters = (Parameter("elements", "array"), Parameter("expression", "expref"))

    def total(elements: list[Any], expression: Callable[[Any], Any]) -> Any:
        return sum(map(expression, elements))

    added = Function("total", parameters, "number", "A test.", "", None, total)
    expression = query.compile("total(a, &@ || of('later'))", functions=SCOPED.extended([added]))
    assert expression.search({"a": [1, 2]}, Names()) == 3
    judgement = expression.judge({"a": [1, None]}, Names())
    assert (judgement.value, judgement.may_raise) == (UNKNOWN, True)


def test_an_exception_in_a_function_becomes_an_error_without_its_text() -> None:
    """The text of the exception might hold the value."""

    def fail(text: str) -> str:
        raise KeyError(text)

    with pytest.raises(EvaluationError) as caught:
        query.compile("of(@)", functions=table(function(fail))).search("secret")
    assert "secret" not in str(caught.value)
    assert caught.value.kind == "invalid-value"


def test_what_an_expression_calls_can_be_asked() -> None:
    """Loaders check names of parameters and data before any plan is read."""
    expression = query.compile("contains(of('x'), lower(a)) || of(a)", functions=SCOPED)
    assert expression.functions == {"contains", "of", "lower"}
    assert expression.calls == (
        ("contains", None),
        ("of", ("x",)),
        ("lower", None),
        ("of", None),
    )


def test_a_function_of_another_package_is_loaded_when_it_is_called(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A plain callable is enough; its signature gives the arity."""

    def shout(text: str, mark: str = "!") -> str:
        """Return a text with a mark."""
        return text.upper() + mark

    asked: list[str] = []

    def load(name: str) -> Function | None:
        asked.append(name)
        return plugins.as_function(name, shout) if name == "shout" else None

    monkeypatch.setattr(plugins, "load_plugin", load)
    fresh = FunctionTable.default()
    assert query.compile("shout(@)", functions=fresh).search("a") == "A!"
    assert query.compile("shout(lower(@))", functions=fresh).search("a") == "A!"
    assert asked == ["shout"]
    assert query.compile("shout([@])", functions=fresh).judge(UNKNOWN).value is UNKNOWN


def test_a_result_that_is_not_json_is_refused() -> None:
    """Nothing but JSON may come in by a function of another package."""
    foreign = plugins.as_function("of", lambda value: {value})
    with pytest.raises(EvaluationError, match="not a JSON value"):
        query.compile("of(@)", functions=table(foreign)).search("a")


def test_no_package_offers_a_function_nobody_has() -> None:
    """Looking among the installed packages ends with nothing found."""
    assert plugins.load_plugin("surely_nobody_offers_this") is None
