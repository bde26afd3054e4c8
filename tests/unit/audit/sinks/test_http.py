"""The HTTP sink: what is sent, how it is signed, and how little a bad peer can do."""

from __future__ import annotations

import base64
import hashlib
import hmac
import ssl
import time
from typing import TYPE_CHECKING

import pytest
import trustme

from tests.support.receiver import Receiver, proxying, receiving
from tests.support.sinks import Delivering
from tfgate.audit.sinks.deliver import State
from tfgate.audit.sinks.http import HttpSink, signing_key
from tfgate.audit.sinks.interface import SinkError
from tfgate.audit.sinks.make import make_sink
from tfgate.outbound import Peer
from tfgate.ruleset.sinks import SinkSpec, SinkType

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "whsec_" + base64.b64encode(b"a key of some thirty-two bytes..").decode()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """A peer without TLS on this machine."""
    with receiving() as running:
        yield running


@pytest.fixture
def delivering(tmp_path: Path) -> Delivering:
    """A trail of three records."""
    found = Delivering(tmp_path)
    found.write(3)
    return found


def sink(receiver: Receiver, *, seconds: float = 5, **more: str) -> HttpSink:
    """The sink for a receiver."""
    url = f"http://127.0.0.1:{receiver.port}/in?a=b"
    return HttpSink(Peer(url, seconds=seconds, env={}, failure=SinkError), **more)


def test_the_lines_of_the_trail_are_posted(receiver: Receiver, delivering: Delivering) -> None:
    """Byte for byte, with a token, an id of the batch and the numbers in it."""
    assert delivering.deliver(sink(receiver, token="t0")).state is State.DONE
    (request,) = receiver.requests
    assert request.path == "/in?a=b"
    assert request.body == delivering.log.read_bytes()
    assert request.headers["content-type"] == "application/x-ndjson"
    assert request.headers["authorization"] == "Bearer t0"
    assert request.headers["x-tfgate-chain"] == request.records[0]["hash"]
    assert request.headers["x-tfgate-records"] == "0-2"


def test_requests_are_signed(receiver: Receiver, delivering: Delivering) -> None:
    """As Standard Webhooks says: HMAC-SHA256 over id, timestamp and body."""
    delivering.deliver(sink(receiver, secret=SECRET))
    (request,) = receiver.requests
    name, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    assert abs(int(moment) - time.time()) < 60
    key = b"a key of some thirty-two bytes.."
    signed = f"{name}.{moment}.".encode() + request.body
    wanted = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert request.headers["webhook-signature"] == f"v1,{wanted}"


def test_secrets_are_base64_or_any_text() -> None:
    """A prefix says which; what says base64 and is not is refused."""
    assert signing_key("plain") == b"plain"
    with pytest.raises(SinkError, match="is not base64"):
        signing_key("whsec_%%%")


def test_a_batch_that_failed_comes_again_as_the_same(
    receiver: Receiver, delivering: Delivering
) -> None:
    """Same id, same records, whatever was written meanwhile: a receiver can drop doubles."""
    receiver.answers = [503]
    receiver.body = b"over\x1bloaded\n" * 1000
    outcome = delivering.deliver(sink(receiver))
    assert outcome.state is State.FAILED
    assert "127.0.0.1 answered 503 Service Unavailable: over<U+001B>loaded" in str(outcome.reason)
    assert len(str(outcome.reason)) < 500
    delivering.write(2)
    delivering.deliver(sink(receiver))
    assert [request.headers["x-tfgate-records"] for request in receiver.requests] == ["0-2", "3-4"]


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirects_are_not_followed(
    receiver: Receiver, delivering: Delivering, status: int
) -> None:
    """Records go where the configuration says, and nowhere else."""
    with receiving() as other:
        receiver.answers = [status]
        receiver.headers = {"location": f"http://127.0.0.1:{other.port}/"}
        outcome = delivering.deliver(sink(receiver))
        assert "a redirect" in str(outcome.reason)
        assert other.requests == []


def test_retry_after_is_heeded(receiver: Receiver, delivering: Delivering) -> None:
    """Up to an hour."""
    receiver.answers, receiver.headers = [429, 429], {"retry-after": "120"}
    delivering.deliver(sink(receiver))
    delivering.clock.move(119)
    assert delivering.deliver(sink(receiver), ignore_pause=False).state is State.WAITING
    receiver.headers = {"retry-after": "999999999"}
    delivering.clock.move(2)
    assert delivering.deliver(sink(receiver), ignore_pause=False).state is State.FAILED
    delivering.clock.move(3601)
    assert delivering.deliver(sink(receiver), ignore_pause=False).state is State.DONE


def test_what_is_too_large_is_sent_in_parts(receiver: Receiver, delivering: Delivering) -> None:
    """A 413 halves the batch."""
    receiver.answers = [413]
    assert delivering.deliver(sink(receiver)).state is State.DONE
    assert [len(request.records) for request in receiver.requests] == [1, 1, 1]


def test_a_peer_that_answers_a_byte_at_a_time_is_late(
    receiver: Receiver, delivering: Delivering
) -> None:
    """The time is that of the whole request, not between two bytes."""
    receiver.drip = 0.05
    begun = time.monotonic()
    outcome = delivering.deliver(sink(receiver, seconds=0.5))
    assert outcome.reason == "127.0.0.1 did not answer within 0.5 s."
    assert time.monotonic() - begun < 10


def test_an_endless_answer_is_not_read(receiver: Receiver, delivering: Delivering) -> None:
    """Nor is a large one: what was said is in the status."""
    receiver.body = b"x" * 50_000_000
    assert delivering.deliver(sink(receiver)).state is State.DONE


def test_a_peer_that_is_not_there(tmp_path: Path, delivering: Delivering) -> None:
    """Named with its host, without the rest of the address."""
    peer = Peer("http://127.0.0.1:1/secret-path", seconds=2, env={}, failure=SinkError)
    outcome = delivering.deliver(HttpSink(peer))
    assert outcome.reason == "127.0.0.1 cannot be reached: Connection refused."


@pytest.fixture
def tls(tmp_path: Path) -> Iterator[tuple[Receiver, Path]]:
    """A peer with TLS, and the file of the authority that vouches for it."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with receiving(context) as running:
        yield running, file


def spec(folder: Path, url: str, **keys: str) -> SinkSpec:
    """A sink of the configuration."""
    return SinkSpec(name="siem", type=SinkType.HTTP, folder=folder, url=url, **keys)


def test_tls_is_verified(
    tls: tuple[Receiver, Path], delivering: Delivering, tmp_path: Path
) -> None:
    """An unknown authority and a wrong name are refused; ca_file names the right authority."""
    receiver, file = tls
    url = f"https://localhost:{receiver.port}/"
    good = spec(tmp_path, url, ca_file=file.name)
    for each, reason in (
        (spec(tmp_path, url), "certificate"),
        (spec(tmp_path, url.replace("localhost", "127.0.0.1"), ca_file="ca.pem"), "not to be trus"),
        (spec(tmp_path, url, ca_file="none.pem"), "cannot be used"),
    ):
        outcome = delivering.deliver(_Late(each))
        assert reason in str(outcome.reason)
    assert receiver.requests == []
    assert delivering.deliver(make_sink(good, {})).state is State.DONE


class _Late:
    """Makes the sink when it is used: what is wrong with a spec is then the delivery's to note."""

    steady = False

    def __init__(self, each: SinkSpec) -> None:
        self._spec = each

    def send(self, batch: object) -> None:
        make_sink(self._spec, {}).send(batch)  # type: ignore[arg-type]

    def close(self) -> None:
        """Nothing."""


def test_a_proxy_of_the_environment_is_used(
    tls: tuple[Receiver, Path], delivering: Delivering, tmp_path: Path
) -> None:
    """With its name and password; not for hosts that are exempt."""
    receiver, file = tls
    each = spec(tmp_path, f"https://localhost:{receiver.port}/", ca_file=str(file))
    with proxying() as (port, asked):
        env = {"HTTPS_PROXY": f"http://me:p%40ss@127.0.0.1:{port}"}
        assert delivering.deliver(make_sink(each, env)).state is State.DONE
        expected = base64.b64encode(b"me:p@ss").decode()
        assert asked[0].startswith(f"CONNECT localhost:{receiver.port} HTTP/1.1\r\n")
        assert f"Proxy-Authorization: Basic {expected}\r\n" in asked[0]
    delivering.write(1)
    dead = {"https_proxy": "127.0.0.1:1", "no_proxy": "example.org, localhost"}
    assert delivering.deliver(make_sink(each, dead)).state is State.DONE
    with pytest.raises(SinkError, match="does not name an http proxy"):
        make_sink(each, {"https_proxy": "socks5://x"})


def test_a_secret_that_is_not_set_stops_delivery(tmp_path: Path) -> None:
    """Nothing is sent without the token that was meant to go with it."""
    each = spec(tmp_path, "http://127.0.0.1:1/", token_env="TFGATE_SINK_T")
    with pytest.raises(SinkError, match="TFGATE_SINK_T, which the sink siem names, is not set"):
        make_sink(each, {})
    with pytest.raises(SinkError, match="printable ASCII"):
        make_sink(each, {"TFGATE_SINK_T": "a\nb"})
