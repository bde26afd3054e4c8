"""Which waivers cover an outcome: what the index finds is what asking each of them gives."""

from __future__ import annotations

import datetime as dt
import time

from hypothesis import given
from hypothesis import strategies as st

from tfgate.engine.waivers import Covering, covers
from tfgate.model.decision import Waiver
from tfgate.model.text import glob_matches

PARTS = st.lists(
    st.sampled_from(["module.a", "module.a[0]", "aws_x.b", 'aws_x.b["k"]', "b", "*", "?", "", "."])
)
ADDRESSES = PARTS.map(".".join) | st.text("ab.*?[]", max_size=6)
RULES = st.sampled_from(["T-1", "T-2", "T-*", "*", "T-?", "X"])
WAIVERS = st.builds(
    Waiver,
    rule=RULES,
    address=ADDRESSES,
    reason=st.just("why"),
    owner=st.just("me"),
    expires=st.just(dt.date(2027, 1, 1)),
    kind=st.sampled_from(["file", "comment"]),
)


@given(st.lists(WAIVERS, max_size=8), RULES, ADDRESSES)
def test_the_index_finds_what_covers(waivers: list[Waiver], rule: str, address: str) -> None:
    """All that cover, none that does not, in their order."""
    covering = Covering(waivers)
    everywhere = [waiver for waiver in waivers if covers(waiver, address)]
    assert covering.at(address) == everywhere
    named = [waiver for waiver in everywhere if glob_matches(waiver.rule, rule)]
    assert covering.of(rule, address) == named
    assert covering.names(rule) == any(glob_matches(waiver.rule, rule) for waiver in waivers)


def test_thousands_of_waivers_and_outcomes_are_matched_at_once() -> None:
    """Each outcome looks at the waivers that could cover it, not at all of them."""
    waivers = [
        Waiver("T-1", f"aws_x.a{number}{wild}", "why", "me", dt.date(2027, 1, 1))
        for number in range(2_000)
        for wild in ("", "[*]")
    ]
    covering = Covering(waivers)
    begun = time.process_time()
    found = [covering.of("T-1", f"aws_x.a{number}[0]") for number in range(10_000)]
    assert time.process_time() - begun < 2  # each with each takes 20
    assert sum(map(len, found)) == 2_000
