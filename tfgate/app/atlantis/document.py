"""A YAML file whose every value knows its line.

Nodes are composed, never constructed: no tag makes an object, and an alias is looked through where
it is used, so that no file grows while it is read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tfgate.errors import UsageError
from tfgate.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_TRUE = {"true", "yes", "on", "y"}
_FALSE = {"false", "no", "off", "n"}
_MAX_BYTES = 4 * 1024**2
_DEEPEST = 30
"""Merge keys that are followed."""


@dataclass(frozen=True)
class Item:
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
        """Give the value of a key; of a list of keys through tables use ``at``."""
        return dict(self._pairs(0)).get(key, Item(self.file, None, self.line))

    def at(self, *keys: str) -> Item:
        """Give the value at the end of a path of keys."""
        item = self
        for key in keys:
            item = item[key]
        return item

    @property
    def _kind(self) -> str:
        return "" if self.node is None else str(self.node.id)

    def _pairs(self, depth: int) -> Iterator[tuple[str, Item]]:
        """Give keys and values, those of merge keys (``<<``) first, so that own ones win."""
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
    try:
        with open_file(path) as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}.") from None
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
