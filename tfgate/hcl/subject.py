"""A block as rules on sources see it."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfgate.hcl.redaction import redacted_body

if TYPE_CHECKING:
    from tfgate.hcl.contents import Contents
    from tfgate.model.location import Location

UNREADABLE = "unreadable"
"""The kind of the entry that stands for a file, or the rest of one, that cannot be read."""

TYPED = ("resource", "data", "ephemeral", "action", "provider")
"""Kinds whose first label is a type."""


class SourceBlock:
    """One top-level block of one file, or (`UNREADABLE`) what may hold blocks and is not read.

    ``kind`` is ``resource``, ``terraform``, …; ``modules`` are the addresses of the modules that
    use the file (``""`` is the root); ``address`` is the block's config address in the first of
    them, or the file's path for a block that has none. With an ``error``, a sentence, there are no
    values, and a rule that selects the block must end in the outcome ``error``.

    It has what the engine asks of a subject.
    """

    action: None = None
    deposed: str | None = None
    provider_name = ""

    def __init__(
        self,
        kind: str,
        labels: tuple[str, ...],
        location: Location,
        address: str,
        modules: tuple[str, ...],
        contents: Contents,
    ) -> None:
        self.kind = kind
        self.labels = labels
        self.location = location
        self.address = address
        self.modules = modules
        self.error = contents.error
        self._contents = contents

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
        return self._contents.known

    @cached_property
    def value(self) -> dict[str, Any]:
        """What is in the block, with ``{"expression": "…"}`` for one; empty with an error."""
        return self._contents.value()

    def document(self, reads: object = None, *, unknowns: bool = True) -> dict[str, Any]:
        """Give the root that a rule on sources sees, with ``body`` in either view.

        ``reads`` is taken and not looked at: all of a block is at hand.
        """
        return self._root(self.known if unknowns else self.value)

    def redacted(self, reads: object = None, *, unknowns: bool = True) -> dict[str, Any]:
        """Give the same with ``SENSITIVE`` for each literal that is, or looks like, a secret."""
        return self._root(redacted_body(self.kind, self.known if unknowns else self.value))

    def _root(self, body: dict[str, Any]) -> dict[str, Any]:
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
        }
