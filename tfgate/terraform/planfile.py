"""What a plan file says of itself, without Terraform: which state it is for, and which sources.

A saved plan is a zip (terraform's ``internal/plans/planfile``). Its entry ``tfplan`` is a protocol
buffer (``internal/plans/planproto/planfile.proto``, the same in OpenTofu), and below ``tfconfig/``
is the configuration that was planned. The evaluated changes come from ``terraform show -json``; the
state that an apply writes, and the comments that may waive, come from here.

Terraform reads a zip with Go's library, which takes the first of two entries of one name where
Python's takes the last. So a file is read only where both see the same: it is written as Terraform
writes it, or it is refused.
"""

from __future__ import annotations

import enum
import io
import struct
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Final

import msgspec

from tfgate.errors import PlanError
from tfgate.model.text import clean
from tfgate.terraform.backend import Backend, planned_backend

if TYPE_CHECKING:
    import zipfile
    from collections.abc import Iterator, Mapping

    from tfgate.hcl.snapshot import SnapshotModule


LONGEST: Final = 1 << 20
"""Bytes of one wanted field, all its values together: a backend's settings take a few hundred."""

MOST_FIELDS: Final = 4_000_000
"""Fields of one message: a plan has one for each change, of which the largest have 100,000."""

_CHUNK: Final = 1 << 16
_HIGHEST_NUMBER: Final = (1 << 29) - 1
_LARGEST_VARINT: Final = (1 << 64) - 1


class Kind(enum.Enum):
    """What a wanted field holds."""

    NUMBER = 0
    """An integer or a boolean: wire type 0."""
    BYTES = 2
    """Bytes or text: wire type 2; the last value counts."""
    MESSAGE = "message"
    """A message: wire type 2; all values are one message."""

    @property
    def wire_type(self) -> int:
        """The wire type in which such a field is written."""
        return 0 if self is Kind.NUMBER else 2


def read_fields(stream: IO[bytes], wanted: Mapping[int, Kind]) -> dict[int, bytes | int]:
    """Walk one message to its end and return the wanted fields that it has, by number.

    The rest is skipped unread: memory does not grow with the message. Raises ``ValueError`` where
    it is no message or exceeds a bound, and ``EOFError`` where it is cut off.
    """
    found: dict[int, bytes | int] = {}
    count = 0
    while (key := _varint(stream)) is not None:
        count += 1
        number, wire_type = key >> 3, key & 7
        if not 0 < number <= _HIGHEST_NUMBER:
            raise ValueError("a field has no valid number")
        if count > MOST_FIELDS:
            raise ValueError("it has too many fields")
        kind = wanted.get(number)
        _take(stream, number, wire_type, kind, found)
    return found


def _take(
    stream: IO[bytes], number: int, wire_type: int, kind: Kind | None, found: dict[int, bytes | int]
) -> None:
    """Read the value of one field, and keep it where it is wanted."""
    is_wanted = kind is not None and kind.wire_type == wire_type
    if wire_type == 0:
        integer = _needed(stream)
        if is_wanted:
            found[number] = integer
    elif wire_type == 2:
        length = _needed(stream)
        if not is_wanted:
            _skip(stream, length)
            return
        before = found.get(number, b"") if kind is Kind.MESSAGE else b""
        assert isinstance(before, bytes), "a message is kept as bytes"
        if len(before) + length > LONGEST:
            raise ValueError("a field is too large")
        value = _exactly(stream, length)
        if kind is Kind.MESSAGE:
            read_fields(io.BytesIO(value), {})  # each is a message: only whole ones may be joined
        found[number] = before + value
    elif wire_type in (1, 5):
        _skip(stream, 8 if wire_type == 1 else 4)
    else:  # groups, which proto3 does not have
        raise ValueError("a field has an unknown wire type")


def _needed(stream: IO[bytes]) -> int:
    value = _varint(stream)
    if value is None:
        raise EOFError
    return value


def _varint(stream: IO[bytes]) -> int | None:
    """Read one variable-length integer of at most 64 bits; ``None`` at the end of the stream."""
    result = 0
    for shift in range(0, 70, 7):
        byte = stream.read(1)
        if not byte:
            if shift:
                raise EOFError
            return None
        result |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            if result > _LARGEST_VARINT:
                break
            return result
    raise ValueError("an integer has more than 64 bits")


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


_ZIP = b"PK\x03\x04"
_READ_AT_ONCE = 1 << 16
LARGEST_PLAN: Final = 2 * 1024**3
"""Bytes of the entry ``tfplan``, unpacked."""
LARGEST_SNAPSHOT: Final = 256 * 1024**2
"""Bytes of all configuration files, unpacked."""

# End of central directory, without the comment (APPNOTE.TXT 4.3.16).
_END = struct.Struct("<4s4H2LH")
_END_SIGNATURE = b"PK\x05\x06"
_STORED, _DEFLATED = 0, 8
_ENCRYPTED, _UTF8 = 0x1, 0x800

# Field numbers of message Plan, and of the messages Backend, StateStore, Provider, DynamicValue.
_BACKEND, _TERRAFORM_VERSION, _ERRORED, _TIMESTAMP, _STATE_STORE = 13, 14, 20, 21, 29
_PLAN = {
    _BACKEND: Kind.MESSAGE,
    _TERRAFORM_VERSION: Kind.BYTES,
    _ERRORED: Kind.NUMBER,
    _TIMESTAMP: Kind.BYTES,
    _STATE_STORE: Kind.MESSAGE,
}
_TYPE, _CONFIG, _WORKSPACE, _PROVIDER = 1, 2, 3, 4
_STATE = {_TYPE: Kind.BYTES, _CONFIG: Kind.MESSAGE, _WORKSPACE: Kind.BYTES, _PROVIDER: Kind.MESSAGE}
_SOURCE, _PROVIDER_CONFIG = 1, 3
_MSGPACK = 1

_SOURCES = "tfconfig/"
_MANIFEST = "tfconfig/modules.json"
_MODULE = "tfconfig/m-"


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
    backend: Backend | None = None
    """Where the state is kept that the apply will write."""
    workspace: str | None = None
    """Workspace that was selected when the plan was made, and that it will be applied to."""
    timestamp: str | None = None
    """When the plan was made, RFC 3339."""
    errored: bool = False
    keeps_sources: bool = False
    """Whether the configuration that was planned is in it. Terraform applies none without."""
    hostname: str | None = None
    """Of a bookmark: the host that keeps the plan."""


def plan_file_kind(data: bytes) -> PlanFileKind | None:
    """Say which kind of saved plan ``data`` is, or ``None`` where it is none of them.

    The JSON kinds are known by their own keys and need the whole file; they are small next to a
    plan, and plan JSON is not looked through: its first key is another one.
    """
    if data[:4] == _ZIP:
        return PlanFileKind.LOCAL
    head = data[:4096].lstrip()
    if not head.startswith(b"{"):
        return None
    if b'"encrypted_data"' in head or (
        b'"encryption_version"' in data[-200:] and b'"meta"' in head
    ):
        return PlanFileKind.ENCRYPTED
    if b'"remote_plan_format"' in head and len(data) < _READ_AT_ONCE:
        return PlanFileKind.CLOUD
    return None


def read_plan_file(data: bytes, *, name: str = "plan file") -> PlanFile:
    """Read what a saved plan says of itself.

    Memory does not grow with the plan: the entry is unpacked in pieces. Raises ``PlanError``
    where ``data`` is not a saved plan, is cut off, or is not written as Terraform writes it.
    """
    kind = plan_file_kind(data)
    if kind is None:
        raise PlanError(
            f"{name} is not a plan file.", hint="Make one with `terraform plan -out=FILE`."
        )
    if kind is PlanFileKind.CLOUD:
        return PlanFile(kind, hostname=_bookmark(data))
    if kind is PlanFileKind.ENCRYPTED:
        return PlanFile(kind)
    with _opened(data, name) as archive:
        if archive.getinfo("tfplan").file_size > LARGEST_PLAN:
            raise ValueError("larger than any plan")
        names = archive.namelist()
        with archive.open("tfplan") as entry:
            plan = _local(entry)
    keeps_sources = any(name.startswith(_SOURCES) for name in names)
    return msgspec.structs.replace(plan, keeps_sources=keeps_sources)


def read_snapshot(data: bytes, *, name: str = "plan file") -> tuple[SnapshotModule, ...]:
    """Read the configuration that a plan file was made of, module by module.

    Raises ``PlanError`` where it has none, or one that Terraform would not have written.
    """
    with _opened(data, name) as archive:
        return _snapshot(archive)


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    """Open the zip, and say of whatever is wrong with it that it is damaged."""
    import zipfile
    import zlib

    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            _check_plain(archive, data)
            yield archive
    # BadZipFile and what zlib says of a torn entry; no such entry; not a protocol buffer, not
    # text, not a number that fits; a method that zipfile does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, KeyError, ValueError, RuntimeError,
            struct.error, OverflowError):  # fmt: skip
        raise PlanError(
            f"{name} begins as a plan file but is cut off, damaged, or not as Terraform writes it.",
            hint="Copy it again, or plan again.",
        ) from None


def _check_plain(archive: zipfile.ZipFile, data: bytes) -> None:
    """Raise ``ValueError`` for a zip that two readers may read differently.

    Nothing stands before the first entry, between the directory and its end, or behind that; every
    name is there once, and is the same in every encoding; no entry needs the 64-bit extension.
    """
    signature, *disks, count, size, offset, comment = _END.unpack(data[-_END.size :])
    ours, theirs, here = disks
    if signature != _END_SIGNATURE or ours or theirs or here != count or comment:
        raise ValueError("not the end of a zip")
    if offset + size != len(data) - _END.size or count == 0xFFFF:
        raise ValueError("not a plain zip")
    entries = archive.infolist()
    names = {entry.filename for entry in entries}
    if not len(entries) == len(names) == count:
        raise ValueError("an entry is there twice")
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED or entry.compress_type not in (_STORED, _DEFLATED):
            raise ValueError("an entry is not readable by Terraform")
        if entry.orig_filename != entry.filename or not (
            entry.flag_bits & _UTF8 or entry.filename.isascii()
        ):
            raise ValueError("the name of an entry is ambiguous")


def _bookmark(data: bytes) -> str | None:
    try:
        document = msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    return clean(document.get("hostname")) or None if isinstance(document, dict) else None


def _local(entry: IO[bytes]) -> PlanFile:
    facts = read_fields(entry, _PLAN)
    backend, workspace = _state(facts)
    return PlanFile(
        kind=PlanFileKind.LOCAL,
        terraform_version=_string(facts.get(_TERRAFORM_VERSION)),
        backend=backend,
        workspace=workspace,
        timestamp=_string(facts.get(_TIMESTAMP)),
        errored=bool(facts.get(_ERRORED)),
    )


def _state(facts: dict[int, bytes | int]) -> tuple[Backend | None, str | None]:
    """Return where the state is kept, and its workspace. Raises ``ValueError`` for two places."""
    if _BACKEND in facts and _STATE_STORE in facts:
        raise ValueError("it is for two states")
    number = _STATE_STORE if _STATE_STORE in facts else _BACKEND
    section = facts.get(number)
    if section is None:
        return None, None
    found = read_fields(io.BytesIO(_bytes(section)), _STATE)
    kind = _string(found.get(_TYPE))
    if kind is None:
        raise ValueError("its backend has no type")
    provider = None
    if number == _STATE_STORE:
        own = read_fields(
            io.BytesIO(_bytes(found.get(_PROVIDER))),
            {_SOURCE: Kind.BYTES, _PROVIDER_CONFIG: Kind.MESSAGE},
        )
        provider = (_string(own.get(_SOURCE)) or "", _value(own.get(_PROVIDER_CONFIG)))
    backend = planned_backend(kind, _value(found.get(_CONFIG)), provider)
    return backend, _string(found.get(_WORKSPACE))


def _value(section: bytes | int | None) -> object:
    """Decode a message DynamicValue: a value in MessagePack. Raises ``ValueError``.

    Where there is none, Terraform refuses the plan: there are no settings then.
    """
    if section is None:
        return {}
    packed = read_fields(io.BytesIO(_bytes(section)), {_MSGPACK: Kind.BYTES}).get(_MSGPACK)
    try:
        return msgspec.msgpack.decode(_bytes(packed))
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("a value is not MessagePack") from None


def _bytes(value: bytes | int | None) -> bytes:
    return value if isinstance(value, bytes) else b""


def _string(value: bytes | int | None) -> str | None:
    """Return a text, on one line. Raises ``ValueError`` where it is not UTF-8."""
    return clean(_bytes(value).decode()) or None


class _Record(msgspec.Struct, frozen=True, rename="pascal", forbid_unknown_fields=True):
    """One module in ``modules.json``."""

    key: str
    dir: str
    source: str = ""
    version: str = ""


def _snapshot(archive: zipfile.ZipFile) -> tuple[SnapshotModule, ...]:
    """Read ``tfconfig/``: ``modules.json``, and ``m-KEY/FILE`` for each file of a module."""
    from tfgate.hcl.snapshot import SnapshotModule

    inside = [entry for entry in archive.infolist() if entry.filename.startswith(_SOURCES)]
    if sum(entry.file_size for entry in inside) > LARGEST_SNAPSHOT:
        raise ValueError("larger than any configuration")
    try:
        records = msgspec.json.decode(archive.read(_MANIFEST), type=list[_Record])
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("not a list of modules") from None
    files: dict[str, dict[str, bytes]] = {record.key: {} for record in records}
    if len(files) != len(records):
        raise ValueError("a module is listed twice")
    for entry in inside:
        key, slash, file = entry.filename.removeprefix(_MODULE).rpartition("/")
        if entry.filename.startswith(_MODULE) and slash:
            files[key][file] = archive.read(entry)
    return tuple(
        SnapshotModule(record.key, record.dir, record.source, files[record.key])
        for record in records
    )
