"""Signed documents: DSSE v1 envelopes whose signatures are SSH signatures.

The payload is signed in its pre-authentication encoding
(https://github.com/secure-systems-lab/dsse/blob/master/protocol.md). DSSE leaves the signature's
format to signer and verifier: here it is the blob of ``ssh-keygen -Y sign`` (PROTOCOL.sshsig),
which carries the key and the namespace. ``keyid`` is the key's fingerprint, a hint that nothing
rests on.
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import textwrap
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tfgate.app.documents import DocumentError, decode_document, encode_document
from tfgate.audit.signing import (
    BadSignatureError,
    Signer,
    UnknownSignerError,
    identify,
    key_of,
    sign,
)

if TYPE_CHECKING:
    from pathlib import Path

_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----", "-----END SSH SIGNATURE-----"
_MOST_SIGNATURES = 8
"""Of one envelope; each costs several processes to check."""


class Signature(msgspec.Struct, frozen=True, omit_defaults=True):
    """One signature, base64 of the SSH signature blob."""

    sig: str
    keyid: str = ""


class Envelope(msgspec.Struct, frozen=True, rename={"payload_type": "payloadType"}):
    """The JSON envelope. Members beyond these are ignored: nothing but the payload is signed."""

    payload: str
    payload_type: str
    signatures: tuple[Signature, ...]


class Signed(NamedTuple):
    """A payload and who signed it."""

    payload: bytes
    signer: Signer


def pae(payload_type: str, payload: bytes) -> bytes:
    """Give DSSE's pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, payload_type: str, key: str | Path, namespace: str) -> bytes:
    """Sign ``payload`` and give the envelope as JSON. Raises ``AuditError`` if that fails."""
    data = pae(payload_type, payload)
    armoured = sign(data, key, namespace)
    blob = "".join(armoured.removeprefix(_BEGIN).partition(_END)[0].split())
    signature = Signature(sig=blob, keyid=key_of(data, armoured, namespace))
    text = base64.b64encode(payload).decode("ascii")
    return encode_document(Envelope(text, payload_type, (signature,)))


def unseal(
    data: bytes,
    payload_type: str,
    *,
    signers: Path,
    namespace: str,
    now: dt.datetime,
) -> Signed:
    """Give the payload of an envelope that a key in the file ``signers`` has signed.

    Raises ``DocumentError`` where it is no such envelope or nobody there has signed it.
    """
    envelope = decode_document(data, Envelope)
    if envelope.payload_type != payload_type:
        raise DocumentError(f"its payloadType is not {payload_type}")
    if not 0 < len(envelope.signatures) <= _MOST_SIGNATURES:
        raise DocumentError(f"it has not between 1 and {_MOST_SIGNATURES} signatures")
    payload = _base64(envelope.payload, "payload")
    signed = pae(payload_type, payload)
    reasons = []
    for signature in envelope.signatures:
        found = _signer(signed, signature, signers, namespace, now)
        if isinstance(found, Signer):
            return Signed(payload, found)
        reasons.append(found)
    raise DocumentError(reasons[0])


def _signer(
    data: bytes, signature: Signature, signers: Path, namespace: str, now: dt.datetime
) -> Signer | str:
    """Give who signed, or in a clause why nobody counts."""
    armoured = _armoured(_base64(signature.sig, "signature"))
    at = f"{now.astimezone(dt.timezone.utc):%Y-%m-%dT%H:%M:%S}Z"
    try:
        return identify(data, armoured, signers, at=at, namespace=namespace)
    except BadSignatureError as error:
        return f"its signature is not good: {error}"
    except UnknownSignerError:
        return "the allowed signers file does not let its key sign this"


def _base64(text: str, what: str) -> bytes:
    """Decode standard or URL-safe base64, as DSSE asks of verifiers."""
    try:
        return base64.b64decode(text.replace("-", "+").replace("_", "/"), validate=True)
    except (binascii.Error, ValueError):
        raise DocumentError(f"its {what} is not base64") from None


def _armoured(blob: bytes) -> str:
    lines = textwrap.wrap(base64.b64encode(blob).decode("ascii"), 70)
    return "\n".join([_BEGIN, *lines, _END, ""])
