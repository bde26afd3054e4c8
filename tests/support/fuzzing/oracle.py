"""What is wrong with a plan, read naively: the second opinion that no allow may contradict.

Nothing of tfgate is used here but its rules' words. ``RULES`` and ``violated`` say the same thing,
once for the gate and once in plain Python; a plan that this finds wrong must not be allowed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

RULES = """\
[ruleset]
id = "fuzz"
version = "1.0.0"
title = "What the oracle knows as well"
owners = ["tester@tfgate.example"]
overridable = ["F-OPEN", "F-PLAIN", "F-GONE", "F-WEAK"]

[[rules]]
id = "F-OPEN"
title = "Open to all"
severity = "high"
enforcement = "soft-mandatory"
match = { types = ["aws_security_group"], actions = ["create", "update", "replace"] }
deny = "after.ingress[?contains(cidr_blocks, '0.0.0.0/0')]"
message = "{address} is open: {@item}"

[[rules]]
id = "F-PLAIN"
title = "Not encrypted"
severity = "high"
enforcement = "hard-mandatory"
match = { types = ["aws_ebs_volume"], actions = ["create", "update", "replace"] }
require = "after.encrypted == `true`"
message = "{address} is plain: {after}"

[[rules]]
id = "F-GONE"
title = "A database goes"
severity = "high"
enforcement = "hard-mandatory"
match = { types = ["aws_db_*"], actions = ["delete", "replace"] }
deny = "`true`"
message = "{address} goes: {before.name}"

[[rules]]
id = "F-WEAK"
title = "A weak password"
severity = "high"
enforcement = "hard-mandatory"
match = { types = ["acme_login"], actions = ["create", "update", "replace"] }
deny = "after.password == 'hunter2'"
message = "{address} has the password {after.password}"
"""

WRITES = (["create"], ["update"], ["delete", "create"], ["create", "delete"])
REMOVES = (["delete"], ["delete", "create"], ["create", "delete"])
COVERED = ("aws_security_group", "aws_ebs_volume", "aws_db_", "acme_login")


def violated(data: bytes) -> frozenset[str]:
    """Return the rules that a plan certainly violates; `ValueError` if it is not JSON."""
    return frozenset(rule for document in documents(data) for rule in _of_plan(document))


def has_reason_to_allow(data: bytes) -> bool:
    """Whether every document is a plan without errors that has something a rule looks at."""
    found = documents(data)
    return bool(found) and all(_could_be_allowed(document) for document in found)


def documents(data: bytes) -> list[Any]:
    """Read the JSON documents of a stream with the standard library."""
    text = data.decode(json.detect_encoding(data)).removeprefix("\ufeff")
    decoder = json.JSONDecoder(parse_int=_number, parse_float=_number)
    found, position = [], _skip(text, 0)
    while position < len(text):
        document, position = decoder.raw_decode(text, position)
        found.append(document)
        position = _skip(text, position)
    return found


def _number(_text: str) -> int:
    """Return any number: no rule here looks at one, and some are longer than Python reads."""
    return 0


def _skip(text: str, position: int) -> int:
    while position < len(text) and text[position] in " \t\r\n\x1e":
        position += 1
    return position


def _could_be_allowed(document: Any) -> bool:
    return (
        isinstance(document, dict)
        and isinstance(document.get("format_version"), str)
        and not document.get("errored")
        and any(str(entry.get("type")).startswith(COVERED) for entry in _entries(document))
    )


def _entries(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the resource changes that have the shape of one."""
    changes = document.get("resource_changes") if isinstance(document, dict) else None
    for entry in changes if isinstance(changes, list) else ():
        if isinstance(entry, dict) and isinstance(entry.get("change"), dict):
            yield entry


def _of_plan(document: Any) -> Iterator[str]:
    for entry in _entries(document):
        kind, change = entry.get("type"), entry["change"]
        actions, after = change.get("actions"), change.get("after")
        if entry.get("mode") != "managed" or not isinstance(kind, str):
            continue
        if kind.startswith("aws_db_") and actions in REMOVES:
            yield "F-GONE"
        if actions in WRITES:
            yield from _of_values(kind, after if isinstance(after, dict) else {})


def _of_values(kind: str, after: dict[str, Any]) -> Iterator[str]:
    if kind == "aws_security_group" and _is_open(after.get("ingress")):
        yield "F-OPEN"
    if kind == "aws_ebs_volume" and after.get("encrypted") is not True:
        yield "F-PLAIN"  # an unknown value is absent here: nobody has said that it will be true
    if kind == "acme_login" and after.get("password") == "hunter2":
        yield "F-WEAK"


def _is_open(ingress: Any) -> bool:
    return isinstance(ingress, list) and any(
        isinstance(rule, dict)
        and isinstance(rule.get("cidr_blocks"), list)
        and "0.0.0.0/0" in rule["cidr_blocks"]
        for rule in ingress
    )
