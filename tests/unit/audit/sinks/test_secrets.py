"""Secrets stay secret, whatever a peer says of them."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.receiver import receiving
from tests.support.sinks import Delivering
from tfgate.audit.sinks.deliver import State
from tfgate.audit.sinks.interface import Secrets, SinkError
from tfgate.audit.sinks.make import make_sink
from tfgate.ruleset.sinks import SinkSpec, SinkType

if TYPE_CHECKING:
    from pathlib import Path

TOKEN = 't0ken with "quotes" & more+/='
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=4, max_size=40)


@pytest.mark.parametrize(
    "said",
    [
        TOKEN,
        f"Bearer {TOKEN}",
        json.dumps({"you sent": TOKEN}),
        quote(TOKEN, safe=""),
        base64.b64encode(TOKEN.encode()).decode(),
        "x" * 390 + TOKEN,
        "x " * 30_000 + TOKEN,
    ],
)
def test_a_peer_that_says_the_token_back_gets_nothing_out(tmp_path: Path, said: str) -> None:
    """Neither into the outcome nor into the cursor, whole or in part."""
    delivering = Delivering(tmp_path)
    delivering.write(1)
    with receiving() as receiver:
        receiver.answers, receiver.body = [403], said.encode()
        spec = SinkSpec(
            name="x", type=SinkType.HTTP, folder=tmp_path, token_env="TFGATE_SINK_T",
            url=f"http://127.0.0.1:{receiver.port}/",
        )  # fmt: skip
        outcome = delivering.deliver(make_sink(spec, {"TFGATE_SINK_T": TOKEN}))
    assert outcome.state is State.FAILED
    for text in (str(outcome.reason), delivering.file.path.read_text()):
        for form in (TOKEN[:8], quote(TOKEN, safe="")[:8], "dDBrZW4g"):
            assert form not in text


@given(value=PRINTABLE, before=st.text(max_size=20), after=st.text(max_size=20))
def test_no_form_of_a_secret_is_left(value: str, before: str, after: str) -> None:
    """As it is, in an address, in JSON."""
    secrets = Secrets("x", {"TFGATE_SINK_T": value})
    assert secrets.get("TFGATE_SINK_T") == value
    for form in (value, quote(value, safe=""), json.dumps(value)):
        assert value not in secrets.hide(before + form + after).replace("(secret)", "")


def test_a_secret_that_is_not_set_stops_delivery() -> None:
    """Nothing is sent without the token that was meant to go with it."""
    secrets = Secrets("siem", {"TFGATE_SINK_T": " ", "TFGATE_SINK_U": "a\nb"})
    assert secrets.get(None) is None
    with pytest.raises(SinkError, match="TFGATE_SINK_T, which the sink siem names, is not set"):
        secrets.get("TFGATE_SINK_T")
    with pytest.raises(SinkError, match="printable ASCII"):
        secrets.get("TFGATE_SINK_U")
