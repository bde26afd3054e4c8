"""Long hostile sources are read at the pace of ordinary ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fuzzing.limits import bounded_time
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.source_blocks import blocks
from tfgate.hcl.waivers import MOST, comment_waivers

if TYPE_CHECKING:
    from pathlib import Path

LENGTH = 200_000
OFTEN = 3_000
WAIVER = "# tfgate:waive S-1 expires=2099-01-01 owner=a reason=x\n"
BLOCK = 'resource "a" "b" {}\n'
SOURCES = {
    "comments above a block": "#\n" * (LENGTH // 2) + BLOCK,
    "comments of a block above a block": "/**/\n" * (LENGTH // 5) + BLOCK,
    "an empty comment": "/*" + "\n" * LENGTH + "*/\n" + BLOCK,
    "a comment with stars": "/*" + "\n *" * (LENGTH // 3) + "*/\n" + BLOCK,
    "waivers": WAIVER * (LENGTH // len(WAIVER)) + BLOCK,
}


@pytest.mark.parametrize("name", SOURCES)
def test_comments(name: str, tmp_path: Path) -> None:
    """Comments find their blocks, and blocks their comments, in one walk."""
    (tmp_path / "main.tf").write_text(WAIVER + SOURCES[name])
    with bounded_time(10):
        waivers, _ = comment_waivers(SourceIndex.build(tmp_path))
    assert {waiver.rule for waiver in waivers} == {"S-1"}


def test_many_calls_of_modules(tmp_path: Path) -> None:
    """Modules that call thousands of modules are not all made before the limit says stop."""
    calls = "".join(f'module "m{number}" {{\n  source = "./inner"\n}}\n' for number in range(3000))
    (tmp_path / "inner" / "inner").mkdir(parents=True)
    for folder in (tmp_path, tmp_path / "inner", tmp_path / "inner" / "inner"):
        (folder / "main.tf").write_text(calls)
    index = SourceIndex.build(tmp_path)
    with bounded_time(20):
        assert len(list(index.modules())) == 5000
    assert not index.complete


def many_blocks_called_often(folder: Path, header: str = "") -> None:
    """Write a module of thousands of blocks, and thousands of calls of it."""
    block = '{header}resource "aws_x" "b{number}" {{\n  password = "hunter2hunter2"\n}}\n'
    call = 'module "m{number}" {{\n  source = "./inner"\n}}\n'
    (folder / "inner").mkdir()
    calls = "".join(call.format(number=number) for number in range(OFTEN))
    (folder / "main.tf").write_text(calls)
    blocks = "".join(block.format(header=header, number=number) for number in range(OFTEN))
    (folder / "inner" / "main.tf").write_text(blocks)


def test_many_blocks_of_a_module_that_is_called_often(tmp_path: Path) -> None:
    """A block's address in each module is written for those who ask, not for each block."""
    many_blocks_called_often(tmp_path)
    index = SourceIndex.build(tmp_path)
    list(index.modules())
    with bounded_time(4):  # parsing is most of it; the addresses of each took 12 beside
        found = list(blocks(index, kinds=["resource"], types=["aws_x"]))
        passed = [block for block in found if block.address.startswith("module.m0.")]
    assert len(passed) == OFTEN
    assert len(found[7].addresses) == len(found[7].modules) == OFTEN
    assert list(found[7].addresses[-2:]) == [
        f"module.m{n}.aws_x.b7" for n in (OFTEN - 2, OFTEN - 1)
    ]
    assert found[7].modules[-1] == f"module.m{OFTEN - 1}"


def test_many_waivers_in_a_module_that_is_called_often(tmp_path: Path) -> None:
    """Comments that would make millions of waivers make none, and one of them says so."""
    many_blocks_called_often(tmp_path, header=WAIVER)
    with bounded_time(5):
        waivers, problems = comment_waivers(SourceIndex.build(tmp_path))
    assert len(waivers) == MOST // OFTEN * OFTEN
    (problem,) = problems
    assert "more than 50,000 waivers" in problem.message
    assert problem.location.line == 1 + MOST // OFTEN * 4
