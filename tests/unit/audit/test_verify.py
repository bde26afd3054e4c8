"""What was done to a trail is named, by the number of the record."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tfgate.audit.decision import evidence_path, read_evidence, write_evidence
from tfgate.audit.record import GENESIS, seal
from tfgate.audit.scan import ProblemKind as Kind
from tfgate.audit.verifier import verify
from tfgate.audit.writer import AuditTrail
from tfgate.errors import AuditError

from .clocks import Ticking

if TYPE_CHECKING:
    from pathlib import Path


def chain(count: int, name: str = "d") -> list[bytes]:
    """Make the lines of a trail."""
    lines, prev = [], GENESIS
    for seq in range(count):
        time = f"2026-01-31T12:00:{seq:02}.000000Z"
        members = {"v": 1, "seq": seq, "prev": prev, "time": time, "event": "decision"}
        record = seal({**members, "decision_id": f"{name}{seq}", "n": 700 + seq})
        lines.append(record.line)
        prev = record.hash
    return lines


def resealed(line: bytes, **changes: Any) -> bytes:
    """Edit a record and compute its hash anew, as somebody who knows the format would."""
    members = msgspec.json.decode(line)
    del members["hash"]
    return seal({**members, **changes}).line


def hash_of(line: bytes) -> bytes:
    """The hash that a line states."""
    return msgspec.json.decode(line)["hash"].encode()


L = chain(20)
M = chain(6, "other")
EDITED = L[12].replace(b'"n":712', b'"n":713')

TAMPERED: dict[str, tuple[list[bytes], list[tuple[Kind, int | None, int]]]] = {
    "a record edited": ([*L[:12], EDITED, *L[13:]], [(Kind.ALTERED, 12, 13)]),
    "the last one edited": ([*L[:19], L[19].replace(b"719", b"720")], [(Kind.ALTERED, 19, 20)]),
    "the first one edited": ([L[0].replace(b"700", b"701"), *L[1:]], [(Kind.ALTERED, 0, 1)]),
    "two edited": (
        [*L[:12], EDITED, L[13].replace(b"713", b"1"), *L[14:]],
        [(Kind.ALTERED, 12, 13), (Kind.ALTERED, 13, 14)],
    ),
    "edited and hashed anew": (
        [*L[:12], resealed(L[12], n=0), *L[13:]],
        [(Kind.REPLACED, 13, 14)],
    ),
    "its hash edited": (
        [*L[:3], L[3].replace(hash_of(L[3]), b"1" * 64), *L[4:]],
        [(Kind.ALTERED, 3, 4)],
    ),
    "its hash broken": (
        [*L[:3], L[3].replace(b'"hash":"', b'"hash":"0'), *L[4:]],
        [(Kind.ALTERED, 3, 4)],
    ),
    "its prev edited": (
        [*L[:4], L[4].replace(hash_of(L[3]), b"1" * 64), *L[5:]],
        [(Kind.ALTERED, 4, 5)],
    ),
    "its number edited": (
        [*L[:4], L[4].replace(b'"seq":4', b'"seq":9'), *L[5:]],
        [(Kind.ALTERED, 9, 5)],
    ),
    "white space added": (
        [*L[:4], L[4].replace(b",", b", ", 1), *L[5:]],
        [(Kind.ALTERED, 4, 5)],
    ),
    "one removed": ([*L[:12], *L[13:]], [(Kind.MISSING, 12, 13)]),
    "three removed": ([*L[:12], *L[15:]], [(Kind.MISSING, 12, 13)]),
    "the first removed": (L[1:], [(Kind.MISSING, 0, 1)]),
    "the first five removed": (L[5:], [(Kind.MISSING, 0, 1)]),
    "two swapped": ([*L[:12], L[13], L[12], *L[14:]], [(Kind.REORDERED, 13, 13)]),
    "the first two swapped": ([L[1], L[0], *L[2:]], [(Kind.REORDERED, 1, 1)]),
    "the last two swapped": ([*L[:18], L[19], L[18]], [(Kind.REORDERED, 19, 19)]),
    "a block moved": ([*L[:3], *L[8:11], *L[3:8], *L[11:]], [(Kind.REORDERED, 8, 4)]),
    "one put in, chained": (
        [*L[:13], resealed(L[13], n=0), *L[13:]],
        [(Kind.INSERTED, 13, 14)],
    ),
    "one put in, unchained": (
        [*L[:13], resealed(L[13], n=0, prev="1" * 64), *L[13:]],
        [(Kind.INSERTED, 13, 14)],
    ),
    "one put in, wildly numbered": (
        [*L[:13], resealed(L[13], prev="1" * 64, seq=500), *L[13:]],
        [(Kind.INSERTED, 500, 14)],
    ),
    "a copy put in later": ([*L[:13], L[5], *L[13:]], [(Kind.REPEATED, 5, 14)]),
    "a copy put in earlier": ([*L[:3], L[9], *L[3:]], [(Kind.REPEATED, 9, 4)]),
    "a copy put in beside": ([*L[:6], L[5], *L[6:]], [(Kind.REPEATED, 5, 6)]),
    "copies of three put in": ([*L[:13], *L[5:8], *L[13:]], [(Kind.REPEATED, 5, 14)]),
    "a copy of the first put in": ([*L[:13], L[0], *L[13:]], [(Kind.REPEATED, 0, 14)]),
    "the whole trail twice": ([*L, *L], [(Kind.REPEATED, 0, 21)]),
    "noise put in": ([*L[:3], b"hello", *L[3:]], [(Kind.FOREIGN, 3, 4)]),
    "noise in place of one": ([*L[:3], b"hello", *L[4:]], [(Kind.FOREIGN, 3, 4)]),
    "noise in place of three": (
        [*L[:3], b"hello", *L[6:]],
        [(Kind.FOREIGN, 3, 4), (Kind.MISSING, 3, 5)],
    ),
    "an empty line": ([*L[:3], b"", *L[3:]], [(Kind.FOREIGN, 3, 4)]),
    "two lines made one": (
        [*L[:3], L[3] + L[4], *L[5:]],
        [(Kind.FOREIGN, 3, 4), (Kind.MISSING, 3, 5)],
    ),
    "another chain mixed in": ([*L[:6], *M[:3], *L[6:], *M[3:]], [(Kind.MIXED, 0, 7)]),
    "another chain before it": ([*M, *L], [(Kind.MIXED, 0, 1)]),
    "other JSON Lines": ([b'{"level":"info","msg":"x"}'] * 3, [(Kind.FOREIGN, None, 1)]),
    "a later version": (
        [*L, resealed(L[19], v=2, seq=20, prev=hash_of(L[19]).decode())],
        [(Kind.FUTURE, 20, 21)],
    ),
    "Windows line ends": ([L[0] + b"\r", *L[1:]], [(Kind.ALTERED, 0, 1)]),
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Where the trail goes."""
    return tmp_path / "audit.jsonl"


def write(log: Path, lines: list[bytes]) -> None:
    """Write lines as a log."""
    log.write_bytes(b"".join(line + b"\n" for line in lines))


@pytest.mark.parametrize("name", [*TAMPERED])
def test_what_was_done_is_named(log: Path, name: str) -> None:
    """Each deed gives its kind, the record's number and the line, and nothing else."""
    lines, expected = TAMPERED[name]
    write(log, lines)
    result = verify([log])
    assert [(p.kind, p.seq, p.line) for p in result.problems] == expected
    assert not result.ok
    for problem in result.problems:
        assert problem.text.endswith(".")
        assert str(problem.line) in problem.text or str(problem.seq) in problem.text


def test_the_rest_is_read(log: Path) -> None:
    """One altered record does not keep the others from being checked."""
    write(log, TAMPERED["a record edited"][0])
    result = verify([log])
    assert result.records == 19
    [found] = result.chains
    assert (found.first_seq, found.last_seq, found.records) == (0, 19, 19)


def test_a_clean_trail_says_what_it_is(log: Path) -> None:
    """Number of records, times, events and the chain's identity."""
    write(log, L)
    result = verify([log])
    assert (result.ok, result.records, result.events) == (True, 20, {"decision": 20})
    assert result.first_time == "2026-01-31T12:00:00.000000Z"
    assert result.last_time == "2026-01-31T12:00:19.000000Z"
    assert result.chains[0].id == hash_of(L[0]).decode()
    assert result.chains[0].last_hash == hash_of(L[19]).decode()


def test_an_empty_trail_is_sound(log: Path) -> None:
    """There is nothing to find fault with, and no chain."""
    log.touch()
    assert verify([log]).ok
    assert verify([log]).chains == ()


def test_no_trail_is_an_error(log: Path) -> None:
    """Verifying nothing must not look like success."""
    with pytest.raises(AuditError, match="no audit trail"):
        verify([log])
    with pytest.raises(AuditError, match="no audit trail"):
        verify([log.parent])


def test_trails_of_several_machines_keep_their_own_chains(tmp_path: Path) -> None:
    """Two logs are two chains, which is no mixture."""
    write(tmp_path / "a.jsonl", L)
    write(tmp_path / "b.jsonl", M)
    result = verify([tmp_path / "a.jsonl", tmp_path / "b.jsonl"])
    assert (result.ok, len(result.chains), result.records) == (True, 2, 26)
    assert verify([tmp_path]).records == 26


def test_parts_may_be_named_one_by_one(tmp_path: Path) -> None:
    """Files of one chain, renamed and given in order, are one chain."""
    write(tmp_path / "first.jsonl", L[:9])
    write(tmp_path / "second.jsonl", L[9:])
    result = verify([tmp_path / "first.jsonl", tmp_path / "second.jsonl"])
    assert (result.ok, len(result.chains)) == (True, 1)


def test_a_clock_set_back_is_a_note(log: Path) -> None:
    """Times may go back; it is worth knowing, and no tampering."""
    clock = Ticking()
    trail = AuditTrail(log, clock=clock)
    trail.append("decision", {})
    clock.step = -clock.step * 60
    for _ in range(3):
        trail.append("decision", {})
    result = verify([log])
    assert result.ok
    assert {(note.kind, note.seq) for note in result.notes} == {(Kind.CLOCK, 2), (Kind.CLOCK, 3)}


def test_an_apply_without_an_end_is_a_note(log: Path) -> None:
    """The machine may have died, or somebody removed the end: an auditor wants to know."""
    trail = AuditTrail(log, clock=Ticking())
    for decision in ("one", "two"):
        trail.append("apply_started", {"decision_id": decision})
    trail.append("apply_finished", {"decision_id": "one"})
    [note] = verify([log]).notes
    assert (note.kind, note.seq) == (Kind.ORPHAN, 1)
    assert "two" in note.text


def test_loose_rights_are_a_note(log: Path) -> None:
    """Whoever can write to the file can destroy it."""
    write(log, L)
    os.chmod(log, 0o666)
    assert [note.kind for note in verify([log]).notes] == [Kind.PLACE]


def test_evidence_is_checked_when_asked(log: Path, tmp_path: Path) -> None:
    """Missing, changed and unpackable evidence is named with the record that needs it."""
    folder = tmp_path / "evidence"
    trail = AuditTrail(log, clock=Ticking())
    digests = [write_evidence(folder, {"n": number}) for number in range(4)]
    for digest in digests:
        trail.append("decision", {"evidence_sha256": digest})
    assert verify([log], evidence=folder).ok
    good = evidence_path(folder, digests[0]).read_bytes()
    evidence_path(folder, digests[1]).unlink()
    evidence_path(folder, digests[2]).write_bytes(good)
    evidence_path(folder, digests[3]).write_bytes(good[:-9])
    result = verify([log], evidence=folder)
    assert [(p.kind, p.seq) for p in result.problems] == [(Kind.EVIDENCE, n) for n in (1, 2, 3)]
    words = ("missing", "was changed", "cannot be read")
    assert all(word in p.text for word, p in zip(words, result.problems, strict=True))
    assert (result.evidence, verify([log]).ok) == (4, True)


def _evidence_or_error(folder: Path, digest: str) -> Any:
    """The content, or the path that the error names."""
    try:
        return read_evidence(folder, digest)
    except AuditError as error:
        return next(word.rstrip(":") for word in error.message.split() if digest in word)


def test_no_byte_of_evidence_can_change(tmp_path: Path) -> None:
    """Whatever is done to the file, reading gives the content of the digest or an error."""
    digest = write_evidence(tmp_path, {"findings": ["a", "b"] * 9})
    path = evidence_path(tmp_path, digest)
    whole = path.read_bytes()
    for position in range(len(whole)):
        path.write_bytes(whole[:position] + bytes([whole[position] ^ 4]) + whole[position + 1 :])
        assert _evidence_or_error(tmp_path, digest) in ({"findings": ["a", "b"] * 9}, str(path))


def test_several_processes_find_the_same(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut in many parts and shared, the work gives the same result; progress ends at the total."""
    seen: list[tuple[int, int]] = []
    for lines, _ in TAMPERED.values():
        write(log, lines)
        alone = verify([log])
        monkeypatch.setattr("tfgate.audit.scan._PART", 500)
        together = verify([log], workers=1, progress=lambda *step: seen.append(step))
        monkeypatch.undo()
        assert together == alone
        assert seen[-1] == (log.stat().st_size,) * 2
    assert len(seen) > 2 * len(TAMPERED)
    assert verify([log], workers=2) == verify([log], workers=1)
