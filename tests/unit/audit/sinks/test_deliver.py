"""Delivery: in order, at least once, and never past a record that was not taken."""

from __future__ import annotations

import gzip
import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.sinks import Delivering, MemorySink
from tfgate.audit.files import held
from tfgate.audit.sinks.deliver import State
from tfgate.audit.trail_files import rotated_files

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.audit.sinks.interface import Batch


@pytest.fixture
def delivering(tmp_path: Path) -> Delivering:
    """A trail with a sink, nothing in it yet."""
    return Delivering(tmp_path)


def test_records_come_once_and_in_order(delivering: Delivering) -> None:
    """What was delivered does not come again; what is new does."""
    sink = MemorySink()
    assert delivering.deliver(sink).state is State.DONE
    delivering.write(3)
    assert delivering.deliver(sink).sent == 3
    assert delivering.deliver(sink).sent == 0
    delivering.write(2)
    assert delivering.deliver(sink).sent == 2
    assert sink.numbers == [0, 1, 2, 3, 4]
    lines = b"".join(batch.lines for batch in sink.batches)
    assert lines == delivering.log.read_bytes()


def test_batches_are_bounded_by_records_and_bytes(delivering: Delivering) -> None:
    """No batch is larger than asked for, except of one record."""
    delivering.write(5)
    delivering.write(3, size=3_000_000)
    sink = MemorySink()
    delivering.deliver(sink, records=2)
    assert [[r.seq for r in b.records] for b in sink.batches] == [[0, 1], [2, 3], [4, 5], [6], [7]]


def test_a_sink_that_fails_is_left_alone_for_longer_and_longer(delivering: Delivering) -> None:
    """The pause doubles; it ends with the first success."""
    delivering.write(2)
    sink = MemorySink(failing=3)
    pauses = []
    for _ in range(3):
        before = delivering.clock.now
        assert delivering.deliver(sink, ignore_pause=False).state is State.FAILED
        assert delivering.deliver(sink, ignore_pause=False).state is State.WAITING
        while (
            delivering.deliver(sink, ignore_pause=False, is_over=lambda: True).state
            is State.WAITING
        ):
            delivering.clock.move(0.25)
        pauses.append((delivering.clock.now - before).total_seconds())
    assert pauses[0] <= 1.5 < pauses[1] <= 2.75 < pauses[2] <= 5.25
    assert delivering.file.load().failures == 3
    assert delivering.file.load().error == "the sink is down"
    assert delivering.deliver(sink, ignore_pause=False).state is State.DONE
    assert sink.numbers == [0, 1]
    assert (delivering.file.load().failures, delivering.file.load().error) == (0, None)


def test_an_attempt_that_never_ended_is_one_that_failed(delivering: Delivering) -> None:
    """Its process died, or had no more time: the next ones do not all wait for the sink again."""
    delivering.write(2)

    class Dies(MemorySink):
        def send(self, batch: Batch) -> None:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        delivering.deliver(Dies())
    assert delivering.file.load().since is not None
    sink = MemorySink()
    outcome = delivering.deliver(sink, ignore_pause=False)
    assert (outcome.state, outcome.cursor.failures) == (State.WAITING, 1)
    delivering.clock.move(12)
    with pytest.raises(KeyboardInterrupt):
        delivering.deliver(Dies(), ignore_pause=False)
    delivering.clock.move(11)
    assert delivering.deliver(sink, ignore_pause=False).cursor.failures == 2
    delivering.clock.move(12)
    assert delivering.deliver(sink, ignore_pause=False).state is State.DONE
    assert (sink.numbers, delivering.file.load().since) == ([0, 1], None)


def test_a_clock_that_is_set_back_does_not_stop_delivery(delivering: Delivering) -> None:
    """A pause that lies absurdly far ahead is none."""
    delivering.write(1)
    sink = MemorySink(failing=1)
    delivering.deliver(sink)
    delivering.clock.move(-(10**7))
    assert delivering.deliver(sink, ignore_pause=False).state is State.DONE


def test_a_batch_that_is_too_large_is_halved(delivering: Delivering) -> None:
    """Down to one record; that one alone is a failure."""
    delivering.write(7)
    sink = MemorySink(most=2)
    assert delivering.deliver(sink).state is State.DONE
    assert sink.numbers == list(range(7))
    delivering.write(1)
    refusing = MemorySink(most=0)
    assert delivering.deliver(refusing).state is State.FAILED
    assert delivering.deliver(sink).sent == 1


def test_a_steady_sink_gets_the_same_batch_again(delivering: Delivering) -> None:
    """Records that came meanwhile do not change the batch of which nobody knows the end."""
    delivering.write(3)
    sink = MemorySink(failing=1, steady=True)
    delivering.deliver(sink)
    delivering.write(3)
    delivering.deliver(sink)
    assert [[r.seq for r in b.records] for b in sink.batches] == [[0, 1, 2], [3, 4, 5]]


def test_rotated_and_packed_files_are_part_of_the_spool(tmp_path: Path) -> None:
    """Delivery goes on across files, also where one was packed after a part of it was delivered."""
    delivering = Delivering(tmp_path, rotate=4096)
    sink = MemorySink()
    delivering.write(2, size=1000)
    delivering.deliver(sink, records=1, upto=0)
    assert sink.numbers == [0]
    delivering.write(20, size=1000)
    for file in rotated_files(delivering.log):
        with gzip.open(f"{file}.gz", "wb") as packed:
            packed.write(file.read_bytes())
        file.unlink()
    assert delivering.deliver(sink).state is State.DONE
    assert sink.numbers == list(range(len(sink.numbers)))
    assert delivering.trail.head() is not None
    assert sink.numbers[-1] == delivering.trail.head().seq  # type: ignore[union-attr]


def test_delivered_files_may_be_put_away_and_others_not(tmp_path: Path) -> None:
    """What is missing before it was delivered is named, not passed over."""
    delivering = Delivering(tmp_path, rotate=4096)
    sink = MemorySink()
    delivering.write(6, size=1000)
    delivering.deliver(sink)
    delivering.write(1, size=5000)  # into the next file
    (old,) = rotated_files(delivering.log)
    shutil.move(old, tmp_path / "away.jsonl.old")
    assert delivering.deliver(sink).state is State.DONE
    delivering.write(6, size=5000)
    for file in rotated_files(delivering.log)[:3]:
        file.unlink()
    outcome = delivering.deliver(sink)
    assert outcome.state is State.FAILED
    assert "were put away before they were delivered" in str(outcome.reason)


def test_a_cut_end_is_noticed(delivering: Delivering) -> None:
    """A sink has what was cut off, and says so; later records do not hide it."""
    sink = MemorySink()
    delivering.write(3)
    delivering.deliver(sink)
    lines = delivering.log.read_bytes().splitlines(keepends=True)
    delivering.log.write_bytes(lines[0])
    assert "its end was cut off" in str(delivering.deliver(sink).reason)
    delivering.write(3)
    assert "the trail was rewritten" in str(delivering.deliver(sink).reason)
    assert sink.numbers == [0, 1, 2]


def test_an_altered_record_is_not_delivered(delivering: Delivering) -> None:
    """Nor is what comes after it: a person must look."""
    sink = MemorySink()
    delivering.write(3)
    delivering.log.write_bytes(delivering.log.read_bytes().replace(b'"d1"', b'"dX"'))
    outcome = delivering.deliver(sink)
    assert outcome.state is State.FAILED
    assert "record 1 is not as it was written" in str(outcome.reason)


def test_a_trail_that_is_begun_anew_is_delivered_with_a_note(delivering: Delivering) -> None:
    """The former chain's last delivered record is kept in the note."""
    sink = MemorySink()
    delivering.write(3)
    delivering.deliver(sink)
    delivering.log.rename(delivering.log.with_name("old.txt"))
    gone = delivering.deliver(sink)
    assert "is gone" in str(gone.reason)
    delivering.clock.move(5)
    delivering.write(2)
    assert delivering.deliver(sink).state is State.DONE
    assert sink.numbers == [0, 1, 2, 0, 1]
    assert "begun anew" in str(delivering.file.load().note)
    assert len({batch.chain for batch in sink.batches}) == 2


def test_an_unfinished_line_is_not_delivered(delivering: Delivering) -> None:
    """What a killed writer left is delivered once it was recovered."""
    sink = MemorySink()
    delivering.write(2)
    with delivering.log.open("ab") as file:
        file.write(b'{"half')
    assert delivering.deliver(sink).sent == 2
    delivering.write(1)
    delivering.deliver(sink)
    assert [record.event for batch in sink.batches for record in batch.records] == [
        "decision", "decision", "recovered", "decision",
    ]  # fmt: skip


def test_one_process_at_a_time(delivering: Delivering) -> None:
    """Another one is told that it is busy, and sends nothing."""
    delivering.write(1)
    sink = MemorySink()
    delivering.deliver(sink)
    with held(delivering.file.path.with_name("test.json.lock"), patience=0):
        assert delivering.deliver(sink).state is State.BUSY


def test_a_damaged_cursor_is_named(delivering: Delivering) -> None:
    """It is neither guessed nor taken for a fresh start."""
    delivering.write(1)
    sink = MemorySink()
    delivering.deliver(sink)
    for text in ("{", '{"v": 2}', '{"v": 1, "x": 2}', "null", ""):
        delivering.file.path.write_text(text)
        outcome = delivering.deliver(sink)
        assert outcome.state is State.FAILED
        assert "cannot be read from" in str(outcome.reason)
    assert sink.numbers == [0]


def test_the_cursor_is_private_and_small(delivering: Delivering) -> None:
    """It holds numbers and hashes, no record."""
    delivering.write(1, size=1000)
    delivering.deliver(MemorySink())
    assert delivering.file.path.stat().st_mode & 0o777 == 0o600
    assert delivering.file.path.stat().st_size < 1000
    assert json.loads(delivering.file.path.read_text())["place"]["seq"] == 0
