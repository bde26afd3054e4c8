"""No expression in a message shows anything of a secret: not its text, length, order or absence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.plans import change, context, plan, rule, ruleset
from tfgate.engine.evaluate import evaluate
from tfgate.engine.functions import rule_functions
from tfgate.errors import RulesetError
from tfgate.ruleset.compiled import JOINS

if TYPE_CHECKING:
    import pytest

    from tfgate.plan import Plan

MARKS = {
    "password": True, "number": True, "map": True, "list": [False, True], "policy": True,
    "none": True, "block": [{"token": True}],
}  # fmt: skip
FUNCTIONS = sorted(
    (function for function in rule_functions() if function.name not in JOINS),
    key=lambda function: function.name,
)
LEAVES = (
    "after.password", "after.number", "after.map", "after.list", "after.list[1]", "after.policy",
    "after.none", "after.block", "after.block[].token", "after", "before", "$p", "$j.Secret",
    "$all", "after.plain", "after.list[0]", "'a'", "'-'", "`1`", "`[1, 2]`", "`{}`", "`null`",
    "@", "address",
)  # fmt: skip


def _plan(*, other: bool) -> Plan:
    """Return one of two plans that differ in their secrets alone."""
    values: dict[str, Any] = {
        "plain": "seen",
        "password": "x" if other else "CANARY-7f3a-long",
        "number": 1 if other else 73916482051,
        "map": {"other": 1, "b": 2} if other else {"CANARY": "a"},
        "list": ["plain", "-" if other else "CANARY"],
        "policy": json.dumps({"Secret": "y" if other else "CANARY", "List": [1] * other}),
        "none": None if other else "CANARY",
        "block": [{"token": "z" if other else "CANARY"}],
    }
    marks = {"before_sensitive": MARKS, "after_sensitive": MARKS}
    return plan(change(actions=["update"], after=values, before=dict(values), **marks))


PLANS = (_plan(other=False), _plan(other=True))


@st.composite
def expressions(draw: st.DrawFn, depth: int = 3) -> str:
    """Write an expression that computes something of secrets and other values."""
    kind = draw(st.sampled_from(["leaf", "call", "call", "call", "sign", "filter", "choice"]))
    if depth == 0 or kind == "leaf":
        return draw(st.sampled_from(LEAVES))
    inner = expressions(depth - 1)
    if kind == "sign":
        sign = draw(st.sampled_from(["==", "!=", "<", "&&", "||", "+", "-", "*", "/", "%"]))
        return f"({draw(inner)}) {sign} ({draw(inner)})"
    if kind == "filter":
        return f"[{draw(inner)}][?{draw(inner)}]"
    if kind == "choice":
        return f"({draw(inner)}) ? ({draw(inner)}) : ({draw(inner)})"
    function = draw(st.sampled_from(FUNCTIONS))
    most = function.most if function.most is not None else function.fewest + 1
    count = draw(st.integers(function.fewest, most))
    arguments = [
        f"&{draw(inner)}" if function.parameter(number).types == "expref" else draw(inner)
        for number in range(count)
    ]
    return f"{function.name}({', '.join(arguments)})"


LET = 'let = { p = "after.password", j = "parse_json(after.policy)", all = "[after, before]" }'


@given(expressions())
@settings(max_examples=300, deadline=None)
def test_messages_of_plans_that_differ_in_secrets_are_the_same(
    tmp_path_factory: pytest.TempPathFactory, expression: str
) -> None:
    """What a message says does not depend on a secret, so nobody can learn one from it."""
    text = rule(deny="`true`", message=f"got {{{expression}}}", more=LET).replace(
        '"Mend it."', json.dumps(f"See {{{expression}}}.")
    )
    try:
        loaded = ruleset(tmp_path_factory.mktemp("rules"), text)
    except RulesetError:
        return  # what does not load shows nothing
    shown = []
    for one in PLANS:
        (outcome,) = evaluate(one, [loaded], context()).outcomes
        shown.append((outcome.message, outcome.remediation))
    assert shown[0] == shown[1]
    assert "CANARY" not in str(shown)


def test_most_expressions_load(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The property above is about something: what it writes is mostly accepted."""
    folder = tmp_path_factory.mktemp("rules")
    for expression in ("length(after.password)", "join('-', [$p])", "split(after.password, '-')"):
        loaded = ruleset(folder, rule(deny="`true`", message=f"{{{expression}}}", more=LET))
        (outcome,) = evaluate(PLANS[0], [loaded], context()).outcomes
        assert outcome.message == "(sensitive)"
