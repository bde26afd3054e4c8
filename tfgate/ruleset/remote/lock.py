"""``tfgate.lock``: which commit each ruleset in git is, and what its files are."""

from __future__ import annotations

import json
import os
import tempfile
from typing import TYPE_CHECKING, Final

from tfgate.errors import ConfigError, Problem
from tfgate.ruleset.files import Unreadable, read_toml
from tfgate.ruleset.frozen import Frozen
from tfgate.ruleset.problems import show_name
from tfgate.ruleset.strict import Integer, Key, ListOf, Table, Text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tfgate.ruleset.problems import Problems

LOCK_NAME: Final = "tfgate.lock"
_HEAD: Final = (
    "# Which commit each ruleset in git is, and the digest of its files. Keep it under version\n"
    "# control; tfgate writes it, and moves it when told to: tfgate rules update\n"
    "version = 1\n"
)

_ENTRY: Final = Table(
    "a locked ruleset",
    {
        "source": Key(Text(most=1_000, one_line=True), "As configured.", required=True, default=""),
        "commit": Key(
            Text("a full commit id", r"[0-9a-f]{40}(?:[0-9a-f]{24})?"),
            "The commit it is.",
            required=True,
            default="",
        ),
        "digest": Key(
            Text("sha256: and 64 hexadecimal digits", r"sha256:[0-9a-f]{64}"),
            "Of every file below its path.",
            required=True,
            default="",
        ),
    },
)
LOCK: Final = Table(
    LOCK_NAME,
    {
        "version": Key(Integer(1, 1), "Version of the format.", required=True, default=1),
        "rulesets": Key(ListOf(_ENTRY, unique=False), "The rulesets.", default=()),
    },
)


class Pin(Frozen, frozen=True):
    """What a ruleset is pinned to."""

    commit: str
    digest: str


def read_lock(path: Path) -> dict[str, Pin]:
    """Give the pins by source; none where there is no file. Raises ``ConfigError``.

    A lock that cannot be read is no lock that says nothing: it is a mistake to be mended.
    """
    if not os.path.lexists(path):
        return {}
    try:
        file = read_toml(path, path.name)
    except Unreadable as error:
        raise ConfigError([error.problem, _mend(path)]) from None
    problems = file.problems()
    read = LOCK.read(file.table, (), problems)
    pins: dict[str, Pin] = {}
    for number, entry in enumerate(read["rulesets"] or ()):
        _check_repeated(entry["source"], pins, number, problems)
        pins[entry["source"]] = Pin(entry["commit"], entry["digest"])
    if problems:
        raise ConfigError([*problems.done(), _mend(path)])
    return pins


def _mend(path: Path) -> Problem:
    return Problem(
        path.name,
        "is written by tfgate alone: take it back to what it was, or delete"
        " the entry and run tfgate rules update",
    )


def _check_repeated(source: str, pins: Mapping[str, Pin], number: int, problems: Problems) -> None:
    if source and source in pins:
        problems.add(f"{show_name(source)} is locked twice", ("rulesets", number, "source"))


def write_lock(path: Path, pins: Mapping[str, Pin]) -> None:
    """Write the lock whole or not at all. Raises ``ConfigError``."""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with open(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(lock_text(pins))
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        os.unlink(temporary)
        raise _unwritable(path, error) from None


def lock_text(pins: Mapping[str, Pin]) -> str:
    """Give the file's text: sorted by source, so that it differs only where a pin does."""
    entries = (
        f"\n[[rulesets]]\nsource = {json.dumps(source, ensure_ascii=False)}\n"
        f'commit = "{pin.commit}"\ndigest = "{pin.digest}"\n'
        for source, pin in sorted(pins.items())
    )
    return _HEAD + "".join(entries)


def _unwritable(path: Path, error: OSError) -> ConfigError:
    message = f"cannot be written: {(error.strerror or 'unknown reason').lower()}"
    return ConfigError([Problem(path.name, message)])
