"""Checkpoints: what ssh-keygen says about them, and what they say about a trail."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tfgate.audit.checkpoint import Checkpoint, CheckpointPolicy, checkpoint_due, make_checkpoint
from tfgate.audit.scan import ProblemKind, VerifyResult
from tfgate.audit.trail_files import rotated_files
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError

from .clocks import Ticking

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")


def new_key(folder: Path, name: str) -> Path:
    """Make an Ed25519 key without passphrase."""
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True
    )
    return path


class Place:
    """A trail of five records, a key, and an allowed signers file that names it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "audit.jsonl"
        self.key = new_key(folder, "audit_key")
        self.signers = folder / "allowed_signers"
        public = self.key.with_suffix(".pub").read_text()
        self.signers.write_text(f'audit@acme.example namespaces="tfgate-checkpoint" {public}')
        self.clock = Ticking()
        self.trail = AuditTrail(self.log, clock=self.clock)
        self.add(5)

    def add(self, count: int) -> None:
        """Append so many decisions."""
        for _ in range(count):
            self.trail.append("decision", {})

    def checkpoint(self, key: Path | None = None) -> Checkpoint:
        """Make a checkpoint in a folder elsewhere."""
        return make_checkpoint(self.trail, key or self.key, directory=self.folder / "elsewhere")

    def verify(self) -> VerifyResult:
        """Verify with the checkpoints kept elsewhere."""
        return verify(
            [self.log],
            checkpoints=[self.folder / "elsewhere"],
            allowed_signers=self.signers,
        )

    def cut(self, count: int) -> None:
        """Take the last ``count`` records away."""
        lines = self.log.read_bytes().splitlines(keepends=True)
        self.log.write_bytes(b"".join(lines[:-count]))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """A new place for every test."""
    return Place(tmp_path)


def test_a_checkpoint_agrees_with_its_trail(place: Place) -> None:
    """The file and the event in the trail both count."""
    made = place.checkpoint()
    place.add(2)
    assert (made.statement.seq, made.record.seq) == (4, 5)
    result = place.verify()
    assert (result.ok, result.notes, result.checkpoints) == (True, (), 2)


def test_ssh_keygen_alone_verifies_it(place: Place) -> None:
    """The command that docs/reference/audit-record.md gives."""
    made = place.checkpoint()
    command = ["ssh-keygen", "-Y", "verify", "-f", str(place.signers), "-I", "audit@acme.example"]
    command += ["-n", "tfgate-checkpoint", "-s", f"{made.file}.sig"]
    with open(made.file, "rb") as statement:
        done = subprocess.run(command, stdin=statement, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert b"Good" in done.stdout


@pytest.mark.parametrize("lost", [1, 2, 4, 7])
def test_a_cut_tail_is_told(place: Place, lost: int) -> None:
    """Without the checkpoint the shorter trail verifies; with it, the loss has a number."""
    place.add(2)
    place.checkpoint()
    place.cut(lost + 1)
    assert verify([place.log]).ok
    [problem] = place.verify().problems
    assert (problem.kind, problem.seq) == (ProblemKind.CUT, 7 - lost)
    assert f"{lost} record(s) were cut off" in problem.text or lost == 7


def test_a_restarted_trail_is_told(place: Place) -> None:
    """A log that was removed and begun anew is another chain."""
    place.checkpoint()
    place.log.unlink()
    place.add(9)
    [problem] = place.verify().problems
    assert problem.kind is ProblemKind.CHECKPOINT
    assert "another chain" in problem.text


def test_a_rewritten_trail_is_told(place: Place) -> None:
    """A chain computed anew over an edited record is sound in itself, and contradicts."""
    place.checkpoint()
    first, *_ = place.log.read_bytes().splitlines(keepends=True)
    place.log.write_bytes(first)
    for number in range(6):
        place.trail.append("decision", {"forged": number})
    assert verify([place.log]).ok
    [problem] = place.verify().problems
    assert (problem.kind, problem.seq) == (ProblemKind.CHECKPOINT, 4)
    assert problem.text.startswith("Record 4 is not the one")


def test_an_unknown_key_is_told(place: Place) -> None:
    """A checkpoint counts only by a key that the allowed signers name."""
    place.checkpoint(new_key(place.folder, "mallory"))
    result = place.verify()
    assert [problem.kind for problem in result.problems] == [ProblemKind.CHECKPOINT] * 2
    assert all("do not name" in problem.text for problem in result.problems)
    assert result.records == 6


def test_a_forged_statement_is_told(place: Place) -> None:
    """A changed statement no longer fits its signature; a missing signature is no signature."""
    made = place.checkpoint()
    place.add(1)
    elsewhere = place.folder / "elsewhere"
    statement = (elsewhere / made.file).read_bytes()
    forged = statement.replace(b'"time":"2026', b'"time":"2025')
    (elsewhere / "forged.json").write_bytes(forged)
    (elsewhere / "forged.json.sig").write_text(made.signature)
    (elsewhere / "unsigned.json").write_bytes(statement)
    (elsewhere / "noise.json").write_bytes(b'{"kind":"other"}')
    problems = place.verify().problems
    texts = {problem.file.rpartition("/")[2]: problem.text for problem in problems}
    assert len(problems) == 3
    assert "does not fit" in texts["forged.json"]
    assert "no signature" in texts["unsigned.json"]
    assert "cannot be read as a checkpoint" in texts["noise.json"]


def test_without_allowed_signers_it_is_a_note(place: Place) -> None:
    """What the statement says is still compared; that nobody's word was checked is said."""
    place.checkpoint()
    result = verify([place.log], checkpoints=[place.folder / "elsewhere"])
    assert result.ok
    assert [note.kind for note in result.notes] == [ProblemKind.CHECKPOINT]


def test_old_files_may_go_when_a_checkpoint_vouches_for_them(place: Place) -> None:
    """A missing beginning is a problem, unless a signed checkpoint ends right before it."""
    place.checkpoint()
    # The record after the checkpointed one begins the next file.
    lines = place.log.read_bytes().splitlines(keepends=True)
    rotated = place.folder / "audit-20260131-000000000000.jsonl"
    rotated.write_bytes(b"".join(lines[:5]))
    place.log.write_bytes(b"".join(lines[5:]))
    assert place.verify().ok
    for file in rotated_files(place.log):
        file.unlink()
    assert not verify([place.log]).ok
    result = place.verify()
    assert result.ok
    assert "vouches" in result.notes[0].text


def test_when_a_checkpoint_is_due(place: Place) -> None:
    """Every so many records, or so many minutes, and never twice for the same record."""
    often = CheckpointPolicy(every_records=3)
    timed = CheckpointPolicy(every_minutes=1)
    assert not checkpoint_due(place.trail, CheckpointPolicy())
    assert checkpoint_due(place.trail, often)
    make_checkpoint(place.trail, place.key)
    assert not checkpoint_due(place.trail, often)
    place.add(2)
    assert not checkpoint_due(place.trail, often)
    assert not checkpoint_due(place.trail, timed)
    place.add(1)
    assert checkpoint_due(place.trail, often)
    place.clock.step *= 100
    place.add(1)
    assert checkpoint_due(place.trail, timed)


def test_a_key_that_cannot_sign_is_an_error(place: Place) -> None:
    """A missing key, and one with a passphrase (nobody is asked for it)."""
    with pytest.raises(AuditError, match="cannot sign"):
        place.checkpoint(place.folder / "nowhere")
    locked = place.folder / "locked"
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(locked)], check=True
    )
    with pytest.raises(AuditError, match="cannot sign"):
        place.checkpoint(locked)
    assert verify([place.log]).records == 5


def test_an_empty_trail_has_nothing_to_vouch_for(tmp_path: Path) -> None:
    """The error says so."""
    with pytest.raises(AuditError, match="no record yet"):
        make_checkpoint(AuditTrail(tmp_path / "audit.jsonl"), tmp_path / "key")
