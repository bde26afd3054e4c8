"""What an Atlantis server is set to do, as far as policy checks go.

Read in its source (server/core/config, August 2026): entries of ``repos`` are laid over one
another in their order, for each repository those whose ``id`` fits it.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import re2

from tfgate.errors import UsageError, explained
from tfgate.model import Frozen
from tfgate.opening import open_file

# Nodes are composed, never constructed: no tag makes an object, and an alias is looked through
# where it is used, so that no file grows while it is read.
_TRUE = {"true", "yes", "on", "y"}
_FALSE = {"false", "no", "off", "n"}
_MAX_BYTES = 4 * 1024**2
_DEEPEST = 30
"""Merge keys that are followed."""


class Item(Frozen, frozen=True):
    """A value of a document, or the place where one is missing (``node`` is ``None``)."""

    file: str
    node: Any = None
    near: int | None = None
    """Line (1-based) to point at where there is no value: that of what it is missing in."""

    @property
    def line(self) -> int | None:
        """Line of the value, or of what it is missing in."""
        return self.near if self.node is None else int(self.node.start_mark.line) + 1

    @property
    def given(self) -> bool:
        """Whether there is a value at all; ``null`` is none."""
        return self.node is not None and self.node.tag != "tag:yaml.org,2002:null"

    @property
    def text(self) -> str | None:
        """The value as written, where it is a single one."""
        return str(self.node.value) if self._kind == "scalar" and self.given else None

    @property
    def boolean(self) -> bool | None:
        """The value as yes or no, where it is one."""
        word = (self.text or "").lower()
        return True if word in _TRUE else False if word in _FALSE else None

    @property
    def items(self) -> list[Item]:
        """The elements, where it is a list."""
        nodes = self.node.value if self._kind == "sequence" else ()
        return [Item(self.file, node) for node in nodes]

    @property
    def texts(self) -> list[str]:
        """The elements that are single values."""
        return [text for item in self.items if (text := item.text) is not None]

    @property
    def entries(self) -> list[tuple[str, Item]]:
        """Keys and values, where it is a table; of a repeated key the last."""
        return list(dict(self._pairs(0)).items())

    def __getitem__(self, key: str) -> Item:
        """Return the value of a key; of a list of keys through tables use ``at``."""
        return dict(self._pairs(0)).get(key, Item(self.file, None, self.line))

    def at(self, *keys: str) -> Item:
        """Return the value at the end of a path of keys."""
        item = self
        for key in keys:
            item = item[key]
        return item

    @property
    def _kind(self) -> str:
        return "" if self.node is None else str(self.node.id)

    def _pairs(self, depth: int) -> Iterator[tuple[str, Item]]:
        """Yield keys and values, those of merge keys (``<<``) first, so that own ones win."""
        if self._kind != "mapping" or depth > _DEEPEST:
            return
        for key, value in self.node.value:
            if key.tag == "tag:yaml.org,2002:merge":
                merged = value.value if value.id == "sequence" else [value]
                for node in merged:
                    yield from Item(self.file, node)._pairs(depth + 1)
        for key, value in self.node.value:
            if key.id == "scalar" and key.tag != "tag:yaml.org,2002:merge":
                yield str(key.value), Item(self.file, value)


def read_document(path: str) -> Item:
    """Read a YAML file. Raises ``UsageError`` where it cannot be read, or is none."""
    with explained(f"{path} cannot be read", UsageError), open_file(path) as file:
        data = file.read(_MAX_BYTES + 1)
    if len(data) > _MAX_BYTES:
        raise UsageError(f"{path} is larger than 4 MiB, which no configuration is.")
    return parse_document(data, path)


def parse_document(data: bytes | str, name: str) -> Item:
    """Read YAML. Raises ``UsageError``."""
    try:
        import yaml
    except ImportError:
        raise UsageError(
            "Reading YAML needs the package PyYAML, which is not installed here.",
            hint="Run `pip install 'tfgate[yaml]'`.",
        ) from None
    try:
        return Item(name, yaml.compose(data, Loader=yaml.SafeLoader), near=1)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = name if mark is None else f"{name}:{mark.line + 1}"
        raise UsageError(f"{where} is not YAML: {error.problem}.") from None
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise UsageError(f"{name} is not YAML.") from None


DEFAULT_WORKFLOW = "default"


class Flags(Frozen, frozen=True):
    """Flags of ``atlantis server``: from the command line, the environment, its settings file."""

    values: Mapping[str, Item] = {}
    known: bool = False
    """Whether there was anything to read them from."""

    def __getitem__(self, name: str) -> Item:
        """Return a flag by its name without dashes."""
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


class Repo(Frozen, frozen=True):
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


_KEYS = Repo.__struct_fields__[2:]


def repos_of(document: Item) -> list[Repo]:
    """Return what holds for each entry; without any, what holds for every repository."""
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
    """Whether an entry holds for what another is for. Of two patterns only ``.*`` is sure."""
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


class Step(Frozen, frozen=True):
    """One step of a stage."""

    name: str
    """``run``, ``show``, ``env``, …"""
    item: Item
    command: str = ""
    output: Item = Item("")

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
        """The words of the command, as far as they can be split."""
        try:
            return shlex.split(self.command, comments=True)
        except ValueError:
            return self.command.split()

    def _calls(self, *words: str) -> bool:
        pattern = r"(?:^|[\s;&|(/])tfgate\s+" + r"\s+".join(words) + r"(?=$|[\s;&|)])"
        return self.name == "run" and re.search(pattern, self.command) is not None


def steps_of(stage: Item) -> list[Step]:
    """Return the steps of a stage, in order."""
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
