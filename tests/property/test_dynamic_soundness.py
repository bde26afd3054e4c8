"""A block that stands for any number of them: what is said holds for every number, and for 0."""

from __future__ import annotations

from typing import Any

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.plan_json import block, change, configuration, plan
from tfgate.plan import read_plan
from tfgate.plan.reads import EVERYTHING
from tfgate.query import compile as compile_expression

PORTS = st.sampled_from([0, 22, 443])
WORLD = st.sampled_from([[], ["0.0.0.0/0"], ["10.0.0.0/8", "0.0.0.0/0"]])
ELEMENTS = st.fixed_dictionaries({"port": PORTS, "cidrs": WORLD, "note": st.just("")})
EXPRESSIONS = (
    "length(ingress) <= `1`",
    "length(ingress) == `0`",
    "length(ingress) > `1`",
    "ingress",
    "!ingress",
    "ingress[0].port == `22`",
    "ingress[-1].port == `22`",
    "ingress[1]",
    "ingress[?port == `22`]",
    "ingress[?note]",
    "ingress[?note == '']",
    "ingress[?contains(cidrs, '0.0.0.0/0')]",
    "ingress[?port == `22` && contains(cidrs, '0.0.0.0/0')]",
    "!(ingress[?port == `443`])",
    "ingress[].cidrs[]",
    "contains(ingress[].port, `22`)",
    "length(ingress[?port == `443`]) == length(ingress)",
    "sum(ingress[].port) > `400`",
    "ingress[*].port | [0]",
    "ingress == `[]`",
    "max(ingress[].port) == `443`",
    "sort_by(ingress, &port)[0].port == `0`",
)


@pytest.mark.parametrize("text", EXPRESSIONS)
@given(
    written=st.lists(ELEMENTS, max_size=2),
    made=st.lists(ELEMENTS, max_size=3),
    first=st.booleans(),
)
def test_what_is_said_holds_for_any_number(
    text: str, written: list[Any], made: list[Any], first: bool
) -> None:
    """Blocks that are written out are known beside it, wherever a set has it."""
    shown = [{"note": ""}, *written] if first else [*written, {"note": ""}]
    unknown = {"port": True, "cidrs": True}
    marks = [unknown, *({} for _ in written)] if first else [*({} for _ in written), unknown]
    entry = change(
        "aws_security_group.g", after={"ingress": shown}, after_unknown={"ingress": marks}
    )
    config = configuration(block("aws_security_group.g"))
    document = read_plan(plan(entry, configuration=config)).changes[0].document(EVERYTHING)
    said = compile_expression(text).verdict(document["after"])
    completion = {"ingress": [*made, *written] if first else [*written, *made]}
    try:
        found = jmespath.search(text, completion)
    except jmespath.exceptions.JMESPathError:
        assert said is None
        return
    truthy = not (found is None or found is False or found in ("", [], {}))
    assert said is None or said is truthy
