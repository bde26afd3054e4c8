"""Webhooks of approvals: signed, sent until they are taken, with text that is only text."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest

pytest.importorskip("sqlalchemy", reason="This test needs tfgate[server].")
pytest.importorskip("trustme", reason="This test needs trustme.")

import trustme

from tests.support.desk import START, DeskBench
from tests.support.receiver import Receiver, receiving
from tests.support.signing import new_key
from tfgate.errors import UsageError
from tfgate.server.approvals.store import Notice
from tfgate.server.approvals.webhooks import BODIES, Webhooks, slack_body, teams_body
from tfgate.server.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SECRET = "whsec_" + base64.b64encode(b"key of a webhook of a test").decode()
HOSTILE = "<!channel> <https://evil.example|click> &amp; [a](javascript:x) *b* <at>all</at>\u202e\n"


class Log:
    """Keeps what is logged."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def warning(self, event: str, **values: Any) -> None:
        """Keep it."""
        self.lines.append(f"{event} {values}")


class Place:
    """A desk, and somebody who is told over TLS."""

    def __init__(self, folder: Path, receiver: Receiver, ca: Path) -> None:
        self.receiver = receiver
        self.log = Log()
        self.env = {
            "HOOK": f"https://localhost:{receiver.port}/T000/B000/secret-path",
            "KEY": SECRET,
        }
        self.hooks = [
            {"name": "chat", "url_env": "HOOK", "secret_env": "KEY", "ca": str(ca)},
        ]
        self.folder = folder
        self.key = new_key(folder, "server")
        self.make()

    def make(self) -> None:
        """Make desk and sender, as a server that starts does."""
        url = f"sqlite:///{self.folder / 'd.sqlite'}"
        self.bench = DeskBench(self.folder, url, self.key, webhooks=self.hooks)
        settings = Settings(folder=str(self.folder))
        self.webhooks = Webhooks(self.bench.table, settings, self.bench.desk, self.env, self.log)

    def bodies(self) -> list[Any]:
        """Return what was received."""
        return [json.loads(request.body) for request in self.receiver.requests]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """Yield a desk, and a receiver over TLS."""
    authority = trustme.CA()
    ca = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(ca))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    with receiving(context) as receiver:
        place = Place(tmp_path, receiver, ca)
        yield place
        place.bench.engine.dispose()


def test_a_request_and_its_answer_are_told(place: Place) -> None:
    """Both come once, signed by Standard Webhooks, with a link and who answered why."""
    key = place.bench.ask()
    assert place.webhooks.send_due() == 1
    place.bench.answer(key)
    assert place.webhooks.send_due() == 1
    assert place.webhooks.send_due() == 0
    wanted, approved = place.bodies()
    assert (wanted["type"], approved["type"]) == (
        "tfgate.approval.wanted", "tfgate.approval.approved",
    )  # fmt: skip
    assert wanted["data"]["url"] == f"https://gate.example/approvals/{key}"
    assert (approved["data"]["by"], approved["data"]["reason"]) == ("dora@acme.example", "because")
    request = place.receiver.requests[0]
    name, moment = request.headers["webhook-id"], request.headers["webhook-timestamp"]
    key_bytes = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = hmac.new(key_bytes, f"{name}.{moment}.".encode() + request.body, hashlib.sha256)
    own = "v1," + base64.b64encode(signed.digest()).decode()
    assert request.headers["webhook-signature"] == own


def test_it_is_sent_until_it_is_taken(place: Place) -> None:
    """After failures it comes later, under the same id, and also from a server that was killed."""
    place.receiver.answers = [500, 503]
    place.bench.ask()
    assert place.webhooks.send_due() == 0
    assert place.webhooks.send_due() == 0, "not at once"
    place.bench.now += 6
    assert place.webhooks.send_due() == 0
    place.bench.engine.dispose()
    now = place.bench.now
    place.make()
    place.bench.now = now + 11
    assert place.webhooks.send_due() == 1
    assert len(place.receiver.requests) == 1
    assert "answered 503" in place.log.lines[-1]


def test_a_server_that_died_while_sending(place: Place) -> None:
    """What another server had taken to send is sent by the next one after a minute."""
    place.bench.ask()
    assert len(place.bench.store.take_notices(place.bench.now, 60, 50)) == 1
    assert place.webhooks.send_due() == 0
    place.bench.now += 61
    assert place.webhooks.send_due() == 1


def test_it_is_given_up_after_days(place: Place) -> None:
    """A receiver that is gone for good is not asked for ever."""
    place.receiver.answers = [500] * 200
    place.bench.ask()
    for _ in range(120):
        place.webhooks.send_due()
        place.bench.now += 3700
    assert "'over': True" in place.log.lines[-1]
    assert len(place.log.lines) < 100


def test_no_secret_is_said(place: Place) -> None:
    """Neither the log nor a message holds the address's path or the key."""
    place.receiver.answers = [404]
    place.receiver.body = b"no such hook /T000/B000/secret-path " + SECRET.encode()
    place.bench.ask()
    place.webhooks.send_due()
    place.bench.now += 60
    place.webhooks.send_due()
    said = "".join(place.log.lines) + "".join(map(json.dumps, place.bodies()))
    assert place.log.lines
    assert "secret-path" not in said
    assert SECRET not in said


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({"KEY": SECRET}, "HOOK, which"),
        ({"HOOK": "http://hooks.example", "KEY": SECRET}, "does not hold an https"),
        ({"HOOK": "https://hooks.example:x", "KEY": SECRET}, "an address is not one"),
        ({"HOOK": "https://hooks.example", "KEY": "whsec_%"}, "not base64"),
        ({"HOOK": "https://hooks.example"}, "KEY, which"),
    ],
)
def test_what_is_wrong_is_said_at_the_start(
    place: Place, env: dict[str, str], sentence: str
) -> None:
    """A variable that is missing or holds no address stops the server, without its value."""
    place.env = env
    with pytest.raises(UsageError) as caught:
        place.make()
    assert sentence in str(caught.value)
    assert "hooks.example" not in str(caught.value)


def notice(event: str = "refused") -> Notice:
    """Return one whose every text is hostile."""
    return Notice(
        event=event, request="0" * 32, workspace=HOSTILE, operator=HOSTILE, requester=HOSTILE,
        rules=(HOSTILE,) * 20, findings=3, people=2, expires_at=START, at=START, by=HOSTILE,
        reason=HOSTILE * 100,
    )  # fmt: skip


def texts(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object in a message."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from texts(each)


@pytest.mark.parametrize("event", ["wanted", "approved", "refused", "ending"])
def test_slack_reads_no_markup(event: str) -> None:
    """Texts are plain_text; the fallback is escaped; no block is longer than Slack takes."""
    message = slack_body(notice(event), "https://gate.example/approvals/0")
    assert "<" not in message["text"]
    assert message["mrkdwn"] is False
    found = [
        each for each in texts(message["blocks"]) if each.get("type") in ("mrkdwn", "plain_text")
    ]
    assert {each["type"] for each in found} == {"plain_text"}
    assert all(0 < len(each["text"]) <= 3_000 for each in found)
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert len(message["blocks"]) <= 50
    assert "\u202e" not in json.dumps(message, ensure_ascii=False)


@pytest.mark.parametrize("event", ["wanted", "approved", "refused", "ending"])
def test_teams_reads_no_markdown(event: str) -> None:
    """Hostile text stands in TextRuns alone, and the card is smaller than Teams takes (28 KB)."""
    message = teams_body(notice(event), "https://gate.example/approvals/0")
    kinds = {each["type"] for each in texts(message) if "type" in each}
    assert kinds == {"message", "AdaptiveCard", "RichTextBlock", "TextRun", "Action.OpenUrl"}
    assert len(json.dumps(message)) < 28_000
    assert "\u202e" not in json.dumps(message, ensure_ascii=False)


def test_every_format_says_everything() -> None:
    """Event, workspace, operator, who answered, the reason and the link are in each."""
    plain = Notice(
        event="refused", request="0" * 32, workspace="prod-eu", operator="olga",
        requester="job@github", rules=("R-1",), findings=3, people=2, expires_at=START, at=START,
        by="dora", reason="not today",
    )  # fmt: skip
    for make in BODIES.values():
        text = json.dumps(make(plain, "https://gate.example/approvals/0")).lower()
        for word in ("refused", "prod-eu", "olga", "job@github", "r-1", "dora", "not today"):
            assert word in text
        assert "https://gate.example/approvals/0" in text
