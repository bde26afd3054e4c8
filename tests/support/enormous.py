"""Texts of ten million characters, in every kind of input that a command takes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tests.support.gitrepo import Repo
from tests.support.hostile import LONG
from tests.support.plans import change, plan_bytes

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.support.faults.box import Box

PLAIN: Final = "x" * len(LONG)
_VALUES = {"bucket": LONG, "tags": {"a": "b"}}
_NAMED = {"bucket": "x", "tags": {LONG: "b"}}
_SMALL = {"bucket": "x", "tags": {}}


def _plan(box: Box, after: Any = None, entry: Any = None, **sections: Any) -> None:
    made = change("aws_s3_bucket.logs", ["update"], after or _SMALL, before=_SMALL)
    data = plan_bytes({**made, **(entry or {})}, **sections)
    (box.work / "bad.json").write_bytes(data)
    (box.work / "plans" / "prod" / "b.json").write_bytes(data)


def values(box: Box) -> None:
    """Values of a plan: an attribute and an output."""
    change = {"actions": ["create"], "before": None, "after": LONG, "after_unknown": False}
    _plan(box, _VALUES, output_changes={"o": change})


def elsewhere(box: Box) -> None:
    """Other values of a plan: variables, checks, constants of the configuration."""
    bucket = {
        "address": "aws_s3_bucket.logs", "mode": "managed", "type": "aws_s3_bucket",
        "name": "logs", "expressions": {"bucket": {"constant_value": LONG}},
    }  # fmt: skip
    _plan(
        box,
        variables={"v": {"value": LONG}},
        checks=[{"address": {"kind": LONG, "to_display": LONG}, "status": LONG}],
        configuration={"root_module": {"resources": [bucket]}},
    )


def keys(box: Box) -> None:
    """Keys of a map in a plan."""
    _plan(box, _NAMED)


def _entry(**entry: Any) -> Callable[[Box], None]:
    return lambda box: _plan(box, entry=entry)


def _section(**sections: Any) -> Callable[[Box], None]:
    return lambda box: _plan(box, **sections)


PLAN_NAMES: Final[dict[str, Callable[[Box], None]]] = {
    **{
        name: _entry(**{name: LONG})
        for name in ("address", "type", "name", "index", "deposed", "previous_address",
                     "module_address", "provider_name", "action_reason", "mode")
    },
    "terraform_version": _section(terraform_version=LONG),
    "timestamp": _section(timestamp=LONG),
    "format_version": _section(format_version=LONG),
    "key": _section(**{LONG: 1}),
    "output": _section(output_changes={LONG: {"actions": ["create"], "after": 1}}),
}  # fmt: skip
"""What is said on every report and in the record, and therefore has its bounds."""


def ruleset(box: Box, key: str) -> None:
    """Put it into a rule, as the value of a key or as a key."""
    path = box.gate / "policy" / "rules" / "a-1.toml"
    text = path.read_text()
    _write(path, f"{PLAIN} = 1\n{text}" if key == "key" else f'{key} = "{PLAIN}"\n{text}')


def config(box: Box, key: str) -> None:
    """Put it into a waiver of the configuration."""
    path = box.gate / "tfgate.toml"
    _write(path, f'{path.read_text()}[[waivers]]\n{key} = "{PLAIN}"\n')


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


SOURCES: Final = {
    "value": f'resource "aws_s3_bucket" "logs" {{\n  bucket = "{PLAIN}"\n}}\n',
    "label": f'resource "aws_s3_bucket" "{PLAIN}" {{\n}}\n',
    "comment": f'# checkov:skip=CKV_AWS_18:{PLAIN}\nresource "aws_s3_bucket" "logs" {{\n}}\n',
    "waiver": f'resource "aws_s3_bucket" "logs" {{\n  # tfgate:waive A-1 reason="{PLAIN}"\n}}\n',
    "line": PLAIN,
}
"""Files of Terraform."""


def request(box: Box, name: str) -> None:
    """Put it into an approval request."""
    path = box.work / "request.json"
    data = json.loads(path.read_bytes())
    part = data["findings"][0] if name in ("message", "address") else data
    part[name] = LONG
    _write(path, json.dumps(data))


def envelope(path: Path, name: str) -> None:
    """Put it into an approval or a receipt."""
    data = json.loads(path.read_bytes())
    part = data["signatures"][0] if name in ("sig", "keyid") else data
    part[name] = LONG
    _write(path, json.dumps(data))


def state(box: Box) -> None:
    """Put it into the values and keys of a state."""
    path = box.work / "state.json"
    data = json.loads(path.read_bytes())
    data["values"]["root_module"]["resources"][0]["values"] |= {"bucket": LONG, LONG: LONG}
    _write(path, json.dumps(data))


def record(box: Box, name: str) -> None:
    """Put it into a record of the trail, which somebody else wrote."""
    path = box.gate / "audit.jsonl"
    lines = path.read_bytes().splitlines()
    number = next(n for n, line in enumerate(lines) if b'"decision":"deny"' in line)
    data = json.loads(lines[number])
    part = data["findings"][0] if name in ("message", "address") else data
    part[LONG if name == "key" else name] = LONG
    line = json.dumps(data, separators=(",", ":"), sort_keys=True)
    lines[number] = LONG.encode() if name == "line" else line.encode()
    path.write_bytes(b"\n".join(lines) + b"\n")


def commit(box: Box) -> None:
    """Put it into the message of a commit that changes a rule."""
    repo = Repo.__new__(Repo)
    repo.path, repo.clock = box.gate / "repo", 1_770_000_000
    path = repo.path / "policy" / "rules" / "a-2.toml"
    path.write_text(path.read_text().replace('"low"', '"medium"'))
    repo.commit(f"A change\n\nReviewed-by: {LONG} <a@b.example>")
