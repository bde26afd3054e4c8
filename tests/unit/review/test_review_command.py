"""``tfgate review``: what it prints, writes and opens, and that it records nothing."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.plans import HEADER, change, plan_bytes, rule
from tfgate.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Sequence

    Capture = pytest.CaptureFixture[str]

GOOD = change("aws_s3_bucket.good", after={"tags": {"Owner": "me"}})
BAD = change('module.a["x"].aws_s3_bucket.bad', after={"tags": {}})
GONE = change("aws_instance.gone", ["delete"], before={"id": "i-1"})


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with plans and a ruleset."""
    (tmp_path / "good.json").write_bytes(plan_bytes(GOOD))
    (tmp_path / "bad.json").write_bytes(plan_bytes(GOOD, BAD, GONE))
    (tmp_path / "rules.toml").write_text(HEADER + rule(require="after.tags.Owner"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "90")
    return tmp_path


def review(plan: str, *more: str) -> int:
    """Run ``tfgate review`` with the test's ruleset."""
    return main(["review", plan, "-r", "rules.toml", *more])


def named(out: str) -> list[str]:
    """Return the addresses of the changes that were shown."""
    return re.findall(r"^\S+ +(?:create|destroy)  (\S+)", out, re.MULTILINE)


def test_the_verdict_is_the_exit_code(folder: Path, capsys: Capture) -> None:
    """As with ``check``, so that no script takes a review for an approval."""
    assert review("good.json") == 0
    assert capsys.readouterr().out.startswith("ALLOWED")
    assert review("bad.json") == 1
    assert capsys.readouterr().out.startswith("DENIED")
    (folder / "empty.json").write_bytes(plan_bytes())
    assert review("empty.json") == 3


def test_nothing_is_recorded(folder: Path) -> None:
    """Neither in the trail that the configuration names, nor anywhere else."""
    (folder / "tfgate.toml").write_text('[audit]\nlog = "audit.jsonl"\n')
    before = sorted(folder.rglob("*"))
    review("bad.json")
    assert sorted(folder.rglob("*")) == before
    assert list(Path.home().rglob("*.jsonl")) == []


@pytest.mark.parametrize(
    ("filters", "addresses"),
    [
        ([], ["aws_instance.gone", "aws_s3_bucket.good", 'module.a["x"].aws_s3_bucket.bad']),
        (["--action", "delete"], ["aws_instance.gone"]),
        (["--action", "delete", "--action", "create", "--module", "root"],
         ["aws_instance.gone", "aws_s3_bucket.good"]),
        (["--address", 'module.a["x"].*'], ['module.a["x"].aws_s3_bucket.bad']),
        (["--type", "aws_inst*"], ["aws_instance.gone"]),
        (["--findings-only"], ['module.a["x"].aws_s3_bucket.bad']),
    ],
)  # fmt: skip
def test_filters(
    filters: Sequence[str], addresses: list[str], folder: Path, capsys: Capture
) -> None:
    """A filter hides changes; the verdict stays that of the whole plan."""
    assert review("bad.json", *filters) == 1
    out = capsys.readouterr().out
    assert named(out) == addresses
    assert ("Shown: " in out) is bool(filters) or "filter" in out


def test_full_shows_what_is_destroyed(folder: Path, capsys: Capture) -> None:
    """Without it only how much there was."""
    review("bad.json")
    assert "1 attribute (shown with --full)" in capsys.readouterr().out
    review("bad.json", "--full")
    assert '- id  "i-1"' in capsys.readouterr().out


def test_html_to_a_file_and_to_standard_output(folder: Path, capsys: Capture) -> None:
    """The page instead of the text; standard error says where it is."""
    assert review("bad.json", "--html", "page.html") == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert str(folder / "page.html") in captured.err
    page = (folder / "page.html").read_text(encoding="utf-8")
    assert review("bad.json", "--html", "-") == 1
    made = re.compile("<dt>Made</dt><dd>[^<]*</dd>")
    assert made.sub("", capsys.readouterr().out) == made.sub("", page)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--html", "no/such/place.html"], 3, "no/such/place.html"),
        (["--html", "-", "--open"], 2, "no browser can open"),
        (["--action", "destroy"], 2, "destroy"),
    ],
)
def test_errors(
    arguments: Sequence[str], code: int, said: str, folder: Path, capsys: Capture
) -> None:
    """One sentence that names what is wrong."""
    assert review("bad.json", *arguments) == code
    assert said in capsys.readouterr().err


def test_open_writes_a_private_file_and_shows_it(folder: Path, tmp_path: Path) -> None:
    """The browser that the user names is given the address of a file nobody else can read."""
    browser = tmp_path / "browser"
    browser.write_text('#!/bin/sh\nprintf %s "$1" > opened\n')
    browser.chmod(0o755)
    private = tmp_path / "private"
    private.mkdir()
    done = subprocess.run(
        [sys.executable, "-m", "tfgate", "review", "good.json", "-r", "rules.toml", "--open"],
        env={**os.environ, "BROWSER": str(browser), "TMPDIR": str(private)},
        capture_output=True, text=True, cwd=folder, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")
    (page,) = private.iterdir()
    assert stat.S_IMODE(page.stat().st_mode) == 0o600
    assert (folder / "opened").read_text() == page.as_uri()
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert str(page) in done.stderr


def test_help_has_an_example(capsys: Capture) -> None:
    """As every command's."""
    assert main(["review", "--help"]) == 0
    assert "Example: " in capsys.readouterr().out
