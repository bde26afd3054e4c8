"""``tfgate audit``: what an auditor types, and what comes back."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gitrepo import Repo
from tests.support.plans import HEADER, change, plan_bytes, rule
from tfgate.audit.checkpoint import make_checkpoint
from tfgate.audit.writer import AuditTrail
from tfgate.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]

GOOD = change("aws_s3_bucket.good", after={"tags": {"Owner": "me"}})
BAD = change("aws_s3_bucket.bad", after={"tags": {}})
CONFIG = """
[gate]
rulesets = ["rules.toml"]
[audit]
log = "audit/audit.jsonl"
{more}
"""


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A gate with a configuration, one rule with a control, two plans and a key."""
    (tmp_path / "good.json").write_bytes(plan_bytes(GOOD))
    (tmp_path / "bad.json").write_bytes(plan_bytes(BAD))
    more = 'controls = { "soc2" = ["CC8.1"] }'
    (tmp_path / "rules.toml").write_text(HEADER + rule(require="after.tags.Owner", more=more))
    configure(tmp_path, "")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def configure(folder: Path, more: str) -> None:
    """Write the configuration."""
    (folder / "tfgate.toml").write_text(CONFIG.format(more=more))


def key(folder: Path, name: str = "key") -> Path:
    """Make an SSH key and the allowed-signers file that names it."""
    if shutil.which("ssh-keygen") is None:
        pytest.skip("there is no ssh-keygen on PATH")
    file = folder / name
    command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(file)]
    subprocess.run(command, check=True)
    public = file.with_suffix(".pub").read_text()
    (folder / f"{name}.signers").write_text(f"audit@acme.example {public}")
    return file


def records(folder: Path) -> list[dict[str, Any]]:
    """The records of the gate's trail."""
    text = (folder / "audit" / "audit.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def run(capsys: Capture, *arguments: str) -> tuple[int, str, str]:
    """Run tfgate; give exit code, standard output and standard error."""
    capsys.readouterr()
    code = main(list(arguments))
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_a_decision_record_has_the_controls_of_its_rules(gate: Path) -> None:
    """Search finds a decision by a control even where the rule passed."""
    assert main(["check", "good.json"]) == 0
    assert records(gate)[0]["rule_controls"] == {"T-1": {"soc2": ["CC8.1"]}}


def test_records_bear_the_time_of_writing(gate: Path) -> None:
    """Several records of one command do not all bear the time at which it began."""
    main(["check", "."])
    times = [record["time"] for record in records(gate)]
    assert len(times) > 1
    assert times == sorted(set(times))


def test_search_by_everything(gate: Path, capsys: Capture) -> None:
    """Each condition finds the record it should and passes over the others."""
    main(["check", "good.json", "-w", "staging", "--operator", "ann"])
    main(["check", "bad.json", "-w", "prod-1", "--operator", "bob"])
    deny = records(gate)[1]
    for condition in (
        ["--workspace", "prod-*"], ["--operator", "bob"], ["--decision", "deny"],
        ["--address", "aws_s3_bucket.b?d"], ["--type", "aws_s3_bucket"], ["--outcome", "fail"],
        ["--plan", deny["plan_sha256"][:9]], ["--id", deny["decision_id"]],
        ["--control", "soc2:CC8.1", "--outcome", "fail"],
        ["--ruleset", "test@1.0.0", "--workspace", "prod-1"],
        ["--since", "1h", "--rule", "T-1", "--event", "decision", "--last", "1"],
    ):  # fmt: skip
        code, out, _ = run(capsys, "audit", "search", *condition, "--json")
        assert code == 0
        found = [json.loads(line)["record"]["seq"] for line in out.splitlines()]
        assert found == [1], condition
    for condition in (["--until", "2020-01-01"], ["--approver", "*"], ["--waiver", "*"]):
        assert run(capsys, "audit", "search", *condition) == (0, "", "")


def test_search_as_a_table(gate: Path, capsys: Capture) -> None:
    """A person sees one line a record, and below it the findings that were asked for."""
    main(["check", "bad.json", "-w", "prod"])
    _, out, _ = run(capsys, "audit", "search", "--rule", "T-1")
    head, row, finding = out.splitlines()
    assert head.split() == ["time", "event", "decision", "workspace", "operator", "id", "what"]
    assert "decision  deny      prod" in row
    assert row.endswith("1 fail")
    assert finding.split()[:3] == ["fail", "T-1", "aws_s3_bucket.bad"]


def test_search_says_what_it_passed_over(gate: Path, capsys: Capture) -> None:
    """A foreign line is named on standard error, and the rest is still found."""
    main(["check", "good.json"])
    log = gate / "audit" / "audit.jsonl"
    log.write_bytes(b'{"foreign": true}\n' + log.read_bytes())
    code, out, err = run(capsys, "audit", "search")
    assert (code, len(out.splitlines())) == (0, 2)
    assert f"{log}:1" in err


@pytest.mark.parametrize("reader", ["search", "show", "report", "sql", "export"])
def test_every_reader_reports_a_damaged_file(gate: Path, capsys: Capture, reader: str) -> None:
    """A compressed trail that was cut short never looks like a whole one with fewer records."""
    if reader == "sql":
        pytest.importorskip("duckdb")
    main(["check", "good.json"])
    log = gate / "audit" / "audit.jsonl"
    old = log.with_name("audit-20260101-000000000000.jsonl.gz")
    old.write_bytes(gzip.compress(log.read_bytes())[:-9])
    arguments = {
        "show": ["show", "--last", "9"],
        "report": ["report", "--format", "json"],
        "sql": ["sql", "SELECT count(*) FROM records"],
        "export": ["export", "--decision", "last", "--output", "bundle.zip"],
    }
    _, out, err = run(capsys, "audit", *arguments.get(reader, [reader]))
    assert f"{old.name} can be read: the gzip file is truncated." in (
        out if reader == "report" else err
    )


def test_checkpoint_and_verify(gate: Path, capsys: Capture) -> None:
    """A checkpoint kept elsewhere makes a cut tail visible; OpenSSH alone verifies it."""
    main(["check", "good.json"])
    file = key(gate)
    code, out, _ = run(capsys, "audit", "checkpoint", "--key", str(file), "--directory", "kept")
    assert code == 0
    assert "ssh-keygen -Y verify" in out
    (kept,) = (gate / "kept").glob("*.json")
    command = ["ssh-keygen", "-Y", "verify", "-f", "key.signers", "-I", "audit@acme.example",
               "-n", "tfgate-checkpoint", "-s", f"{kept}.sig"]  # fmt: skip
    subprocess.run(command, input=kept.read_bytes(), check=True, capture_output=True)
    given = ["--checkpoint", "kept", "--allowed-signers", "key.signers"]
    code, out, _ = run(capsys, "audit", "verify", *given)
    assert (code, "The trail holds" in out) == (0, True)
    assert "1 evidence file(s), 2 signed checkpoint(s)" in out
    (gate / "audit" / "audit.jsonl").write_bytes(b"")
    code, out, _ = run(capsys, "audit", "verify", *given)
    assert code == 3
    assert "vouches for record 0" in out


def test_a_checkpoint_by_an_unknown_key_is_named(gate: Path, capsys: Capture) -> None:
    """Whoever can write can sign; only who is allowed counts."""
    main(["check", "good.json"])
    trail = AuditTrail(gate / "audit" / "audit.jsonl")
    make_checkpoint(trail, key(gate, "other"))
    key(gate)
    code, out, _ = run(capsys, "audit", "verify", "--allowed-signers", "key.signers")
    assert code == 3
    assert "signed by a key that the allowed signers do not name" in out


def test_checkpoints_by_configuration(gate: Path, capsys: Capture) -> None:
    """Every second record is followed by a checkpoint, which the trail holds and vouches for."""
    file = key(gate)
    configure(
        gate, f'checkpoint_key = "{file}"\ncheckpoint_every = 2\nallowed_signers = "key.signers"'
    )
    for _ in range(4):
        assert main(["check", "good.json"]) == 0
    events = [record["event"] for record in records(gate)]
    assert events == ["decision", "checkpoint", "decision", "decision", "checkpoint", "decision"]
    code, out, _ = run(capsys, "audit", "verify")
    assert (code, "4 signed checkpoint(s)" in out) == (0, True)


def test_a_checkpoint_that_cannot_be_made_is_on_record(gate: Path) -> None:
    """The decision stands; that nobody vouches for it is told to whoever reads the trail."""
    configure(gate, 'checkpoint_key = "gone"\ncheckpoint_minutes = 5')
    assert main(["check", "good.json"]) == 0
    assert [record["event"] for record in records(gate)] == ["decision", "checkpoint_failed"]
    assert "cannot sign" in records(gate)[1]["reason"]


def test_rotation_by_configuration(gate: Path, capsys: Capture) -> None:
    """The chain goes on across files, compressed ones too."""
    configure(gate, "rotate_bytes = 4096")
    for _ in range(6):
        assert main(["check", "good.json"]) == 0
    rotated = sorted((gate / "audit").glob("audit-*.jsonl"))
    assert rotated
    data = rotated[0].read_bytes()
    rotated[0].with_name(rotated[0].name + ".gz").write_bytes(gzip.compress(data))
    rotated[0].unlink()
    code, out, _ = run(capsys, "audit", "verify")
    assert (code, "in one chain" in out) == (0, True)


def test_bad_input_is_named_and_the_rest_is_read(gate: Path, capsys: Capture) -> None:
    """Foreign lines, a later version, a second chain, a truncated gzip, spoilt evidence."""
    for _ in range(3):
        main(["check", "good.json"])
    folder = gate / "audit"
    log = folder / "audit.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    other = AuditTrail(gate / "other.jsonl")
    other.append("decision", {"decision_id": "x"})
    future = json.dumps({**json.loads(lines[1]), "v": 2}).encode() + b"\n"
    log.write_bytes(b"".join([lines[0], b"{}\n", lines[1], other.path.read_bytes(), future]))
    whole = gzip.compress(lines[2] * 50)
    (gate / "cut.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    next((folder / "evidence").rglob("*.gz")).write_bytes(b"spoilt")
    code, out, _ = run(capsys, "audit", "verify", str(log), "cut.jsonl.gz",
                       "--evidence", str(folder / "evidence"))  # fmt: skip
    assert code == 3
    for told in ("no audit record", "version", "chain", "cut.jsonl.gz can be read", "evidence"):
        assert told in out, told
    code, out, _ = run(capsys, "audit", "search", str(log))
    assert code == 0
    assert len(out.splitlines()) >= 3


def test_printed_problems_have_a_limit(gate: Path, capsys: Capture) -> None:
    """Of many problems the first ones are printed, and how many there are."""
    trail = AuditTrail(gate / "audit" / "audit.jsonl")
    for number in range(60):
        trail.append("decision", {"evidence_sha256": f"{number:064x}"})
    _, out, _ = run(capsys, "audit", "verify")
    assert len(out.splitlines()) < 60
    assert "and 10 more (--all names them)" in out
    assert len(run(capsys, "audit", "verify", "--all")[1].splitlines()) > 60


def test_records_say_where_rules_come_from(gate: Path, capsys: Capture) -> None:
    """Commit, last changes and approvers of rules are on record, and found."""
    repo = Repo(gate / "repo")
    assert main(["check", "good.json", "-r", "repo/policy"]) == 0
    (ruleset,) = records(gate)[0]["rulesets"]
    head = repo.git("rev-parse", "HEAD")
    assert (ruleset["commit"], ruleset["clean"]) == (head, True)
    assert ruleset["approvers"] == ["Bob <bob@acme.example>"]
    assert ruleset["changes"][0]["rules"] == ["A-1", "policy/ruleset.toml"]
    for condition in (["--commit", head[:10]], ["--approver", "Bob*"]):
        assert len(run(capsys, "audit", "search", *condition)[1].splitlines()) == 2


def test_unapproved_rules_decide_nothing(gate: Path, capsys: Capture) -> None:
    """Where approved rules are required, others are refused with 3, and that is on record."""
    repo = Repo(gate / "repo")
    with (gate / "tfgate.toml").open("a") as file:
        file.write("[provenance]\nrequire_approved_rules = true\n")
    assert main(["check", "good.json", "-r", "repo/policy"]) == 0
    repo.rule("A-1", "after")
    code, out, err = run(capsys, "check", "good.json", "-r", "repo/policy")
    assert (code, out) == (3, "")
    assert "uncommitted changes in policy/rules/a-1.toml" in err
    repo.commit("Weaken it")
    code, _, err = run(capsys, "check", "good.json", "-r", "repo/policy")
    assert code == 3
    assert "nobody but Ann <ann@acme.example> has approved the last change" in err
    assert [record["event"] for record in records(gate)] == ["decision", "undecided", "undecided"]
    assert main(["check", "good.json", "-r", "tfgate:core"]) in (0, 1)


def test_no_trail(gate: Path, capsys: Capture) -> None:
    """One sentence says what is missing."""
    code, _, err = run(capsys, "audit", "search", "nowhere.jsonl")
    assert code == 3
    assert "nowhere.jsonl" in err
