"""The floor: read a plan, hash it, and decode its JSON once, leaving values undecoded."""

from __future__ import annotations

import hashlib
import sys

import msgspec

Raw = msgspec.Raw


class Change(msgspec.Struct):
    """A change with its values as bytes."""

    actions: list[str]
    before: Raw = Raw(b"null")
    after: Raw = Raw(b"null")
    after_unknown: Raw = Raw(b"null")
    before_sensitive: Raw = Raw(b"null")
    after_sensitive: Raw = Raw(b"null")


class Entry(msgspec.Struct):
    """An entry of ``resource_changes``."""

    address: str
    type: str
    change: Change


class Plan(msgspec.Struct):
    """A plan whose other sections stay bytes."""

    resource_changes: list[Entry]
    planned_values: Raw = Raw(b"")
    prior_state: Raw = Raw(b"")
    configuration: Raw = Raw(b"")


with open(sys.argv[1], "rb") as file:
    data = file.read()
digest = hashlib.sha256(data).hexdigest()
plan = msgspec.json.decode(data, type=Plan)
print(digest, len(plan.resource_changes))
