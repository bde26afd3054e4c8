"""``tfgate audit report``, ``export`` and ``sql``: what is handed to an auditor."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import subprocess
import sys
import tarfile
import zipfile
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.audit_gate import LEGACY, OWNED, PUBLIC, AuditGate, hostile
from tests.support.decisions import HOSTILE
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AuditGate:
    """A gate that has lived for a while."""
    monkeypatch.chdir(tmp_path)
    made = AuditGate(tmp_path)
    made.live()
    return made


def run(capsys: Capture, *arguments: str) -> str:
    """Run ``tfgate audit``; give what it prints."""
    capsys.readouterr()
    assert main(["audit", *arguments]) == 0, capsys.readouterr().err
    return capsys.readouterr().out


def report(capsys: Capture, *arguments: str) -> dict[str, Any]:
    """Return a report as JSON."""
    made: dict[str, Any] = json.loads(run(capsys, "report", "--format", "json", *arguments))
    return made


def figures(made: dict[str, Any]) -> dict[str, int]:
    """Return the figures of a report by name."""
    return {figure["name"]: figure["value"] for figure in made["figures"]}


class Page(HTMLParser):
    """Collects anchors, links to them, tags and text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.links: set[str] = set()
        self.tags: set[str] = set()
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.add(tag)
        for name, value in attrs:
            assert not name.startswith("on")
            if name == "id":
                self.ids.append(str(value))
            elif name == "href" and str(value).startswith("#"):
                self.links.add(str(value)[1:])

    def handle_data(self, data: str) -> None:
        """Keep text."""
        self.text += data


def test_figures_and_the_records_behind_them(gate: AuditGate, capsys: Capture) -> None:
    """Every number is as large as its list of records, and each of them is in the trail."""
    made = report(capsys)
    assert figures(made) == {
        "let through by breaking the glass": 0,
        "decisions": 6,
        "allowed": 4,
        "denied": 2,
        "could not be decided": 0,
        "applied": 1,
        "applies that failed": 1,
        "applies without a recorded end": 1,
        "operators who were not proven": 6,
        "applies by somebody who was not proven": 3,
        "applies where two duties were one person's": 3,
        "waivers used": 1,
        "overrides used": 1,
        "changes of rules": 3,
        "changes of rules that nobody else approved": 1,
    }
    hashes = {record["seq"]: record["hash"] for record in gate.records()}
    for figure in made["figures"]:
        if not figure["name"].startswith("changes"):
            assert len(figure["refs"]) == figure["value"], figure["name"]
        for ref in figure["refs"]:
            assert hashes[ref["seq"]] == ref["hash"]


def test_exceptions_have_owner_approver_age_and_use(gate: AuditGate, capsys: Capture) -> None:
    """A waiver by its owner, an override by who signed it, what ends first at the head."""
    made = report(capsys)
    override, waiver = made["exceptions"]
    assert (override["kind"], override["approvers"]) == ("override", ["dora@acme.example"])
    assert (override["rules"], override["owner"]) == (["A-PUBLIC"], "carl@acme.example")
    assert override["reason"] == "a site is public"
    assert (waiver["owner"], waiver["ticket"], waiver["state"]) == (
        "team-web@acme.example", "WEB-17", "holds")  # fmt: skip
    assert (waiver["used"], waiver["expires"]) == (1, "2099-03-31")
    (unused,) = made["unused"]
    assert (unused["address"], unused["owner"]) == (
        "aws_s3_bucket.nothing",
        "team-old@acme.example",
    )


def test_changes_of_rules_with_their_approvers(gate: AuditGate, capsys: Capture) -> None:
    """Who changed what, who approved it, and from which decision on it was in force."""
    last, first = (c for c in report(capsys)["changes"] if "A-OWNER" in c["rules"])
    assert last["authors"] == ["Ann <ann@acme.example>"]
    assert (last["approvers"], last["rules"]) == ([], ["A-OWNER"])
    assert first["approvers"] == ["Ann <ann@acme.example>"]
    assert [ruleset["commit"] for ruleset in report(capsys)["rulesets"]] != []


def test_one_control(gate: AuditGate, capsys: Capture) -> None:
    """Of a control: the decisions in which its rules were evaluated, and their findings alone."""
    made = report(capsys, "--control", "soc2:CC6.1")
    assert made["rules"] == ["A-PUBLIC"]
    found = [finding for row in made["decisions"] for finding in row.get("findings", ())]
    assert found == ["fail A-PUBLIC aws_s3_bucket.site"] * 2
    assert [row["kind"] for row in made["exceptions"]] == ["override"]
    assert report(capsys, "--control", "iso27001:*")["decisions"] == []
    assert len(report(capsys, "--control", "soc2")["decisions"]) == 6


def test_a_span_of_time_and_a_workspace(gate: AuditGate, capsys: Capture) -> None:
    """What is outside is no part of it."""
    assert report(capsys, "--to", "2000-01-01")["decisions"] == []
    made = report(capsys, "--from", "1h", "--workspace", "stag*")
    assert {row["workspace"] for row in made["decisions"]} == {"staging"}


def test_the_page(gate: AuditGate, capsys: Capture) -> None:
    """Links lead somewhere, nothing is loaded, and no text becomes markup."""
    gate.check(hostile(HOSTILE[:120]), code=1, operator="<script>alert(1)</script>")
    text = run(capsys, "report", "--from", "2000-01-01", "--control", "soc2:*")
    page = Page(text)
    assert page.links <= {*page.ids}
    assert len(page.ids) == len({*page.ids})
    assert not page.tags & {"script", "img", "iframe", "link", "form"}
    assert "\x1b" not in text
    for told in ("soc2:*", "The audit trail holds.", "dora@acme.example", "nobody else",
                 "<script>alert(1)</script>", "team-old@acme.example"):  # fmt: skip
        assert told in page.text, told
    assert {f"r{r['seq']}-{r['hash'][:8]}" for r in gate.records() if r["event"] == "decision"} <= {
        *page.ids
    }


def test_a_spoilt_trail_is_reported_as_such(gate: AuditGate, capsys: Capture) -> None:
    """The report says first that its records were changed, and goes on."""
    data = gate.log.read_bytes()
    gate.log.write_bytes(data.replace(b'"workspace":"prod"', b'"workspace":"proc"', 1))
    page = Page(run(capsys, "report"))
    assert "does NOT hold" in page.text
    made = report(capsys)
    assert made["integrity"]["holds"] is False
    assert "altered" in made["integrity"]["problems"][0]


def test_spreadsheets_compute_nothing(gate: AuditGate, capsys: Capture) -> None:
    """A cell that begins like a formula gets an apostrophe, whatever the trail holds."""
    for operator in ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1", "|x", "  =1"):
        gate.check(OWNED, operator=operator)
    gate.check(hostile('=HYPERLINK("http://evil.example")'), code=1)
    capsys.readouterr()
    rows = [*csv.DictReader(io.StringIO(run(capsys, "report", "--format", "csv")))]
    cells = [cell for row in rows for cell in row.values() if cell]
    assert not [cell for cell in cells if cell.lstrip()[:1] in tuple("=+-@|%\t\r")]
    assert any(cell.startswith("'=cmd") for cell in cells)
    assert {row["section"] for row in rows} == {
        "figure", "decision", "apply", "exception", "unused waiver", "rule change",
        "integrity"}  # fmt: skip


def test_formats_follow_the_name_of_the_output(gate: AuditGate, tmp_path: Path) -> None:
    """``-o evidence.csv`` is CSV."""
    for name, begin in (("e.html", "<!doctype html>"), ("e.csv", "section,"), ("e.json", "{")):
        assert main(["audit", "report", "-o", name]) == 0
        assert (tmp_path / name).read_text().startswith(begin)


def export(capsys: Capture, decision: str, name: str, *more: str) -> None:
    """Write a bundle."""
    run(capsys, "export", "--decision", decision, "-o", name, *more)


def verify(folder: Path) -> tuple[int, str]:
    """Run the bundle's own program, with nothing of tfgate on its path."""
    (inner,) = folder.iterdir()
    done = subprocess.run(
        [sys.executable, "-I", "verify.py"], cwd=inner, capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_a_bundle_proves_itself(gate: AuditGate, capsys: Capture, tmp_path: Path) -> None:
    """Records, evidence, rules as they were then, checkpoint: verified with Python alone."""
    first = gate.records()[0]["decision_id"]
    export(capsys, first, "b.zip")
    folder = tmp_path / "out"
    with zipfile.ZipFile("b.zip") as archive:
        archive.extractall(folder)
    code, out = verify(folder)
    assert (code, "Nothing was changed." in out) == (0, True), out
    (inner,) = folder.iterdir()
    files = {path.relative_to(inner).as_posix() for path in inner.rglob("*") if path.is_file()}
    assert {"records.jsonl", "chain.jsonl", "checkpoint.json", "checkpoint.json.sig",
            "allowed_signers", "README.md", "manifest.json"} <= files  # fmt: skip
    (rule,) = inner.glob("rulesets/acme-*/rules/a-owner.toml")
    assert 'require = "after.tags.Owner"' in rule.read_text()
    command = ["ssh-keygen", "-Y", "verify", "-f", "allowed_signers", "-I", "audit@acme.example",
               "-n", "tfgate-checkpoint", "-s", "checkpoint.json.sig"]  # fmt: skip
    statement = (inner / "checkpoint.json").read_bytes()
    subprocess.run(command, input=statement, cwd=inner, check=True, capture_output=True)


@pytest.mark.parametrize(
    ("spoil", "old", "new"),
    [
        ("records.jsonl", b'"prod"', b'"proc"'),
        ("chain.jsonl", b'"prod"', b'"proc"'),
        ("checkpoint.json", b'"seq":', b'"seq":1'),
        ("rulesets/*/rules/a-owner.toml", b"Owner", b"owner"),
        ("rulesets/*/rules/a-owner.toml", b"Owner", b""),
    ],
)
def test_a_changed_bundle_is_noticed(
    gate: AuditGate, capsys: Capture, tmp_path: Path, spoil: str, old: bytes, new: bytes
) -> None:
    """Whatever is changed in it, even with a manifest that agrees, the program says so."""
    export(capsys, gate.records()[0]["decision_id"], "b.zip")
    folder = tmp_path / "out"
    with zipfile.ZipFile("b.zip") as archive:
        archive.extractall(folder)
    (inner,) = folder.iterdir()
    (file,) = inner.glob(spoil)
    spoilt = file.read_bytes().replace(old, new)
    assert spoilt != file.read_bytes()
    file.write_bytes(spoilt)
    code, out = verify(folder)
    assert (code, "was changed" in out) == (1, True)
    manifest = json.loads((inner / "manifest.json").read_text())
    name = file.relative_to(inner).as_posix()
    manifest["files"][name] = hashlib.sha256(spoilt).hexdigest()
    (inner / "manifest.json").write_text(json.dumps(manifest))
    code, out = verify(folder)
    assert code == 1, out


def test_bundles_are_the_same_every_time(gate: AuditGate, capsys: Capture, tmp_path: Path) -> None:
    """Equal trails give equal bytes, as zip and as tar.gz; what is missing is said."""
    decision = gate.records()[0]["decision_id"]
    for name in ("a.zip", "b.zip", "a.tar.gz", "b.tar.gz"):
        export(capsys, decision, name)
    for kind in ("zip", "tar.gz"):
        assert (tmp_path / f"a.{kind}").read_bytes() == (tmp_path / f"b.{kind}").read_bytes()
    with tarfile.open("a.tar.gz") as archive:
        assert {member.mtime for member in archive} == {0}
    export(capsys, decision, "c.zip", "--without-chain")
    assert "chain.jsonl" not in " ".join(zipfile.ZipFile("c.zip").namelist())
    newest = gate.check(OWNED)
    capsys.readouterr()
    assert main(["audit", "export", "--decision", newest, "-o", "d.zip"]) == 0
    assert "No checkpoint after the decision" in capsys.readouterr().err
    assert main(["audit", "export", "--decision", "nothing", "-o", "e.zip"]) == 3


def test_sql(gate: AuditGate, capsys: Capture) -> None:
    """Questions in SQL, over records, decisions, findings and applies."""
    pytest.importorskip("duckdb")
    out = run(capsys, "sql", "--json",
              "SELECT decision, count(*) AS n FROM decisions GROUP BY ALL ORDER BY 1")  # fmt: skip
    assert [json.loads(line) for line in out.splitlines()] == [
        {"decision": "allow", "n": 4}, {"decision": "deny", "n": 2}]  # fmt: skip
    out = run(capsys, "sql", "SELECT rule, address, waived_by FROM findings WHERE outcome='waived'")
    assert out.splitlines()[1].split() == [
        "A-OWNER", "aws_s3_bucket.legacy", "team-web@acme.example"]  # fmt: skip
    out = run(capsys, "sql", "SELECT count(*) AS n FROM applies WHERE ended IS NULL")
    assert out.split() == ["n", "1"]
    out = run(capsys, "sql", "SELECT record->>'input' AS i FROM decisions LIMIT 1")
    assert out.split() == ["i", "plan.json"]


@pytest.mark.parametrize(
    "query",
    [
        "COPY (SELECT 1) TO 'trail/audit.jsonl'",
        "SELECT 1; COPY (SELECT 1) TO 'trail/audit.jsonl'",
        "SELECT * FROM read_text('secret')",
        "SELECT * FROM 'secret'",
        "SELECT * FROM glob('*')",
        "INSTALL httpfs",
        "SET lock_configuration = false",
        "ATTACH 'x.db'",
        "CREATE TABLE t AS SELECT 1",
        "PRAGMA database_list",
        "EXPORT DATABASE 'x'",
        "SELECT nonsense",
        "SELECT getenv('HOME')",
        "",
    ],
)
def test_sql_reads_the_trail_and_does_nothing_else(
    gate: AuditGate, capsys: Capture, tmp_path: Path, query: str
) -> None:
    """No query writes, reads another file, loads an extension, or unlocks the rest."""
    pytest.importorskip("duckdb")
    (tmp_path / "secret").write_text("hush")
    before = gate.log.read_bytes()
    capsys.readouterr()
    assert main(["audit", "sql", query]) == 2
    captured = capsys.readouterr()
    assert "hush" not in captured.out + captured.err
    assert gate.log.read_bytes() == before
    assert not [*tmp_path.glob("x*")]


def test_sql_without_duckdb(
    gate: AuditGate, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One sentence says what is missing; the plain filters still work."""
    monkeypatch.setitem(sys.modules, "duckdb", None)
    capsys.readouterr()
    assert main(["audit", "sql", "SELECT 1"]) == 2
    assert "tfgate[audit]" in capsys.readouterr().err
    assert main(["audit", "search", "--decision", "deny"]) == 0


def test_waivers_and_overrides_are_found(gate: AuditGate, capsys: Capture) -> None:
    """Search by who waived and by who approved."""
    out = run(capsys, "search", "--waiver", "team-web@*", "--json")
    assert [json.loads(line)["record"]["workspace"] for line in out.splitlines()] == ["prod"]
    assert (
        run(capsys, "search", "--approver", "dora@*", "--event", "decision", "--json").count("\n")
        == 1
    )
    gate.check(LEGACY, PUBLIC, code=1)
