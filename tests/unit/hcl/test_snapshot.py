"""The configuration that a plan file keeps: nothing of the disk has a say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tfgate.hcl.files import Limits
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.snapshot import SnapshotModule
from tfgate.hcl.waivers import comment_waivers

if TYPE_CHECKING:
    from pathlib import Path

WAIVE = b'# tfgate:waive R-1 reason="a test" expires=2999-01-31 owner=me\n'
BLOCK = b'resource "x" "y" {\n}\n'
CALL = b'module "m" {\n  source = "%b"\n}\n'


def module(key: str, directory: str, source: str = "", **files: bytes) -> SnapshotModule:
    named = {f"{name}.tf": content for name, content in files.items()}
    return SnapshotModule(key, directory, source, named)


def test_places_are_those_below_the_root(tmp_path: Path) -> None:
    """Files that are on the disk are not looked at, nor need there be any."""
    (tmp_path / "main.tf").write_bytes(b"\n\n" + BLOCK)
    (tmp_path / "more.tf").write_bytes(BLOCK.replace(b"y", b"z"))
    called = CALL % b"./modules/m"
    index = SourceIndex.of_plan(
        tmp_path,
        [
            module("", ".", main=BLOCK + called),
            module("m", "modules/m", "./modules/m", a=b"\n" + BLOCK, b=WAIVE + BLOCK),
        ],
    )
    assert str(index.locate("x.y")) == "main.tf:1"
    place = index.locate("module.m.x.y")
    assert place is not None
    assert (place.file, place.line) == ("modules/m/a.tf", 2)
    assert index.declares("x.z") is False
    assert index.complete
    assert index.problems == ()
    waivers, problems = comment_waivers(index)
    assert [(one.address, one.source.split(" ")[0]) for one in waivers] == [
        ("module.m.x.y", "modules/m/b.tf:1")
    ]
    assert problems == []


@pytest.mark.parametrize(
    ("written", "listed"),
    [("acme/m/aws", "acme/m/aws"), ("acme/m/aws", "./m"), ("git::https://x/m", "./m")],
)
def test_a_module_from_elsewhere_waives_nothing(tmp_path: Path, written: str, listed: str) -> None:
    """By what the call says, whatever the list of modules makes of it."""
    index = SourceIndex.of_plan(
        tmp_path,
        [module("", ".", main=CALL % written.encode()), module("m", "m", listed, a=WAIVE + BLOCK)],
    )
    waivers, problems = comment_waivers(index)
    assert waivers == []
    assert [str(problem.kind) for problem in problems] == ["downloaded"]


def test_what_is_inside_of_a_module_from_elsewhere_is_from_elsewhere(tmp_path: Path) -> None:
    """Its own modules have paths for sources."""
    inner = CALL.replace(b'"m"', b'"n"') % b"./n"
    index = SourceIndex.of_plan(
        tmp_path,
        [
            module("", ".", main=CALL % b"acme/m/aws"),
            module("m", ".terraform/modules/m", "acme/m/aws", a=inner),
            module("m.n", ".terraform/modules/m/n", "./n", a=WAIVE + BLOCK),
        ],
    )
    assert comment_waivers(index)[0] == []


def test_two_calls_of_one_directory_are_one_file(tmp_path: Path) -> None:
    """A comment there is a waiver for each."""
    calls = CALL % b"./m" + CALL.replace(b'"m"', b'"n"') % b"./m"
    shared = WAIVE + BLOCK
    index = SourceIndex.of_plan(
        tmp_path,
        [module("", ".", main=calls), module("m", "m", "./m", a=shared),
         module("n", "m", "./m", a=shared)],
    )  # fmt: skip
    waivers, _ = comment_waivers(index)
    assert sorted(one.address for one in waivers) == ["module.m.x.y", "module.n.x.y"]
    with pytest.raises(ValueError, match="a directory has two contents"):
        SourceIndex.of_plan(
            tmp_path, [module("m", "m", "./m", a=shared), module("n", "./m", "./m", a=BLOCK)]
        )


def test_a_module_that_is_not_kept_is_missing(tmp_path: Path) -> None:
    """It is not looked for on the disk."""
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "main.tf").write_bytes(BLOCK)
    index = SourceIndex.of_plan(tmp_path, [module("", ".", main=CALL % b"./m")])
    assert index.module(("m",)) is None
    assert not index.complete


def test_files_have_their_bounds(tmp_path: Path) -> None:
    """As on the disk: what is too large, or one too many, is a problem."""
    modules = [module("", ".", a=BLOCK, b=BLOCK * 10, c=BLOCK)]
    index = SourceIndex.of_plan(tmp_path, modules, limits=Limits(file_bytes=30, files=2))
    assert [file.name for file in next(index.modules()).source.files] == ["a.tf"]
    assert not index.complete
    assert len(index.problems) == 2
