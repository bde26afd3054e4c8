"""What a plan file says of itself."""

from __future__ import annotations

import contextlib
import io
import json
import struct
import warnings
import zipfile
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.protobuf import field
from tfgate.errors import PlanError
from tfgate.terraform import (
    PlanFile,
    PlanFileKind,
    plan_file_kind,
    read_plan_file,
    read_snapshot,
)
from tfgate.terraform.backend import read_backend

if TYPE_CHECKING:
    from collections.abc import Callable


def zipped(*entries: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(buffer, "w", method) as archive:
        warnings.simplefilter("ignore")  # of names that are there twice
        for name, content in entries:
            archive.writestr(name, content)
    return buffer.getvalue()


def plan_file(message: bytes, entry: str = "tfplan") -> bytes:
    return zipped((entry, message))


def config(**settings: Any) -> bytes:
    """Return a DynamicValue."""
    return field(1, msgspec.msgpack.encode(settings))


SETTINGS = {"bucket": "b", "key": "k", "secret_key": "hunter2-canary", "region": None}
BACKEND = field(1, b"s3") + field(2, config(**SETTINGS)) + field(3, b"prod")
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
        backend=read_backend({"backend": {"type": "s3", "config": SETTINGS}}),
        timestamp="2026-11-24T03:07:57Z",
        errored=True,
    )


def of(message: bytes) -> tuple[str | None, dict[str, str], str | None]:
    """Return type, identity and workspace of a plan file with this message."""
    read = read_plan_file(plan_file(message))
    if read.backend is None:
        return None, {}, read.workspace
    return read.backend.type, read.backend.identity, read.workspace


def test_repeated_fields_are_merged_as_terraform_merges_them() -> None:
    """The last text counts, and the parts of a message are one: so Terraform applies it."""
    other = field(3, b"dev") + field(2, config(bucket="dev"))
    assert of(field(13, BACKEND) + field(13, other)) == ("s3", {"bucket": "dev"}, "dev")
    assert of(field(13, other) + field(13, BACKEND)) == ("s3", {"bucket": "b", "key": "k"}, "prod")
    only_name = field(13, BACKEND) + field(13, field(3, b"dev"))
    assert of(only_name) == ("s3", {"bucket": "b", "key": "k"}, "dev")
    twice = field(1, b"s3") + field(1, b"gcs") + field(2, config(bucket="g"))
    assert of(field(13, twice)) == ("gcs", {"bucket": "g"}, None)
    # In another wire type it is another field to every reader.
    assert of(field(13, BACKEND) + field(13, 7)) == ("s3", {"bucket": "b", "key": "k"}, "prod")


def test_it_says_whether_it_keeps_the_configuration() -> None:
    """One without is none that Terraform would apply."""
    assert not read_plan_file(plan_file(MESSAGE)).keeps_sources
    assert read_plan_file(snapshot_file([ROOT_MODULE], MAIN_TF)).keeps_sources


def test_a_state_store_is_a_place_too() -> None:
    """Terraform 1.15 lets a provider keep the state."""
    provider = field(1, b"acme/store") + field(2, b"1.0.0") + field(3, config(url="https://s"))
    store = field(1, b"acme_store") + field(2, config(name="prod")) + field(3, b"w")
    read = read_plan_file(plan_file(field(29, store + field(4, provider))))
    assert read.workspace == "w"
    written = {
        "type": "acme_store",
        "config": {"name": "prod"},
        "provider": {"source": "acme/store", "version": "1.0.0", "config": {"url": "https://s"}},
        "hash": 1,
    }
    assert read.backend == read_backend({"version": 3, "state_store": written})
    assert read.backend is not None
    elsewhere = store.replace(b"prod", b"play") + field(4, provider)
    other = read_plan_file(plan_file(field(29, elsewhere)))
    assert other.backend is not None
    assert other.backend.config_sha256 != read.backend.config_sha256


@pytest.mark.parametrize(
    "message",
    [
        field(13, BACKEND) + field(29, BACKEND),
        field(13, field(3, b"prod")),
        field(13, field(1, b"s3") + field(2, b"")),
        field(13, field(1, b"s3") + field(2, field(1, b"\xc1"))),
        field(13, field(1, b"s3") + field(2, field(1, msgspec.msgpack.encode([1])))),
        field(13, field(1, b"s3") + field(2, config(x=msgspec.msgpack.Ext(0, b"")))),
        field(13, field(1, b"s3\xff") + field(2, config())),
        field(13, field(1, b"s3") + field(2, config(bucket="b" * (1 << 20)))),
        field(13, BACKEND) + field(13, field(9, bytes(1 << 20))),
        field(13, BACKEND[:-1]),
    ],
    ids=[
        "two states", "no type", "no settings", "no MessagePack", "settings are a list",
        "an unknown setting", "not UTF-8", "oversized settings", "oversized in parts", "cut off",
    ],
)  # fmt: skip
def test_a_state_that_cannot_be_told_is_refused(message: bytes) -> None:
    """It would be recorded as another one, or as none."""
    with pytest.raises(PlanError, match="not as Terraform writes it"):
        read_plan_file(plan_file(message))


GOOD = ("tfplan", MESSAGE)
OTHER = ("tfplan", field(13, field(1, b"local") + field(2, config(path="dev")) + field(3, b"dev")))


def _with_name(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda data: data.replace(old, new)


def _patched(offset: int, value: bytes) -> Callable[[bytes], bytes]:
    """Change bytes of the first entry in the central directory."""

    def patch(data: bytes) -> bytes:
        at = data.index(b"PK\x01\x02") + offset
        return data[:at] + value + data[at + len(value) :]

    return patch


@pytest.mark.parametrize(
    "data",
    [
        zipped(GOOD, OTHER),
        zipped(OTHER, GOOD),
        zipped(GOOD) + b"\x00",
        zipped(GOOD) + zipped(OTHER),
        zipped(OTHER)[:-22] + zipped(GOOD),
        zipped(GOOD)[:-2] + b"\x04\x00more",
        zipped(GOOD, method=zipfile.ZIP_BZIP2),
        _patched(8, b"\x01")(zipped(GOOD)),
        _with_name(b"tfplax", b"tfplan")(zipped(GOOD, ("tfplax", OTHER[1]))),
        _with_name(b"tfplanx", b"tfplan\x00")(zipped(GOOD, ("tfplanx", OTHER[1]))),
        _patched(24, struct.pack("<L", 3 << 30))(zipped(GOOD)),
        zipped(GOOD)[:-6] + b"\xff\xff\xff\xff\x00\x00",
    ],
    ids=[
        "twice", "twice, the other first", "something behind", "two files", "something in front",
        "a comment", "another method", "encrypted", "twice by the directory", "a name with a zero",
        "larger than any plan", "no offset",
    ],
)  # fmt: skip
def test_what_two_readers_may_read_differently_is_refused(data: bytes) -> None:
    """Terraform takes the first of two entries, Python the last: neither is believed."""
    with pytest.raises(PlanError, match="not as Terraform writes it"):
        read_plan_file(data)


def snapshot_file(manifest: Any, *files: tuple[str, bytes]) -> bytes:
    text = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return zipped(GOOD, *files, ("tfconfig/modules.json", text))


ROOT_MODULE = {"Key": "", "Dir": "."}
MAIN_TF = ("tfconfig/m-/main.tf", b"# main")


def test_the_configuration_is_read_module_by_module() -> None:
    """With the directory and the source of each, as init found them."""
    called = {"Key": "a.b", "Source": "./b", "Version": "1.0.0", "Dir": "modules/b"}
    data = snapshot_file([ROOT_MODULE, called], MAIN_TF, ("tfconfig/m-a.b/x.tf", b"# x"))
    root, module = read_snapshot(data)
    assert (root.key, root.directory, root.files) == ("", ".", {"main.tf": b"# main"})
    assert (module.key, module.directory, module.source) == ("a.b", "modules/b", "./b")
    assert module.files == {"x.tf": b"# x"}


@pytest.mark.parametrize(
    "data",
    [
        zipped(GOOD),
        zipped(GOOD, MAIN_TF),
        snapshot_file(b"[", MAIN_TF),
        snapshot_file({}, MAIN_TF),
        snapshot_file([ROOT_MODULE, ROOT_MODULE], MAIN_TF),
        snapshot_file([{**ROOT_MODULE, "dir": "elsewhere"}], MAIN_TF),
        snapshot_file([ROOT_MODULE], MAIN_TF, MAIN_TF),
        snapshot_file([ROOT_MODULE], MAIN_TF, ("tfconfig/m-x/main.tf", b"")),
    ],
    ids=[
        "none", "no list of modules", "no JSON", "no list", "a module twice", "a key twice",
        "a file twice", "a module that is not listed",
    ],
)  # fmt: skip
def test_a_configuration_that_terraform_would_not_keep_is_refused(data: bytes) -> None:
    """Comments in it would waive, and nobody could say of which plan."""
    with pytest.raises(PlanError, match="not as Terraform writes it"):
        read_snapshot(data)


def test_a_configuration_that_unpacks_without_end_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By its size, unread."""
    monkeypatch.setattr("tfgate.terraform.planfile.LARGEST_SNAPSHOT", 100_000)
    data = snapshot_file([ROOT_MODULE], ("tfconfig/m-/main.tf", b" " * 200_000))
    with pytest.raises(PlanError, match="not as Terraform writes it"):
        read_snapshot(data)


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
