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
import json
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn, TypeVar

import msgspec

from tfgate.audit.signing import (
    BadSignatureError,
    Signer,
    UnknownSignerError,
    identify,
    key_of,
    sign,
)
from tfgate.errors import UsageError, explained
from tfgate.opening import open_file, replace_file
from tfgate.report.escape import dumps

MAX_DOCUMENT = 16 * 1024 * 1024
"""Bytes. An approval of thousands of findings has a few megabytes."""

_Shape = TypeVar("_Shape")


class DocumentError(ValueError):
    """A document is not what it should be; the text says why, in a clause without its content."""


def read_document(path: Path, what: str) -> bytes:
    """Read a regular file of at most ``MAX_DOCUMENT`` bytes.

    Links, pipes, devices and directories are refused: whoever wrote the folder could send the
    reader elsewhere, or make it wait for ever. Raises ``UsageError``.
    """
    try:
        with open_file(path, follow=False) as file:
            data = file.read(MAX_DOCUMENT + 1)
    except FileNotFoundError:
        raise UsageError(f"There is no {what} {path}.") from None
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.") from None
    if len(data) > MAX_DOCUMENT:
        raise UsageError(f"The {what} {path} is larger than {MAX_DOCUMENT // 1024**2} MiB.")
    return data


def write_document(path: Path, data: bytes, what: str) -> None:
    """Write a file, whole or not at all, that `read_document` reads. Raises ``TfgateError``."""
    if len(data) > MAX_DOCUMENT:
        raise UsageError(
            f"The {what} {path} would be larger than {MAX_DOCUMENT // 1024**2} MiB, which is not "
            "read.",
            hint="So many findings need another plan, or a waiver, in place of an approval.",
        )
    with explained(f"The {what} {path} cannot be written"):
        replace_file(path, data)


def decode_document(data: bytes, shape: type[_Shape]) -> _Shape:
    """Decode JSON as ``shape``; repeated keys, NaN and deep nesting are refused.

    Raises ``DocumentError``.
    """
    return shaped(decode_json(data), shape)


def shaped(value: object, shape: type[_Shape]) -> _Shape:
    """Take a decoded value as ``shape``. Raises ``DocumentError``, which names no value."""
    try:
        return msgspec.convert(value, shape)
    except msgspec.ValidationError as error:
        # msgspec names types, members and places, and of values only those of a closed set.
        where = str(error).rpartition(" - at ")[2] if " - at " in str(error) else "its top"
        raise DocumentError(f"it has not the shape it must have, at {where}") from None
    except UnicodeError:  # half a surrogate pair, which JSON can write and nobody can store
        raise DocumentError("it has text that is no Unicode") from None


def decode_json(data: bytes) -> Any:
    """Decode JSON in which no key is there twice. Raises ``DocumentError``."""
    try:
        return json.loads(data, object_pairs_hook=_unique, parse_constant=_no_constant)
    except DocumentError:
        raise
    except (ValueError, RecursionError):
        raise DocumentError("it is not JSON") from None


def encode_document(value: object) -> bytes:
    """Encode as JSON for people to read: sorted, indented, ending in a newline."""
    return dumps(value, order="sorted").encode()


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) != len(pairs):
        raise DocumentError("a key is there twice")
    return table


def _no_constant(_name: str) -> NoReturn:
    raise DocumentError("it has a number that JSON does not have")


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


class Sealed(NamedTuple):
    """An envelope whose signatures nobody has checked yet."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def signer(self, *, signers: Path, namespace: str, now: dt.datetime) -> Signer:
        """Return who of the file ``signers`` has signed. Raises ``DocumentError``."""
        signed = pae(self.payload_type, self.payload)
        reasons = []
        for signature in self.signatures:
            found = _signer(signed, signature, signers, namespace, now)
            if isinstance(found, Signer):
                return found
            reasons.append(found)
        raise DocumentError(reasons[0])


def pae(payload_type: str, payload: bytes) -> bytes:
    """Return DSSE's pre-authentication encoding: the bytes that are signed."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, payload_type: str, key: str | Path, namespace: str) -> bytes:
    """Sign ``payload`` and return the envelope as JSON. Raises ``AuditError`` if that fails."""
    data = pae(payload_type, payload)
    armoured = sign(data, key, namespace)
    blob = "".join(armoured.removeprefix(_BEGIN).partition(_END)[0].split())
    signature = Signature(sig=blob, keyid=key_of(data, armoured, namespace))
    text = base64.b64encode(payload).decode("ascii")
    return encode_document(Envelope(text, payload_type, (signature,)))


def unseal(
    data: bytes, payload_type: str, *, signers: Path, namespace: str, now: dt.datetime
) -> Signed:
    """Return the payload of an envelope that a key in the file ``signers`` has signed.

    Raises ``DocumentError`` where it is no such envelope or nobody there has signed it.
    """
    sealed = read_sealed(data, payload_type)
    return Signed(sealed.payload, sealed.signer(signers=signers, namespace=namespace, now=now))


def read_sealed(data: bytes, payload_type: str) -> Sealed:
    """Read an envelope, and believe nothing of it yet. Raises ``DocumentError``."""
    envelope = decode_document(data, Envelope)
    if envelope.payload_type != payload_type:
        raise DocumentError(f"its payloadType is not {payload_type}")
    if not 0 < len(envelope.signatures) <= _MOST_SIGNATURES:
        raise DocumentError(f"it has not between 1 and {_MOST_SIGNATURES} signatures")
    return Sealed(_base64(envelope.payload, "payload"), payload_type, envelope.signatures)


def _signer(
    data: bytes, signature: Signature, signers: Path, namespace: str, now: dt.datetime
) -> Signer | str:
    """Return who signed, or in a clause why nobody counts."""
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
