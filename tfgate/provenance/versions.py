"""Which change of a file that holds several rules was the last one of each rule."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tfgate.ruleset.files import Unreadable, decode_text, parse_toml

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tfgate.provenance.git import Repository
    from tfgate.provenance.history import Touch

MAX_VERSIONS = 1_000
"""Of one file. What changed before those is put down to the oldest of them."""


def last_touches(
    repository: Repository, touches: Sequence[Touch], rules: Sequence[str], path: str
) -> dict[str, Touch]:
    """Give the last change of each rule in a file, and of the rest of it (under ``path``).

    ``touches`` are the changes of the file, newest first. A version that is no TOML counts as one
    in which everything changed.
    """
    touches = touches[:MAX_VERSIONS]
    blobs = {blob for touch in touches for blob in (touch.old, touch.new) if blob is not None}
    texts = dict(repository.objects(sorted(blobs)))
    open_items = {*rules, path}
    found: dict[str, Touch] = {}
    for touch in touches:
        old, new = _items(texts, touch.old, path), _items(texts, touch.new, path)
        for item in sorted(open_items):
            if old is None or new is None or old.get(item) != new.get(item):
                found[item] = touch
        open_items -= found.keys()
    for item in open_items if touches else ():
        found[item] = touches[-1]
    return found


def _items(texts: Mapping[str, bytes | None], blob: str | None, path: str) -> dict[str, str] | None:
    """Give the parts of a version in a comparable form; ``None`` for one that cannot be read."""
    data = b"" if blob is None else texts.get(blob)
    if data is None:
        return None
    try:
        table = parse_toml(decode_text(data, path), path)
    except Unreadable:
        return None
    rules = table.pop("rules", [])
    items = {path: _canonical(table)}
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, dict) and isinstance(rule.get("id"), str):
            items[rule["id"]] = _canonical(rule)
    return items


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
