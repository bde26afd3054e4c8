"""An HTTP endpoint as a sink: JSON Lines by POST, signed."""

from __future__ import annotations

import base64
import binascii
import contextlib
import email.utils
import hashlib
import hmac
import time
from collections.abc import Callable

from tfgate.audit.sinks.interface import Batch, Sink, SinkError
from tfgate.outbound import AGENT, Answer, Peer


class HttpSink(Sink):
    """Posts batches as ``application/x-ndjson``.

    With a secret each request is signed as https://www.standardwebhooks.com says: ``webhook-id``
    is the same for the same batch, ``webhook-timestamp`` says when it was sent, and
    ``webhook-signature`` is the HMAC-SHA256 of both and the body.
    """

    steady = True

    def __init__(
        self,
        peer: Peer,
        *,
        token: str | None = None,
        token_header: str | None = None,
        secret: str | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._peer = peer
        self._token = token_headers(token, token_header)
        self._key = None if secret is None else signing_key(secret)
        self._now = now

    def send(self, batch: Batch) -> None:
        """Post it. Any answer from 200 to 299 says that the peer keeps it."""
        body = batch.lines
        headers = {
            "Content-Type": "application/x-ndjson",
            "User-Agent": AGENT,
            "webhook-id": batch.name,
            "webhook-timestamp": str(int(self._now())),
            "x-tfgate-chain": batch.chain,
            "x-tfgate-records": f"{batch.first}-{batch.last.seq}",
        }
        headers.update(self._token)
        if self._key is not None:
            name, moment = headers["webhook-id"], headers["webhook-timestamp"]
            headers["webhook-signature"] = signature(self._key, name, moment, body)
        check_taken(self._peer, self._peer.post(body, headers))


def token_headers(token: str | None, header: str | None) -> dict[str, str]:
    """Return the header that carries the token: as it is in the one that is named."""
    if token is None:
        return {}
    return {"Authorization": f"Bearer {token}"} if header is None else {header: token}


def signing_key(secret: str) -> bytes:
    """Return the key of a secret: ``whsec_`` and base64, or any other text as it is."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise SinkError("The signing secret begins with whsec_ and is not base64.") from None


def signature(key: bytes, name: str, moment: str, body: bytes) -> str:
    """Sign a request: ``v1,`` and the base64 of the HMAC-SHA256 of ``name.moment.body``."""
    signed = f"{name}.{moment}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode("ascii")


def check_taken(peer: Peer, answer: Answer) -> None:
    """Raise ``SinkError`` unless the answer says that the batch was taken."""
    if 200 <= answer.status < 300:
        return
    answered = f"{peer.host} answered {answer.status} {answer.reason}"
    if 300 <= answer.status < 400:
        raise SinkError(f"{answered}: a redirect, which no record follows. Correct the address.")
    text = peer.text_of(answer)
    raise SinkError(
        f"{answered}: {text}" if text else f"{answered}.",
        retry_after=_seconds(answer.headers.get("retry-after")),
        too_large=answer.status == 413,
    )


def _seconds(text: str | None) -> float | None:
    """Read ``Retry-After``: seconds, or a date."""
    if text is None:
        return None
    if text.strip().isdecimal():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, email.utils.parsedate_to_datetime(text).timestamp() - time.time())
    return None
