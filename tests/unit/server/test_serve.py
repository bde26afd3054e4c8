"""``tfgate serve`` before anything is served."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_extra_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Without the extra, the command says what to install, and nothing else."""
    monkeypatch.setattr("tfgate.server.command.PACKAGES", ("no_such_package_at_all",))
    assert main(["serve", "--config", "x"]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "pip install 'tfgate[server]'" in said


def test_no_other_command_imports_the_server() -> None:
    """The server's packages are for ``serve`` alone."""
    code = (
        "import sys; from tfgate.cli.main import main; main(['serve', '--help']); "
        "print([n for n in sys.modules if n.partition('.')[0] in "
        "('dbos', 'starlette', 'httpx', 'uvicorn', 'sqlalchemy', 'cryptography')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.endswith("[]\n")


def test_check_reads_everything_and_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """``--check`` loads the rulesets, and says every mistake."""
    pytest.importorskip("dbos", reason="This test needs tfgate[server].")
    (tmp_path / "tfgate.toml").write_text('[gate]\nrulesets = ["tfgate:core"]\n')
    file = tmp_path / "server.toml"
    file.write_text('[[policy]]\nconfig = "tfgate.toml"\n')
    assert main(["serve", "--check", "--config", str(file)]) == 0
    file.write_text('[[policy]]\nconfig = "tfgate.toml"\nrulesets = ["tfgate:nope"]\n')
    assert main(["serve", "--check", "--config", str(file)]) == 2
    assert "nope" in capsys.readouterr().err
    (tmp_path / "acme.toml").write_text(
        '[ruleset]\nid = "acme"\nversion = "1.0.0"\ntitle = "Acme"\nowners = ["a@acme.example"]\n'
        '[[rules]]\nid = "ACME-1"\ntitle = "T"\nseverity = "low"\nenforcement = "advisory"\n'
        'message = "M"\nmatch.types = ["aws_db_instance"]\ndeny = "after.storage_encryptd"\n'
    )
    file.write_text('[[policy]]\nconfig = "tfgate.toml"\nrulesets = ["./acme.toml"]\n')
    assert main(["serve", "--check", "--config", str(file)]) == 2
    assert "ACME-1 is alike on every plan" in capsys.readouterr().err
