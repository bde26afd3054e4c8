"""Several plans at once: one decision each, and one overall."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.plans import HEADER, change, plan_bytes, rule
from tfgate.cli.main import main
from tfgate.gate.check import find_plans

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Capture = pytest.CaptureFixture[str]

GOOD = plan_bytes(change("aws_s3_bucket.good", after={"tags": {"Owner": "me"}}))
BAD = plan_bytes(change("aws_s3_bucket.bad", after={"tags": {}}))
OPTIONS = ("-r", "rules.toml", "--audit-log", "audit.jsonl")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with a ruleset."""
    (tmp_path / "rules.toml").write_text(HEADER + rule(require="after.tags.Owner"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def piped(monkeypatch: pytest.MonkeyPatch, folder: Path, data: bytes) -> None:
    """Let standard input hold ``data``."""
    (folder / "stdin").write_bytes(data)
    monkeypatch.setattr(sys, "stdin", (folder / "stdin").open())


@pytest.fixture(autouse=True)
def _close_stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close what a test puts in the place of standard input."""
    before = sys.stdin
    yield
    if sys.stdin is not before:
        sys.stdin.close()


def records(folder: Path) -> list[tuple[str, str | None]]:
    """Return event and decision of every record."""
    lines = (folder / "audit.jsonl").read_text().splitlines()
    return [(r["event"], r.get("decision")) for r in map(json.loads, lines)]


@pytest.mark.parametrize("between", [b"", b"\n", b"\r\n", b"\n\n"])
def test_stream(
    between: bytes, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture
) -> None:
    """A stream of plans gets a decision each, on record, and ends with the worst of them."""
    piped(monkeypatch, folder, GOOD + between + BAD + between + GOOD + b"\n")
    assert main(["check", "-", *OPTIONS]) == 1
    assert records(folder) == [("decision", "allow"), ("decision", "deny"), ("decision", "allow")]
    out, err = capsys.readouterr()
    assert out.count("ALLOWED") == 2
    assert "aws_s3_bucket.bad" in out
    assert err == (
        "tfgate: 3 plans: 2 allowed, 1 denied, 0 undecided.\n"
        "tfgate: denied: standard input (plan 2 of 3)\n"
    )


def test_stream_with_what_is_no_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stream with anything else in it is not judged in part: exit code 3."""
    piped(monkeypatch, folder, GOOD + b"\n" + b'{"format_version": "1.0", "values": {}}\n' + GOOD)
    assert main(["check", "-", *OPTIONS]) == 3
    assert [event for event, _ in records(folder)] == ["decision", "undecided", "decision"]
    sys.stdin.close()
    piped(monkeypatch, folder, GOOD + b"\nrunning unit two\n" + GOOD)
    assert main(["check", "-", *OPTIONS]) == 3


def test_directory(folder: Path, capsys: Capture) -> None:
    """Every plan below a directory is judged, whatever is wrong with another."""
    for name, data in {"a": GOOD, "b/c": BAD, "d": b"{}", ".terragrunt-cache/x": BAD}.items():
        (folder / "plans" / name).mkdir(parents=True)
        (folder / "plans" / name / "tfplan.json").write_bytes(data)
    assert main(["check", "plans", *OPTIONS]) == 3
    assert records(folder) == [("decision", "allow"), ("decision", "deny"), ("undecided", None)]
    assert "tfgate: denied: plans/b/c/tfplan.json" in capsys.readouterr().err


def test_stream_in_a_directory(folder: Path) -> None:
    """A file that holds several plans where there should be one is undecided, and on record."""
    (folder / "plans").mkdir()
    (folder / "plans" / "good.json").write_bytes(GOOD)
    (folder / "plans" / "two.json").write_bytes(GOOD + b"\n" + GOOD)
    assert main(["check", "plans", *OPTIONS]) == 3
    assert records(folder) == [("decision", "allow"), ("undecided", None)]


def test_directory_without_plans(folder: Path, capsys: Capture) -> None:
    """A directory with no plan in it is a mistake, not an allow."""
    (folder / "empty").mkdir()
    assert main(["check", "empty", *OPTIONS]) == 2
    assert "There is no plan in empty" in capsys.readouterr().err


def test_reports_of_many(folder: Path, capsys: Capture) -> None:
    """A report's file gets a number for each plan; JSON may follow JSON on standard output."""
    (folder / "plans").mkdir()
    (folder / "plans" / "1.json").write_bytes(GOOD)
    (folder / "plans" / "2.json").write_bytes(BAD)
    reports = ["--report", "json", "--report", "sarif=out.sarif"]
    assert main(["check", "plans", *OPTIONS, *reports]) == 1
    assert {path.name for path in folder.glob("*.sarif")} == {"out-1.sarif", "out-2.sarif"}
    decoder, text = json.JSONDecoder(), capsys.readouterr().out
    first, end = decoder.raw_decode(text)
    second, _ = decoder.raw_decode(text[end:].lstrip())
    assert [first["decision"], second["decision"]] == ["allow", "deny"]
    assert main(["check", "plans", *OPTIONS, "--report", "html"]) == 2
    assert "The format html holds one plan" in capsys.readouterr().err


def test_which_files_are_plans(tmp_path: Path) -> None:
    """JSON is taken before the plan file it is of; configuration is no plan."""
    for name in ("tfplan.tfplan", "tfplan.json", "b.tfplan", "c.tfplan", "c.tfplan.json",
                 "main.tf.json", "x.tfvars.json", "notes.txt"):  # fmt: skip
        (tmp_path / name).write_bytes(b"")
    found = [path.name for path in find_plans(tmp_path)]
    assert found == ["b.tfplan", "c.tfplan.json", "tfplan.json"]
