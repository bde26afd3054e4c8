"""docs/reference/audit-record.md is true: its programs and commands are run here."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tfgate.audit.checkpoint import make_checkpoint
from tfgate.audit.decision import evidence_path, write_evidence
from tfgate.audit.writer import AuditTrail

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "audit-record.md"


def blocks(language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.MULTILINE)


def shell(command: str, folder: Path) -> str:
    """Run a documented command and give the first word of each line it prints."""
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def trail(tmp_path: Path) -> AuditTrail:
    """Five records with text of every kind."""
    trail = AuditTrail(tmp_path / "audit.jsonl")
    for number in range(5):
        note = 'größer "als" \\ /\x7f\u2028\U0001f600\n\t\x01' + chr(0xE000) + "\ue000"
        fields = {"decision_id": f"d{number}", "note": note, "ключ": [2**60, 0.5, True, None, {}]}
        trail.append("decision", fields)
    return trail


def verifier(trail: AuditTrail) -> subprocess.CompletedProcess[str]:
    """Run the page's Python program on a trail."""
    [program] = blocks("python")
    command = [sys.executable, "-I", "-W", "ignore", "-c", program, str(trail.path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_the_program_accepts_what_tfgate_writes(trail: AuditTrail) -> None:
    """Without tfgate, it comes to the same hash."""
    head = trail.head()
    assert head is not None
    assert verifier(trail).stdout == f"5 records, the last hash is {head.hash}\n"


@pytest.mark.parametrize("record", range(5))
def test_the_program_names_an_altered_record(trail: AuditTrail, record: int) -> None:
    """Its number is in the message."""
    data = trail.path.read_bytes().replace(b'"d%d"' % record, b'"dd"')
    trail.path.write_bytes(data)
    assert f"record {record} was altered" in verifier(trail).stderr


@pytest.mark.skipif(not (shutil.which("jq") and shutil.which("sha256sum")), reason="needs jq")
def test_jq_and_sha256sum_come_to_the_same_hash(trail: AuditTrail, tmp_path: Path) -> None:
    """The two documented lines print the same hash."""
    [commands] = [block for block in blocks("sh") if "jq" in block]
    digest, prev = (line.split()[0] for line in shell(commands, tmp_path).splitlines())
    assert digest == prev


@pytest.mark.skipif(not shutil.which("sha256sum"), reason="needs sha256sum")
def test_the_evidence_command_prints_the_name(tmp_path: Path) -> None:
    """gzip and sha256sum give the digest that the file is named by."""
    digest = write_evidence(tmp_path / "evidence", {"findings": []})
    [command] = [block for block in blocks("sh") if "gzip" in block]
    place = evidence_path("evidence", digest)
    assert digest in shell(command.replace("evidence/3a/3aff….json.gz", str(place)), tmp_path)


@pytest.mark.skipif(not shutil.which("ssh-keygen"), reason="needs ssh-keygen")
def test_the_ssh_keygen_command_verifies(trail: AuditTrail, tmp_path: Path) -> None:
    """With the allowed signers line that the page shows."""
    key = tmp_path / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
    made = make_checkpoint(trail, key)
    public = key.with_suffix(".pub").read_text().split()[1]
    [line] = [block for block in blocks("text") if "namespaces=" in block]
    (tmp_path / "allowed_signers").write_text(line.replace("AAAAC3Nza…", public))
    [command] = [block for block in blocks("sh") if "ssh-keygen" in block]
    command = command.replace("checkpoint.json", made.file)
    assert "Good" in shell(command, tmp_path)


def test_every_event_of_the_room_is_on_the_page() -> None:
    """The names in the code stand in the table."""
    rows = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    events = {"decision", "recovered", "rotated", "checkpoint", "apply_started", "apply_finished"}
    assert events <= set(rows)
