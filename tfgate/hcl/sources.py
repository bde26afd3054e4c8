"""One file, and one module directory: what they declare, found when somebody asks."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from tfgate.hcl.files import decode, is_override
from tfgate.hcl.scanner import Body
from tfgate.hcl.syntax import JSON, NATIVE

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tfgate.hcl.files import Reader
    from tfgate.hcl.scanner import Block

_TWO_LABELS = {"resource": "", "data": "data.", "ephemeral": "ephemeral.", "action": "action."}
_ONE_LABEL = {"output": "output.", "variable": "var.", "module": "module.", "check": "check."}


class SourceFile:
    """One configuration file, read; its blocks are found on first use."""

    def __init__(self, path: Path, name: str, data: bytes, reader: Reader) -> None:
        self.path = path
        self.name = name
        """Relative to the root, with ``/``."""
        self.data = data
        self.override = is_override(path.name)
        self.syntax = JSON if path.name.endswith(".json") else NATIVE
        self._reader = reader

    @cached_property
    def text(self) -> str | None:
        """The file's characters, or ``None`` where it is not UTF-8 (which is reported)."""
        text = decode(self.data)
        if isinstance(text, int):
            self._reader.report(self.path, "not valid UTF-8: not read", line=text)
            return None
        return text

    @cached_property
    def body(self) -> Body:
        """The blocks at the top; up to where it cannot be read, if so (which is reported)."""
        if self.text is None:
            return Body({}, [])
        body = self.syntax.scan(self.text)
        if body.error is not None:
            line = self.text.count("\n", 0, body.error.offset) + 1
            self._reader.report(
                self.path, f"{body.error.message}: the file is not read from here on", line=line
            )
        return body

    @property
    def readable(self) -> bool:
        """Whether all of it was found to be blocks."""
        return self.text is not None and self.body.error is None

    def string(self, block: Block, name: str) -> str | None:
        """Give a block's argument where it is a plain string."""
        if self.text is None:
            return None
        attribute = self.syntax.body(self.text, block).attributes.get(name)
        if attribute is None:
            return None
        return self.syntax.literal(self.text, attribute.start, attribute.end)

    def expression(self, block: Block, name: str) -> str | None:
        """Give the text of a block's argument, without what surrounds it (JSON: the string)."""
        if self.text is None:
            return None
        attribute = self.syntax.body(self.text, block).attributes.get(name)
        if attribute is None:
            return None
        written = self.text[attribute.start : attribute.end].strip()
        if self.syntax is JSON:
            return self.syntax.literal(self.text, attribute.start, attribute.end)
        return written


class Declared(NamedTuple):
    """A block and the file it stands in."""

    file: SourceFile
    block: Block


class ModuleSource:
    """One module directory. Several module calls may use the same one."""

    def __init__(self, directory: Path, reader: Reader) -> None:
        self.directory = directory
        self._reader = reader
        self._refused = False

    @cached_property
    def files(self) -> list[SourceFile]:
        """Its files by name, overrides last, as Terraform merges them."""
        files = []
        for path in self._reader.sources(self.directory):
            data = None if path is None else self._reader.read(path)
            if path is None or data is None:
                self._refused = True
                continue
            files.append(SourceFile(path, self._reader.display(path), data, self._reader))
        return sorted(files, key=lambda file: file.override)

    @cached_property
    def complete(self) -> bool:
        """Whether every file of it was read to its end."""
        torn = [file for file in self.files if not file.readable]
        return not torn and not self._refused

    @cached_property
    def calls(self) -> dict[str, Declared]:
        """Its module calls by name. Files without the word are not even scanned."""
        found: dict[str, Declared] = {}
        for file in self.files:
            if b"module" in file.data:
                for block in file.body.blocks:
                    if block.kind == "module" and block.labels:
                        found.setdefault(block.labels[0], Declared(file, block))
        return found

    @cached_property
    def declared(self) -> dict[str, list[Declared]]:
        """Blocks by the address they declare in this module, overrides behind what they change."""
        found: dict[str, list[Declared]] = {}
        for file in self.files:
            for block in file.body.blocks:
                for address in addresses_of(file, block):
                    found.setdefault(address, []).append(Declared(file, block))
        return found

    @cached_property
    def locals(self) -> dict[str, Declared]:
        """The ``locals`` block of each local value."""
        found: dict[str, Declared] = {}
        for one in self.declared.get("locals", ()):
            if one.file.text is not None:
                for name in one.file.syntax.body(one.file.text, one.block).attributes:
                    found[name] = one
        return found


def addresses_of(file: SourceFile, block: Block) -> Iterator[str]:
    """Give the addresses that ``block`` declares, or is about, in its module.

    ``aws_vpc.x``, ``data.aws_vpc.x``, ``ephemeral.t.n``, ``action.t.n``, ``output.x``, ``var.x``,
    ``module.x``, ``check.x``, ``provider.aws``, ``provider.aws.alias``, ``locals``, ``terraform``,
    ``moved.FROM``, ``removed.FROM``, ``import.TO``.
    """
    labels = block.labels
    if block.kind in _TWO_LABELS and len(labels) > 1:
        yield f"{_TWO_LABELS[block.kind]}{labels[0]}.{labels[1]}"
    elif block.kind in _ONE_LABEL and labels:
        yield _ONE_LABEL[block.kind] + labels[0]
    elif block.kind == "provider" and labels:
        alias = file.string(block, "alias")
        yield f"provider.{labels[0]}" + (f".{alias}" if alias else "")
    elif block.kind in ("locals", "terraform"):
        yield block.kind
    elif block.kind in ("moved", "removed", "import"):
        about = file.expression(block, "to" if block.kind == "import" else "from")
        if about:
            yield f"{block.kind}.{about}"
