"""Telling people where they look: webhooks, for Slack and Microsoft Teams too.

What is to be told is in the database before anything is sent, and stays there until the other side
has taken it: a server that is killed tells it when it is back. No secret and no value of a plan is
in it: names, numbers, rules, reasons and a link.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import msgspec

from tfgate.audit.sinks.http import check_taken, signature, signing_key
from tfgate.audit.sinks.interface import Secrets, SinkError
from tfgate.errors import TfgateError, UsageError
from tfgate.outbound import AGENT, Peer
from tfgate.report.escape import clip
from tfgate.server.approval_tables import ApprovalsTable, WebhookTable
from tfgate.server.approvals.desk import Desk
from tfgate.server.approvals.store import Due, Notice
from tfgate.server.monitoring import Log
from tfgate.server.settings import Settings

SECONDS: Final = 15.0
_LEASE: Final = 60.0
_FIRST: Final = 5.0
_LONGEST: Final = 3600.0
_DAYS: Final = 3
"""After how many days nothing more is tried."""
_TITLES: Final = {
    "wanted": "An approval is wanted",
    "approved": "Approved",
    "refused": "Refused",
    "ending": "A request is about to end",
}


class _Target(NamedTuple):
    table: WebhookTable
    peer: Peer
    key: bytes | None


class Webhooks:
    """Sends what the desk has stored to be told."""

    def __init__(
        self,
        table: ApprovalsTable,
        settings: Settings,
        desk: Desk,
        env: Mapping[str, str],
        log: Log,
    ) -> None:
        """Make ready. Raises ``UsageError`` where a variable is not set or holds no address."""
        self._desk = desk
        self._log = log
        self._targets = {hook.name: _target(hook, settings, env) for hook in table.webhooks}

    def send_due(self) -> int:
        """Send what it is time for; return how many were taken."""
        desk, taken = self._desk, 0
        for due in desk.store.take_notices(desk.clock(), _LEASE, 50):
            target = self._targets.get(due.webhook)
            if target is None:  # no longer in the configuration
                desk.store.give_notice_up(due.id, desk.clock())
                continue
            try:
                self._send(target, due)
            except TfgateError as error:
                self._failed(due, error)
            else:
                desk.store.sent_notice(due.id)
                taken += 1
        return taken

    def _send(self, target: _Target, due: Due) -> None:
        body = msgspec.json.encode(
            BODIES[target.table.format](due.notice, self._desk.link(due.notice.request))
        )
        moment = str(int(time.time()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": AGENT,
            "webhook-id": due.id,
            "webhook-timestamp": moment,
        }
        if target.key is not None:
            headers["webhook-signature"] = signature(target.key, due.id, moment, body)
        check_taken(target.peer, target.peer.post(body, headers))

    def _failed(self, due: Due, error: TfgateError) -> None:
        now = self._desk.clock()
        over = now - due.notice.at > _DAYS * 86400
        wait = min(_LONGEST, _FIRST * 2 ** min(due.attempts - 1, 20))
        if isinstance(error, SinkError) and error.retry_after is not None:
            wait = min(_LONGEST, max(wait, error.retry_after))
        self._log.warning(
            "webhook", webhook=due.webhook, problem=error.message, attempt=due.attempts, over=over
        )
        if over:
            self._desk.store.give_notice_up(due.id, now)
        else:
            self._desk.store.postpone_notice(due.id, now + wait)


def _target(hook: WebhookTable, settings: Settings, env: Mapping[str, str]) -> _Target:
    secrets = Secrets(f"webhook {hook.name}", env)
    try:
        url = hook.url or secrets.get(hook.url_env) or ""
        if hook.url_env is not None:
            secrets.add(urlsplit(url).path)
        secret = secrets.get(hook.secret_env)
        if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise UsageError(f"The variable {hook.url_env} does not hold an https:// address.")
        ca = None if hook.ca is None else settings.path(hook.ca)
        peer = Peer(url, seconds=SECONDS, env=env, ca_file=ca, hide=secrets.hide, failure=SinkError)
        return _Target(hook, peer, None if secret is None else signing_key(secret))
    except (SinkError, ValueError) as error:
        text = error.message if isinstance(error, SinkError) else "an address is not one."
        raise UsageError(f"approvals.webhooks: {hook.name!r}: {text}") from None


# What is said, for each place. What comes out of a plan or from a person is only ever text.


def _facts(notice: Notice) -> list[tuple[str, str]]:
    rules = ", ".join(notice.rules[:10])
    facts = [
        ("Workspace", notice.workspace),
        ("Denied", f"{notice.findings} of {rules}"),
        ("Operator", notice.operator),
        ("Asked by", notice.requester),
    ]
    if notice.event in ("wanted", "ending"):
        facts += [("Needs", f"{notice.people} to approve"), ("Until", _moment(notice.expires_at))]
    if notice.by:
        facts += [("By", notice.by), ("Reason", notice.reason)]
    return [(name, clip(text, 500)) for name, text in facts]


def _title(notice: Notice) -> str:
    return clip(f"{_TITLES[notice.event]}: {notice.workspace}", 140)


def _moment(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.timezone.utc):%Y-%m-%d %H:%M} UTC"


def standard_body(notice: Notice, link: str) -> dict[str, Any]:
    """Return the payload that https://www.standardwebhooks.com asks for."""
    data: dict[str, Any] = msgspec.to_builtins(notice)
    del data["event"]
    for name in ("at", "expires_at"):
        data[name] = _rfc3339(data[name])
    return {
        "type": f"tfgate.approval.{notice.event}",
        "timestamp": _rfc3339(notice.at),
        "data": {**data, "url": link},
    }


def _rfc3339(seconds: float) -> str:
    return f"{dt.datetime.fromtimestamp(seconds, dt.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def slack_body(notice: Notice, link: str) -> dict[str, Any]:
    """Return a message of Slack's Block Kit (docs.slack.dev/reference/block-kit).

    Texts are ``plain_text``, in which no mention, link or emphasis starts; ``text`` is what
    notifications show, and is escaped as docs.slack.dev/messaging/formatting-message-text asks.
    """
    fields = [_slack_text(f"{name}: {text}") for name, text in _facts(notice)]
    return {
        "text": slack_escape(_title(notice)),
        "mrkdwn": False,
        "unfurl_links": False,
        "unfurl_media": False,
        "blocks": [
            {"type": "header", "text": _slack_text(_title(notice), 150)},
            *({"type": "section", "text": field} for field in fields),
            {
                "type": "actions",
                "elements": [
                    {"type": "button", "text": _slack_text("Open the request"), "url": link}
                ],
            },
        ],
    }


def _slack_text(text: str, most: int = 1_000) -> dict[str, Any]:
    return {"type": "plain_text", "text": text[:most], "emoji": False}


def slack_escape(text: str) -> str:
    """Escape the three characters by which mentions, links and commands begin in Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def teams_body(notice: Notice, link: str) -> dict[str, Any]:
    """Return an Adaptive Card for a workflow of Microsoft Teams (adaptivecards.io, version 1.4).

    Texts are runs of a ``RichTextBlock``: a ``TextBlock`` would read Markdown in them.
    """
    lines = [
        _teams_line(("Bolder", f"{name}: "), ("Default", text)) for name, text in _facts(notice)
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": [_teams_line(("Bolder", _title(notice)), size="Large"), *lines],
        "actions": [{"type": "Action.OpenUrl", "title": "Open the request", "url": link}],
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def _teams_line(*runs: tuple[str, str], size: str = "Default") -> dict[str, Any]:
    inlines: Sequence[dict[str, Any]] = [
        {"type": "TextRun", "text": text, "weight": weight, "size": size} for weight, text in runs
    ]
    return {"type": "RichTextBlock", "inlines": inlines}


BODIES: Final = {"standard": standard_body, "slack": slack_body, "teams": teams_body}
