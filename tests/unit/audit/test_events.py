"""The table of events is what the program writes: no more, and no less."""

from __future__ import annotations

import ast
import json
from pathlib import Path
from typing import TYPE_CHECKING

import jsonschema
import msgspec
import pytest

import tfgate
from tests.support.audit_gate import AuditGate
from tests.support.record_schema import check_records
from tfgate.audit.event_schema import PATH, record_schema, schema_text
from tfgate.audit.events import CHAIN, EVENTS, Approvals, RecordedRuleset, is_bad
from tfgate.audit.trail_files import Rotation, rotated_files
from tfgate.audit.writer import AuditTrail
from tfgate.cli.main import main
from tfgate.provenance.read import LastChange, RulesetProvenance

if TYPE_CHECKING:
    from collections.abc import Iterator

SOURCES = Path(tfgate.__file__).parent


def written() -> Iterator[str]:
    """Yield every event that some call in the program names."""
    for path in SOURCES.rglob("*.py"):
        if path.parent.name == "sinks" or path.name == "events.py":
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            yield from _named(node)


def _named(node: ast.AST) -> Iterator[str]:
    calls = ("append", "_record", "_write", "log_record")
    if isinstance(node, ast.Call):
        function = node.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if name in calls and len(node.args) >= 2:
            yield from _texts(node.args[:2])
    if isinstance(node, (ast.Yield, ast.Return)) and isinstance(node.value, ast.Tuple):
        yield from _texts(node.value.elts[:1])
    if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "USED":
        yield from _texts([node.value])


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value:
            yield node.value


def test_every_event_of_the_table_is_written_somewhere() -> None:
    """An event that nobody writes any more would be documented for nothing."""
    assert set(EVENTS) <= set(written())


@pytest.mark.parametrize("room", ["app", "audit", "web"])
def test_every_event_that_is_written_is_in_the_table(room: str) -> None:
    """Whoever records something new has to say in the table what it is."""
    for path in (SOURCES / room).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            receiver = ast.unparse(node.func.value)
            records = "recorder" in receiver or "trail" in receiver or node.func.attr == "_record"
            if records and node.func.attr in ("append", "_record") and len(node.args) >= 2:
                assert set(_texts(node.args[:1])) <= set(EVENTS), f"{path}: {ast.unparse(node)}"


def test_the_records_of_a_gate_are_as_the_table_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Decisions of every kind, an override, a checkpoint: no member is missing or unknown."""
    monkeypatch.chdir(tmp_path)
    gate = AuditGate(tmp_path)
    gate.live()
    (tmp_path / "broken.json").write_text("{")
    assert main(["check", "broken.json"]) == 3
    records = [one for one in gate.records() if not one["event"].startswith("apply_")]
    assert {one["event"] for one in records} == {"decision", "undecided", "checkpoint"}
    check_records(records)


def test_what_the_trail_says_of_itself_is_as_the_table_says(tmp_path: Path) -> None:
    """Recovery, with a fragment and without, and rotation."""
    log = tmp_path / "audit.jsonl"
    trail = AuditTrail(log, rotation=Rotation(max_bytes=1))
    trail.append("checkpoint_failed", {"reason": "no key"})
    trail.append("checkpoint_failed", {"reason": "no key"})
    with log.open("ab") as file:
        file.write(b'{"half')
    trail.append("checkpoint_failed", {"reason": "no key"})
    files = [*rotated_files(log), log]
    lines = [line for path in files for line in path.read_text().splitlines()]
    check_records(map(json.loads, lines))
    assert {json.loads(line)["event"] for line in lines} >= {"recovered", "rotated"}


def test_the_published_schema_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """Run scripts/generate where it is not; `tfgate schema record` prints it."""
    assert PATH.read_text(encoding="utf-8") == schema_text()
    jsonschema.Draft202012Validator.check_schema(record_schema())
    assert main(["schema", "record"]) == 0
    assert capsys.readouterr().out == schema_text()


def test_the_published_schema_takes_what_comes_later(tmp_path: Path) -> None:
    """A member and an event that it does not know are no mistake, a wrong type is one."""
    trail = AuditTrail(tmp_path / "audit.jsonl")
    trail.append("invented", {"what": "ever"})
    trail.append("checkpoint_failed", {"reason": "no key", "later": 1})
    trail.append("checkpoint_failed", {"reason": 7})
    good, more, bad = map(json.loads, trail.path.read_text().splitlines())
    published = jsonschema.Draft202012Validator(record_schema())
    assert published.is_valid(good)
    assert published.is_valid(more)
    assert not published.is_valid(bad)
    with pytest.raises(AssertionError, match="invented"):
        check_records([good])
    with pytest.raises(AssertionError, match="later"):
        check_records([more])


def test_types_of_rooms_that_do_not_know_each_other_agree() -> None:
    """Records hold what provenance finds out; the table repeats its shape."""
    names = {field.name for field in msgspec.structs.fields(RulesetProvenance)}
    assert names <= {field.name for field in msgspec.structs.fields(RecordedRuleset)}
    assert [(each.name, each.type) for each in msgspec.structs.fields(LastChange)] == [
        (each.name, each.type) for each in msgspec.structs.fields(Approvals)
    ]


def test_no_member_is_named_as_one_of_the_chain() -> None:
    """The trail would refuse it."""
    assert all(set(CHAIN).isdisjoint(event.members) for event in EVENTS.values())


@pytest.mark.parametrize(
    ("event", "fields", "bad"),
    [
        ("decision", {"decision": "allow"}, False),
        ("decision", {"decision": "deny"}, True),
        ("apply_finished", {"exit_code": 0}, False),
        ("apply_finished", {"exit_code": 1}, True),
        ("apply_finished", {"exit_code": None}, True),
        ("obligations", {"counts": {"met": 1, "broken": 0, "unresolved": 0}}, False),
        ("obligations", {"counts": {"met": 0, "broken": 1, "unresolved": 0}}, True),
        ("obligations", {"counts": {"met": 0, "broken": 0, "unresolved": 1}}, True),
        ("recovered", {}, True),
        ("rotated", {}, False),
        ("decision", {"counts": 7, "exit_code": "x"}, True),
    ],
)
def test_what_somebody_should_look_at(event: str, fields: dict[str, object], bad: bool) -> None:
    """A denial, a failure, a gap; whatever the record holds."""
    assert is_bad(event, fields) is bad
