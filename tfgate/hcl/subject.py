"""A block as rules on sources see it, and the addresses that it has.

A directory of thousands of blocks may be called thousands of times. The modules are written once
for all of its blocks, and an address when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Protocol, overload

from tfgate.hcl.secrets import redacted_body, secret_literals
from tfgate.model import Frozen

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tfgate.hcl.index import ModuleNode
    from tfgate.model.address import Location


class Users(NamedTuple):
    """The modules of the tree that use one directory."""

    first: ModuleNode
    """The one that speaks for all where one must."""
    addresses: tuple[str, ...]
    """Of all of them, written once for all blocks of the directory; ``""`` for the root."""


class Addresses(Sequence[str]):
    """The addresses of one block, one in each of ``modules`` (``""`` is the root)."""

    __slots__ = ("_modules", "_name")

    def __init__(self, modules: Sequence[str], name: str) -> None:
        self._modules = modules
        self._name = name

    def __len__(self) -> int:
        return len(self._modules)

    @overload
    def __getitem__(self, position: int) -> str: ...
    @overload
    def __getitem__(self, position: slice) -> Sequence[str]: ...
    def __getitem__(self, position: int | slice) -> str | Sequence[str]:
        if isinstance(position, slice):
            return Addresses(self._modules[position], self._name)
        return _inside(self._modules[position], self._name)

    def __iter__(self) -> Iterator[str]:
        name = self._name
        return (_inside(module, name) for module in self._modules)


def _inside(module: str, name: str) -> str:
    return f"{module}.{name}" if module else name


UNREADABLE = "unreadable"
"""The kind of the entry that stands for a file, or the rest of one, that cannot be read."""

FIELDS = (
    "kind",
    "type",
    "name",
    "labels",
    "address",
    "file",
    "line",
    "end_line",
    "module",
    "body",
    "written",
    "blocks",
    "providers",
)
"""Fields of the root that a rule on sources sees; the last two are of ``terraform`` alone."""

TYPED = ("resource", "data", "ephemeral", "action", "provider")
"""Kinds whose first label is a type."""


class Wants(Protocol):
    """Says which fields of the root are read."""

    def wants(self, field: str) -> bool:
        """Whether ``field`` is read."""


class Contents(NamedTuple):
    """Both views of a block; empty with an ``error``."""

    known: dict[str, Any]
    value: Callable[[], dict[str, Any]]
    error: str | None = None


class SourceBlock(Frozen, frozen=True, dict=True, eq=False):
    """One top-level block of one file, or (`UNREADABLE`) what may hold blocks and is not read.

    ``kind`` is ``resource``, ``terraform``, …; ``modules`` are the addresses of the modules that
    use the file (``""`` is the root); ``addresses`` are the block's config addresses in them, or
    the file's path alone for a block that has none, and ``address`` is the first. With an
    ``error``, a sentence, there are no values, and a rule that selects the block must end in the
    outcome ``error``.

    It has what the engine asks of a subject.
    """

    in_plan: ClassVar = False
    action: ClassVar = None
    deposed: ClassVar[str | None] = None
    provider_name: ClassVar = ""

    kind: str
    labels: tuple[str, ...]
    location: Location
    addresses: Sequence[str]
    modules: tuple[str, ...]
    contents: Contents
    find: Callable[[str], Location] | None = None
    more: Callable[[], dict[str, Any]] | None = None
    """Returns further fields of the root, where the kind has any."""

    @property
    def error(self) -> str | None:
        """Why there are no values."""
        return self.contents.error

    @property
    def address(self) -> str:
        """Config address in the first module that uses the file, or the file's path."""
        return self.addresses[0]

    def place(self, path: str | None) -> Location:
        """Return the place of what stands at ``path`` in the block (``None``: of the block)."""
        return self.location if path is None or self.find is None else self.find(path)

    def literal_secrets(self) -> Any:
        """Return the literals that look like secrets: path and kind, never the value."""
        return secret_literals(self.kind, self.name, self.known)

    @property
    def type(self) -> str:
        """Type of a resource, data source, …; name of a provider; ``""`` for other kinds."""
        return self.labels[0] if self.kind in TYPED and self.labels else ""

    @property
    def name(self) -> str:
        """Name in the configuration; ``""`` where the kind has none."""
        return self.labels[-1] if self.labels else ""

    @property
    def mode(self) -> str:
        """``data`` for a data source, ``managed`` for all else."""
        return "data" if self.kind == "data" else "managed"

    @property
    def module_address(self) -> str:
        """Address of the (first) module that uses the file."""
        return self.modules[0]

    @property
    def known(self) -> dict[str, Any]:
        """What is in the block, with ``UNKNOWN`` for an expression; empty with an error."""
        return self.contents.known

    @cached_property
    def value(self) -> dict[str, Any]:
        """What is in the block, with ``{"expression": "…"}`` for one; empty with an error."""
        return self.contents.value()

    def document(self, reads: Wants | None = None) -> dict[str, Any]:
        """Return the root that a rule on sources sees.

        ``written`` is the view in which an expression is ``{"expression": "…"}``; it is there where
        ``reads`` wants it, or is not given.
        """
        written = self.value if reads is None or reads.wants("written") else {}
        return self._root(self.known, written)

    def redacted(self, reads: Wants | None = None) -> dict[str, Any]:
        """Return the same with ``SENSITIVE`` for each literal that is, or looks like, a secret."""
        written = self.value if reads is None or reads.wants("written") else {}
        return self._root(redacted_body(self.kind, self.known), redacted_body(self.kind, written))

    def _root(self, body: dict[str, Any], written: dict[str, Any]) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "type": self.type,
            "name": self.name,
            "labels": list(self.labels),
            "address": self.address,
            "file": self.location.file,
            "line": self.location.line,
            "end_line": self.location.end_line,
            "module": self.module_address,
            "body": body,
            "written": written,
            "blocks": None,
            "providers": None,
            **(self.more() if self.more is not None else {}),
        }
