"""What an Atlantis server is told to do, as far as policy checks go.

Read in its source (server/core/config, August 2026): entries of ``repos`` are laid over one
another in their order, for each repository those whose ``id`` fits it.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import re2

from tfgate.app.atlantis.document import Item, parse_document, read_document

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

DEFAULT_WORKFLOW = "default"


@dataclass(frozen=True)
class Flags:
    """Flags of ``atlantis server``: from the command line, the environment, its settings file."""

    values: Mapping[str, Item] = field(default_factory=dict)
    known: bool = False
    """Whether there was anything to read them from."""

    def __getitem__(self, name: str) -> Item:
        """Give a flag by its name without dashes."""
        return self.values.get(name, Item("atlantis server"))


def read_flags(words: Sequence[str], environment: Mapping[str, str], settings: str | None) -> Flags:
    """Gather the flags; the command line wins, then the environment, then ``settings`` (a file).

    Raises ``UsageError`` for a file that cannot be read.
    """
    values: dict[str, Item] = {}
    if settings is not None:
        values |= dict(read_document(settings).entries)
    for name, text in environment.items():
        if name.startswith("ATLANTIS_") and not name.startswith(("ATLANTIS_PR_", "ATLANTIS_TERRA")):
            flag = name.removeprefix("ATLANTIS_").lower().replace("_", "-")
            values[flag] = _value(text, f"${name}")
    values |= dict(_of_words(words))
    return Flags(values, bool(values) or bool(words) or settings is not None)


def _of_words(words: Sequence[str]) -> Iterator[tuple[str, Item]]:
    """Read ``--name=value``, ``--name value`` and ``--name``."""
    for number, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        following = words[number + 1] if number + 1 < len(words) else "--"
        text = value if equals else "true" if following.startswith("-") else following
        yield name, _value(text, f"--{name}")


def _value(text: str, where: str) -> Item:
    quoted = "'" + text.replace("'", "''") + "'"
    return Item(where, parse_document(quoted, where).node)


@dataclass(frozen=True)
class Repo:
    """What holds for the repositories that one entry of ``repos`` is the last to fit."""

    id: str
    entry: Item
    workflow: Item
    """Name of the workflow; missing where it is the built-in one."""
    policy_check: Item
    custom_policy_check: Item
    apply_requirements: Item
    allowed_overrides: Item
    allowed_workflows: Item
    allow_custom_workflows: Item


_KEYS = (
    "workflow",
    "policy_check",
    "custom_policy_check",
    "apply_requirements",
    "allowed_overrides",
    "allowed_workflows",
    "allow_custom_workflows",
)


def repos_of(document: Item) -> list[Repo]:
    """Give what holds for each entry; without any, what holds for every repository."""
    missing = Item(document.file, None, document.line)
    entries = document["repos"].items
    found = []
    for number, entry in enumerate(entries):
        own = entry["id"].text or ""
        laid = [other for other in entries[:number] if _fits(other["id"].text or "", own)]
        given = dict.fromkeys(_KEYS, missing)
        for layer in (*laid, entry):
            given |= {key: layer[key] for key in _KEYS if layer[key].given}
        found.append(Repo(own, entry, **given))
    return found or [Repo("/.*/", missing, **dict.fromkeys(_KEYS, missing))]


def _fits(pattern: str, other: str) -> bool:
    """Tell whether an entry holds for what another is for. Of two patterns only ``.*`` is sure."""
    if not (pattern.startswith("/") and pattern.endswith("/") and len(pattern) > 1):
        return pattern == other
    if pattern == other or pattern in {"/.*/", "/.+/", "//"}:
        return True
    if other.startswith("/"):
        return False

    try:
        return re2.compile(pattern[1:-1]).search(other) is not None
    except re2.error:
        return False


@dataclass(frozen=True)
class Step:
    """One step of a stage."""

    name: str
    """``run``, ``show``, ``env``, …"""
    item: Item
    command: str = ""
    output: Item = field(default_factory=lambda: Item(""))

    @property
    def is_verdict(self) -> bool:
        """Whether it is ``tfgate atlantis``."""
        return self._calls("atlantis") and not self._calls("atlantis", "(?:apply|doctor)")

    @property
    def is_apply(self) -> bool:
        """Whether it is ``tfgate atlantis apply``."""
        return self._calls("atlantis", "apply")

    @property
    def words(self) -> list[str]:
        """The words of the command, as far as they can be told apart."""
        try:
            return shlex.split(self.command, comments=True)
        except ValueError:
            return self.command.split()

    def _calls(self, *words: str) -> bool:
        pattern = r"(?:^|[\s;&|(/])tfgate\s+" + r"\s+".join(words) + r"(?=$|[\s;&|)])"
        return self.name == "run" and re.search(pattern, self.command) is not None


def steps_of(stage: Item) -> list[Step]:
    """Give the steps of a stage, in order."""
    return [_step(item) for item in stage["steps"].items]


def _step(item: Item) -> Step:
    if (name := item.text) is not None:
        return Step(name, item)
    entries = item.entries
    if not entries:
        return Step("", item)
    name, value = entries[0]
    command = value.text if value.text is not None else value["command"].text
    return Step(name, item, command or "", value["output"])
