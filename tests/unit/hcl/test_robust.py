"""Sources that somebody else controls: each bad input has a sentence, none hangs or escapes."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from tfgate.hcl.files import Limits
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.source_blocks import blocks
from tfgate.hcl.waivers import comment_waivers

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.hcl.conftest import Write

posix = pytest.mark.skipif(sys.platform == "win32", reason="links and FIFOs of POSIX systems")


def told(index: SourceIndex) -> list[str]:
    list(index.modules())
    return [f"{one.file}:{one.line}: {one.message}" for one in index.problems]


def test_a_directory_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    """It is said once, and nothing raises."""
    index = SourceIndex.build(tmp_path / "gone")
    assert index.locate("x.y") is None
    assert not index.complete
    assert [message.rsplit("(", 1)[0] for message in told(index)] == [
        ".:None: the module's directory cannot be read "
    ]


@posix
def test_what_may_not_be_read_is_a_problem(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without permission does not hide the others."""
    write({"a.tf": 'resource "x" "y" {}\n', "b.tf": "locals {}\n"})
    real = os.open

    def refusing(path: object, *rest: int, **more: object) -> int:
        if str(path).endswith("b.tf"):
            raise PermissionError(13, "Permission denied")
        return real(path, *rest, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", refusing)
    index = SourceIndex.build(tmp_path / "root")
    assert str(index.locate("x.y")) == "a.tf:1"
    assert told(index) == ["b.tf:None: the file cannot be read (permission denied)"]
    assert not index.complete


@posix
def test_a_loop_of_links_ends(tmp_path: Path, write: Write) -> None:
    """As a file, and as the directory of a module."""
    root = tmp_path / "root"
    write({"main.tf": 'module "a" {\n  source = "./a"\n}\n'})
    (root / "loop.tf").symlink_to("loop.tf")
    (root / "a").symlink_to("b")
    (root / "b").symlink_to("a")
    index = SourceIndex.build(root)
    assert index.locate("module.a.x.y") is not None
    assert [message.split(" (")[0] for message in told(index)] == [
        "loop.tf:None: the file cannot be read",
        "main.tf:1: the source of module.a is not at hand: run terraform init",
    ]


@posix
def test_a_directory_that_links_to_itself_is_no_module_of_itself(
    tmp_path: Path, write: Write
) -> None:
    """The walk ends where a module would contain itself, or at the stated depth."""
    root = tmp_path / "root"
    write({"main.tf": 'module "a" {\n  source = "./a"\n}\n'})
    (root / "a").symlink_to(".")
    index = SourceIndex.build(root, limits=Limits(depth=5))
    assert len(list(index.modules())) <= 6
    assert not index.complete


@posix
def test_links_are_followed_inside_the_repository_alone(tmp_path: Path, write: Write) -> None:
    """The boundary is the nearest directory with ``.git``, or the root."""
    root = tmp_path / "root"
    (tmp_path / "shared.tf").write_text('resource "x" "shared" {}\n')
    write({"main.tf": 'resource "x" "y" {}\n'})
    (root / "linked.tf").symlink_to("../shared.tf")
    outside = SourceIndex.build(root)
    assert outside.locate("x.shared") is None
    assert told(outside) == [
        "linked.tf:None: a symbolic link leads out of the repository: not read"
    ]
    (tmp_path / ".git").mkdir()
    inside = SourceIndex.build(root)
    assert str(inside.locate("x.shared")) == "linked.tf:1"
    assert inside.complete


@posix
def test_a_module_directory_that_links_out_is_not_read(tmp_path: Path, write: Write) -> None:
    """A path with ``..`` is read, since the reviewer sees it; a link that hides one is not."""
    root = tmp_path / "root"
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "main.tf").write_text('resource "x" "y" {}\n')
    write(
        {
            "main.tf": 'module "a" {\n  source = "../beside"\n}\n'
            'module "b" {\n  source = "./link"\n}\n'
        }
    )
    (root / "link").symlink_to("../beside")
    index = SourceIndex.build(root)
    assert index.locate("module.a.x.y").chain() == "main.tf:1 → ../beside/main.tf:1"  # type: ignore[union-attr]
    assert str(index.locate("module.b.x.y")) == "main.tf:4"
    assert told(index) == ["link:None: a symbolic link leads out of the repository: not read"]


@posix
def test_a_fifo_never_blocks(tmp_path: Path, write: Write) -> None:
    """Only regular files are opened."""
    write({"main.tf": 'resource "x" "y" {}\n'})
    os.mkfifo(tmp_path / "root" / "pipe.tf")
    (tmp_path / "root" / "device.tf").symlink_to("/dev/zero")
    (tmp_path / "root" / "folder.tf").mkdir()
    index = SourceIndex.build(tmp_path / "root")
    assert str(index.locate("x.y")) == "main.tf:1"
    assert told(index) == [
        "device.tf:None: a symbolic link leads out of the repository: not read",
        "folder.tf:None: not a regular file: not read",
        "pipe.tf:None: not a regular file: not read",
    ]


def test_a_file_over_the_limit_is_not_read(tmp_path: Path, write: Write) -> None:
    """The others are."""
    write({"a.tf": 'resource "x" "y" {}\n', "b.tf": "#" * 100})
    index = SourceIndex.build(tmp_path / "root", limits=Limits(file_bytes=50))
    assert str(index.locate("x.y")) == "a.tf:1"
    assert told(index) == ["b.tf:None: larger than 50 bytes: not read"]


def test_more_files_than_the_limit_are_not_read(tmp_path: Path, write: Write) -> None:
    """And the module is not whole."""
    write({f"{number}.tf": "" for number in range(5)})
    index = SourceIndex.build(tmp_path / "root", limits=Limits(files=3))
    assert told(index) == [".:None: more than 3 files: the rest is not read"]
    assert not index.complete


def test_more_modules_than_the_limit_are_not_read(tmp_path: Path, write: Write) -> None:
    """Two calls a level make a thousand modules of ten directories."""
    files = {
        f"m{level}/main.tf": f'module "a" {{\n  source = "../m{level + 1}"\n}}\n'
        f'module "b" {{\n  source = "../m{level + 1}"\n}}\n'
        for level in range(10)
    }
    files["main.tf"] = 'module "a" {\n  source = "./m0"\n}\n'
    files["m10/main.tf"] = ""
    write(files)
    index = SourceIndex.build(tmp_path / "root", limits=Limits(modules=100))
    assert len(list(index.modules())) == 100
    assert not index.complete
    assert told(index) == [".:None: more than 100 modules: the rest is not read"]


def test_invalid_utf8_is_told_with_its_line(write: Write) -> None:
    """And the other files are read."""
    index = write({"a.tf": b"# ok\n# \xff\n", "b.tf": 'resource "x" "y" {}\n'})
    assert str(index.locate("x.y")) == "b.tf:1"
    assert told(index) == ["a.tf:2: not valid UTF-8: not read"]


def test_a_byte_order_mark_and_crlf_change_no_line(write: Write) -> None:
    """As Terraform counts them."""
    text = b'\xef\xbb\xbf# x\r\nresource "x" "y" {\r\n  a = <<E\r\nb\r\nE\r\n  c = "d"\r\n}\r\n'
    index = write({"main.tf": text})
    assert str(index.locate("x.y")) == "main.tf:2"
    assert str(index.locate("x.y", "c")) == "main.tf:6"
    (block,) = blocks(index)
    assert block.value["c"] == "d"
    assert index.complete


def test_a_file_that_is_torn_keeps_what_stands_before(write: Write) -> None:
    """One sentence with the line; its waivers count no more than they can be placed."""
    index = write({"main.tf": 'resource "x" "y" {}\nresource "x" "z" {\n  a = "\n}\n'})
    assert str(index.locate("x.y")) == "main.tf:1"
    assert index.declares("x.z") is None
    assert told(index) == [
        "main.tf:3: a string is not closed on its line: the file is not read from here on"
    ]
    assert comment_waivers(index) == ([], [])


@pytest.mark.parametrize(
    "manifest",
    [
        "",
        "[]",
        "{",
        '{"Modules": 3}',
        '{"Modules": [{"Key": 3}]}',
        '{"Modules": [{"Key": "a"}]}',
        '{"Modules": ' + "[" * 100_000,
        b"\xff",
    ],
)
def test_a_manifest_that_is_none_is_a_problem(write: Write, manifest: str | bytes) -> None:
    """Local modules are found by their paths all the same."""
    index = write(
        {
            "main.tf": 'module "a" {\n  source = "./a"\n}\n',
            "a/main.tf": 'resource "x" "y" {}\n',
            ".terraform/modules/modules.json": manifest,
        }
    )
    assert str(index.locate("module.a.x.y")) == "a/main.tf:1"
    assert told(index) == [
        ".terraform/modules/modules.json:None: not a module manifest: run terraform init again"
    ]


@pytest.mark.parametrize(
    "directory", ["/etc", "../../elsewhere", "C:\\elsewhere", "..\\..\\elsewhere", "a\x00b", ""]
)
def test_a_manifest_cannot_lead_elsewhere(tmp_path: Path, write: Write, directory: str) -> None:
    """A directory outside of the repository must be what the call's own source says."""
    (tmp_path.parent / "elsewhere").mkdir(exist_ok=True)
    (tmp_path.parent / "elsewhere" / "x.tf").write_text('resource "x" "y" {}\n')
    entry = {"Key": "a", "Source": "registry.example/a/b/c", "Dir": directory}
    index = write(
        {
            "main.tf": 'module "a" {\n  source = "a/b/c"\n}\n',
            ".terraform/modules/modules.json": json.dumps({"Modules": [entry]}),
        }
    )
    assert str(index.locate("module.a.x.y")) == "main.tf:1"
    assert not index.complete


def test_a_module_that_is_gone_is_told_at_its_call(write: Write) -> None:
    """What is in it is located at the call."""
    index = write({"main.tf": '\nmodule "a" {\n  source = "hashicorp/a/b"\n}\n'})
    assert str(index.locate("module.a.module.b.x.y")) == "main.tf:2"
    assert told(index) == ["main.tf:2: the source of module.a is not at hand: run terraform init"]


def test_hidden_and_backup_files_are_no_configuration(write: Write) -> None:
    """Terraform leaves them out, and so does the index."""
    index = write({".a.tf": "{", "#b.tf#": "{", "c.tf~": "{", "d.tf.bak": "{", "e.tfvars": "{"})
    assert index.complete
    assert told(index) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[",
        "{",
        '{"resource": 3}',
        '{"resource": {"x": {"y": 3}}}',
        "{}x",
        '{"a": }',
        "[" * 9999,
    ],
)
def test_json_that_is_none_is_torn_and_harmless(write: Write, text: str) -> None:
    """Wrong shapes declare nothing."""
    index = write({"main.tf.json": text, "b.tf": 'resource "x" "y" {}\n'})
    assert str(index.locate("x.y")) == "b.tf:1"
    assert [one.kind for one in blocks(index) if one.error is None] == ["resource"]
