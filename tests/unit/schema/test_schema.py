"""The schema index: what goes in comes out, whatever is broken is refused in a sentence."""

# ruff: noqa: E501 - a broken document on one line is read at a glance

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import msgspec
import pytest

from tfgate.cli.main import main
from tfgate.errors import UsageError
from tfgate.schema import (
    Catalog,
    SchemaIndex,
    read_schema,
    shipped_indexes,
    user_folder,
    write_index,
)
from tfgate.schema.index import COMPUTED, OPTIONAL, REQUIRED, WRITE_ONLY
from tfgate.schema.sources import load_indexes, open_schema

if TYPE_CHECKING:
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]

NAME = "registry.terraform.io/acme/cloud"
DOCUMENT = {
    "format_version": "1.0",
    "provider_schemas": {
        NAME: {
            "provider": {"version": 0},
            "resource_schemas": {
                "cloud_disk": {
                    "version": 1,
                    "block": {
                        "attributes": {
                            "size": {"type": "number", "required": True, "description": "Long."},
                            "tags": {"type": ["map", "string"], "optional": True, "computed": True},
                            "key": {"type": "string", "optional": True, "write_only": True},
                            "rules": {"type": ["set", ["object", {"port": "number"}]]},
                            "plan": {
                                "nested_type": {
                                    "nesting_mode": "single",
                                    "attributes": {"name": {"type": "string", "required": True}},
                                },
                                "optional": True,
                            },
                        },
                        "block_types": {
                            "mount": {
                                "nesting_mode": "list",
                                "min_items": 1,
                                "max_items": 2,
                                "block": {"attributes": {"path": {"type": "string"}}},
                            }
                        },
                    },
                }
            },
            "data_source_schemas": {"cloud_disk": {"block": {"deprecated": True}}},
        }
    },
}


def index() -> SchemaIndex:
    """Index the document."""
    (provider,) = read_schema(msgspec.json.encode(DOCUMENT), versions={NAME: "2.0.0"})
    return SchemaIndex(write_index(provider))


def test_round_trip() -> None:
    """Names, types, flags and nesting survive; descriptions do not."""
    made = index()
    assert (made.provider, made.version, made.prefix) == (NAME, "2.0.0", "cloud")
    disk = made.get("cloud_disk")
    assert disk is not None
    assert disk.attributes["size"].flags == REQUIRED
    assert disk.attributes["tags"].flags == OPTIONAL | COMPUTED
    assert disk.attributes["key"].has(WRITE_ONLY)
    assert disk.attributes["rules"].type == ["set", ["object", {"port": "number"}]]
    assert disk.attributes["plan"].nested is not None
    assert disk.attributes["plan"].nested[1]["name"].flags == REQUIRED
    mount = disk.blocks["mount"]
    assert (mount.mode, mount.least, mount.most) == ("list", 1, 2)
    data = made.get("cloud_disk", data=True)
    assert data is not None
    assert data.deprecated
    assert made.get("cloud_net") is None
    assert b"Long" not in made._data


@pytest.mark.parametrize(
    "broken",
    [
        b"",
        b"{}",
        b"tfgate-schema 1\n",
        b"tfgate-schema 1\n99999999\nx",
        b"tfgate-schema 1\n00000001\nx",
    ],
)
def test_broken_indexes_are_refused(broken: bytes) -> None:
    """One sentence, never a traceback."""
    with pytest.raises(UsageError, match="not an index"):
        SchemaIndex(broken)


def test_a_spoilt_chunk_is_refused() -> None:
    """A file cut short is told when the type is asked for."""
    (provider,) = read_schema(msgspec.json.encode(DOCUMENT))
    spoilt = SchemaIndex(write_index(provider)[:-20])
    with pytest.raises(UsageError, match="not an index"):
        spoilt.get("cloud_disk", data=True)


@pytest.mark.parametrize(
    "document",
    [b"[]", b"{", b'{"provider_schemas": 3}', b'{"provider_schemas": {"a": {"resource_schemas": 1}}}',
     b'{"provider_schemas": {"a": {"resource_schemas": {"x": {"block": {"attributes": {"y": {}}}}}}}}'],
)  # fmt: skip
def test_what_is_no_schema_is_refused(document: bytes) -> None:
    """A plan, a state or half a file is told from a schema."""
    with pytest.raises(UsageError, match="providers schema -json"):
        read_schema(document)


def test_the_shipped_index_is_whole_small_and_quick() -> None:
    """Every type of AWS 5.100.0 decodes; the file is small; one type takes milliseconds."""
    (aws,) = shipped_indexes()
    assert aws.version == "5.100.0"
    assert len(aws._data) < 400_000
    assert (len(aws.types()), len(aws.types(data=True))) == (1526, 608)
    begin = time.perf_counter()
    assert aws.get("aws_instance") is not None
    assert time.perf_counter() - begin < 0.5
    for data in (False, True):
        assert all(aws.get(kind, data=data) is not None for kind in aws.types(data=data))


def test_a_catalog_finds_what_is_near() -> None:
    """Globs, providers, nearest names, a misspelt prefix."""
    catalog = Catalog([index(), *shipped_indexes()])
    assert catalog.matching(("cloud_*",)) == ["cloud_disk"]
    assert catalog.matching((), ("cloud",)) == ["cloud_disk"]
    assert catalog.nearest("aws_s3_bukket") == "aws_s3_bucket"
    assert catalog.nearest("asw_s3_bucket") == "aws_s3_bucket"
    assert catalog.nearest("google_storage_bucket") is None


def test_the_user_s_indexes_come_first(tmp_path: Path) -> None:
    """TFGATE_SCHEMAS names folders; the shipped index is behind them."""
    (provider,) = read_schema(msgspec.json.encode(DOCUMENT))
    (tmp_path / "x.tfschema").write_bytes(write_index(provider))
    found = list(load_indexes({"TFGATE_SCHEMAS": str(tmp_path)}))
    assert [made.prefix for made in found] == ["cloud", "aws"]
    assert user_folder({"TFGATE_SCHEMAS": str(tmp_path)}) == tmp_path
    assert user_folder({"XDG_DATA_HOME": "/d"}).as_posix() == "/d/tfgate/schemas"
    assert user_folder({"HOME": "/h"}).as_posix() == "/h/.local/share/tfgate/schemas"


def test_the_command_writes_where_lint_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """``tfgate schema index --from FILE`` makes an index a provider."""
    (tmp_path / "schema.json").write_bytes(msgspec.json.encode(DOCUMENT))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TFGATE_SCHEMAS", str(tmp_path / "own"))
    assert main(["schema", "index", "--from", "schema.json", "--provider-version", "2.1.0"]) == 0
    assert "resource types: 1, data sources: 1" in capsys.readouterr().out
    (made,) = open_schema(tmp_path / "own/acme-cloud-2.1.0.tfschema")
    assert made.version == "2.1.0"
    assert main(["schema", "index", "--from", "none.json"]) == 2
    assert "none.json" in capsys.readouterr().err
