"""What a plan file says of itself."""

from __future__ import annotations

import contextlib
import io
import json
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tfgate.errors import PlanError
from tfgate.terraform import PlanFile, PlanFileKind, is_plan_file, plan_file_kind, read_plan_file


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def field(number: int, value: bytes | int) -> bytes:
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def plan_file(message: bytes, entry: str = "tfplan") -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(entry, message)
    return buffer.getvalue()


BACKEND = field(1, b"s3") + field(2, b"secret" * 10) + field(3, b"prod")
MESSAGE = (
    field(1, 3)
    + field(3, b"x" * 300_000)
    + field(13, BACKEND)
    + field(14, b"1.11.4")
    + field(20, 1)
    + field(21, b"2026-11-24T03:07:57Z")
)


def test_version_workspace_and_backend_are_read() -> None:
    """The fields that tell one plan from another are read, past large ones."""
    assert read_plan_file(plan_file(MESSAGE)) == PlanFile(
        kind=PlanFileKind.LOCAL,
        terraform_version="1.11.4",
        workspace="prod",
        backend="s3",
        timestamp="2026-11-24T03:07:57Z",
        errored=True,
    )


def test_a_plan_with_none_of_them_is_still_one() -> None:
    """Fields may be missing: an older or newer Terraform wrote it."""
    assert read_plan_file(plan_file(b"")) == PlanFile(kind=PlanFileKind.LOCAL)


ENVELOPE = {"meta": {"key_provider.pbkdf2.k": "e30="}, "encrypted_data": "AAAA"}
BOOKMARK = {"remote_plan_format": 1, "run_id": "run-1", "hostname": "app.terraform.io"}


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (plan_file(b""), PlanFileKind.LOCAL),
        (json.dumps(ENVELOPE).encode(), PlanFileKind.ENCRYPTED),
        (json.dumps({**ENVELOPE, "encryption_version": "v0"}).encode(), PlanFileKind.ENCRYPTED),
        (json.dumps(BOOKMARK).encode(), PlanFileKind.CLOUD),
        (b'{"format_version":"1.2","planned_values":{}}', None),
        (b"resource {}", None),
        (b"", None),
    ],
)
def test_kinds_are_told_apart(data: bytes, kind: PlanFileKind | None) -> None:
    """Local, encrypted and cloud plans are saved plans; plan JSON and HCL are not."""
    assert plan_file_kind(data) is kind
    assert is_plan_file(data) is (kind is PlanFileKind.LOCAL)
    if kind is not None:
        assert read_plan_file(data).kind is kind


@pytest.mark.parametrize(
    "data",
    [
        plan_file(MESSAGE)[:-200],
        plan_file(MESSAGE)[:40],
        plan_file(b"", entry="other"),
        plan_file(b"\xff" * 20),
        plan_file(field(14, b"1.11.4")[:-2]),
        plan_file(b"\x0b"),
        plan_file(MESSAGE)[:60] + b"\xff" * 20 + plan_file(MESSAGE)[80:],
    ],
    ids=["cut", "head", "other entry", "no fields", "cut field", "group", "overwritten"],
)
def test_a_damaged_plan_file_is_refused(data: bytes) -> None:
    """Cut off or changed, it gets one sentence that names the file."""
    with pytest.raises(PlanError, match=r"^p\.tfplan begins as a plan file but is cut off"):
        read_plan_file(data, name="p.tfplan")


def test_anything_else_is_refused() -> None:
    """A file that is no plan says how to make one."""
    with pytest.raises(PlanError, match=r"^x is not a plan file\. Make one with"):
        read_plan_file(b"resource {}", name="x")


@settings(max_examples=150)
@given(data=st.binary(max_size=300), raw=st.booleans())
def test_no_bytes_give_a_traceback(data: bytes, raw: bool) -> None:
    """Any zip and any message is read or refused."""
    with contextlib.suppress(PlanError):
        read_plan_file(b"PK\x03\x04" + data if raw else plan_file(data))


def test_a_bomb_costs_no_memory() -> None:
    """An entry that unpacks to far more than it is worth is walked in pieces."""
    import tracemalloc

    data = plan_file(field(3, bytes(64 << 20)) + field(14, b"1.11.4"))
    tracemalloc.start()
    try:
        assert read_plan_file(data).terraform_version == "1.11.4"
        assert tracemalloc.get_traced_memory()[1] < 4 << 20
    finally:
        tracemalloc.stop()
