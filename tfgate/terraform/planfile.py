"""What a plan file says of itself, without Terraform.

A saved plan is a zip whose entry ``tfplan`` is a protocol buffer (terraform's
``internal/plans/planproto/planfile.proto``, the same in OpenTofu). Only the few fields that help
to tell plans apart are read here; the judged facts come from ``terraform show -json``.
"""

from __future__ import annotations

import enum
import io
from typing import IO, TYPE_CHECKING

import msgspec

from tfgate.errors import PlanError
from tfgate.terraform.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

_ZIP = b"PK\x03\x04"
_CHUNK = 1 << 16
_LONGEST_FIELD = 1 << 16
# Field numbers of message Plan and of message Backend.
_ERRORED, _TERRAFORM_VERSION, _BACKEND, _TIMESTAMP = 20, 14, 13, 21
_BACKEND_TYPE, _BACKEND_WORKSPACE = 1, 3


class PlanFileKind(enum.Enum):
    """What a file that can be handed to ``terraform apply`` may be."""

    LOCAL = "local"
    """The zip that ``plan -out`` writes."""
    ENCRYPTED = "encrypted"
    """The same under OpenTofu's encryption: a JSON envelope."""
    CLOUD = "cloud"
    """A JSON bookmark to a plan that HCP Terraform keeps."""


class PlanFile(msgspec.Struct, frozen=True):
    """What a plan file says of itself; ``None`` where it does not."""

    kind: PlanFileKind
    terraform_version: str | None = None
    workspace: str | None = None
    """Workspace that was selected when the plan was made, and that it will be applied to."""
    backend: str | None = None
    """Type of the backend."""
    timestamp: str | None = None
    """When the plan was made, RFC 3339."""
    errored: bool = False


def is_plan_file(data: bytes) -> bool:
    """Say whether ``data`` (its first bytes will do) begins as a saved plan, a zip, does."""
    return data[:4] == _ZIP


def plan_file_kind(data: bytes) -> PlanFileKind | None:
    """Say which kind of saved plan ``data`` is, or ``None`` where it is none of them.

    The JSON kinds are told by their own keys and need the whole file; they are small next to a
    plan, and plan JSON is not looked through: its first key is another one.
    """
    if is_plan_file(data):
        return PlanFileKind.LOCAL
    head = data[:4096].lstrip()
    if not head.startswith(b"{"):
        return None
    if b'"encrypted_data"' in head or (
        b'"encryption_version"' in data[-200:] and b'"meta"' in head
    ):
        return PlanFileKind.ENCRYPTED
    if b'"remote_plan_format"' in head and len(data) < _CHUNK:
        return PlanFileKind.CLOUD
    return None


def read_plan_file(data: bytes, *, name: str = "plan file") -> PlanFile:
    """Read what a saved plan says of itself.

    Memory does not grow with the plan: the entry is unpacked in pieces. Raises ``PlanError``
    where ``data`` is not a saved plan or is cut off.
    """
    kind = plan_file_kind(data)
    if kind is None:
        raise PlanError(
            f"{name} is not a plan file.", hint="Make one with `terraform plan -out=FILE`."
        )
    if kind is PlanFileKind.CLOUD:
        return PlanFile(kind, workspace=_bookmark(data))
    if kind is PlanFileKind.ENCRYPTED:
        return PlanFile(kind)
    # Late: it costs 4 ms, and a plan often comes as JSON.
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive, archive.open("tfplan") as entry:
            return _local(entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError):
        raise _broken(name) from None
    # No such entry, not a protocol buffer, a password or a method that zipfile does not know.
    except (KeyError, ValueError, RuntimeError):
        raise _broken(name) from None


def _broken(name: str) -> PlanError:
    return PlanError(
        f"{name} begins as a plan file but is cut off or damaged.",
        hint="Copy it again, or plan again.",
    )


def _bookmark(data: bytes) -> str | None:
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return clean(document.get("workspace")) or None if isinstance(document, dict) else None


def _local(entry: IO[bytes]) -> PlanFile:
    facts = dict(_fields(entry, {_ERRORED, _TERRAFORM_VERSION, _BACKEND, _TIMESTAMP}))
    section = io.BytesIO(_bytes(facts.get(_BACKEND)))
    backend = dict(_fields(section, {_BACKEND_TYPE, _BACKEND_WORKSPACE}))
    return PlanFile(
        kind=PlanFileKind.LOCAL,
        terraform_version=_string(facts.get(_TERRAFORM_VERSION)),
        workspace=_string(backend.get(_BACKEND_WORKSPACE)),
        backend=_string(backend.get(_BACKEND_TYPE)),
        timestamp=_string(facts.get(_TIMESTAMP)),
        errored=bool(facts.get(_ERRORED)),
    )


def _bytes(value: bytes | int | None) -> bytes:
    return value if isinstance(value, bytes) else b""


def _string(value: bytes | int | None) -> str | None:
    return clean(_bytes(value).decode("utf-8", "replace")) or None


def _fields(stream: IO[bytes], wanted: set[int]) -> Iterator[tuple[int, bytes | int]]:
    """Walk one protocol buffer message and give the wanted fields; the rest is skipped unread.

    protobuf.dev/programming-guides/encoding: a key is ``number << 3 | wire type``.
    """
    while (key := _varint(stream)) is not None:
        number, wire_type = key >> 3, key & 7
        if wire_type == 0:
            value = _varint(stream)
            if number in wanted and value is not None:
                yield number, value
        elif wire_type == 2:
            length = _varint(stream)
            if length is None:
                raise EOFError
            if number in wanted and length <= _LONGEST_FIELD:
                yield number, _exactly(stream, length)
            else:
                _skip(stream, length)
        elif wire_type in (1, 5):
            _skip(stream, 8 if wire_type == 1 else 4)
        else:
            raise ValueError("not a protocol buffer")


def _varint(stream: IO[bytes]) -> int | None:
    """Read one variable-length integer; ``None`` at the end of the stream."""
    result = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            if shift:
                raise EOFError
            return None
        result |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return result
    raise ValueError("not a protocol buffer")


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise EOFError
    return data


def _skip(stream: IO[bytes], length: int) -> None:
    while length > 0:
        piece = stream.read(min(length, _CHUNK))
        if not piece:
            raise EOFError
        length -= len(piece)
