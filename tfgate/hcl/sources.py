"""One file, and one module directory: what they declare, found when somebody asks."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from tfgate.errors import Problem
from tfgate.hcl.files import Reader, decode, is_override
from tfgate.hcl.jsonsyntax import json_body, json_elements, json_literal, scan_json
from tfgate.hcl.scanner import Block, Body, Element, elements, scan, scan_body

_PLAIN_STRING = re.compile(r'\s*"([^"\\$%\n]*)"\s*')


class Syntax(NamedTuple):
    """What the rest of the room asks of a syntax; texts are whole files, offsets in characters."""

    name: str
    scan: Callable[[str], Body]
    """The blocks at the top of a file."""
    body: Callable[[str, Block], Body]
    """What stands directly in a block."""
    elements: Callable[[str, int, int, int], list[Element]]
    """The elements of the object or tuple at ``text[start:end]``, whose line is given last."""
    literal: Callable[[str, int, int], str | None]
    """The plain string at ``text[start:end]``, or ``None``."""


def _native_literal(text: str, start: int, end: int) -> str | None:
    found = _PLAIN_STRING.fullmatch(text, start, end)
    return None if found is None else found.group(1)


NATIVE = Syntax("native", scan, scan_body, elements, _native_literal)
JSON = Syntax("json", scan_json, json_body, json_elements, json_literal)


_ANY_INDEX = re.compile(r"\[[^\[\]]*\]")
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
        """The file's characters, or ``None`` where it is not UTF-8."""
        text = decode(self.data)
        return None if isinstance(text, int) else text

    @cached_property
    def body(self) -> Body:
        """The blocks at the top, up to where it cannot be read, if so."""
        return Body({}, []) if self.text is None else self.syntax.scan(self.text)

    @cached_property
    def problem(self) -> Problem | None:
        """Why not all of it could be read; reported on first use."""
        text = self.text
        if text is None:
            line = decode(self.data)
            message = "not valid UTF-8: not read"
            return self._reader.report(self.path, message, line if isinstance(line, int) else 1)
        if self.body.error is None:
            return None
        message = f"{self.body.error.message}: the file is not read from here on"
        line = text.count("\n", 0, self.body.error.offset) + 1
        return self._reader.report(self.path, message, line)

    def report(self, message: str, line: int) -> Problem:
        """Note a problem of this file, once."""
        return self._reader.report(self.path, message, line)

    def contents(self, block: Block) -> Body:
        """Find the arguments and blocks that stand directly in ``block``."""
        return self.syntax.body(self.text or "", block)

    def written(self, argument: Element) -> str:
        """Return the text of an argument."""
        return (self.text or "")[argument.start : argument.end].strip()

    def literal(self, argument: Element) -> str | None:
        """Return an argument where it is a plain string."""
        return self.syntax.literal(self.text or "", argument.start, argument.end)

    def string(self, block: Block, name: str) -> str | None:
        """Return a block's argument where it is a plain string."""
        argument = self.contents(block).attributes.get(name)
        return None if argument is None else self.literal(argument)

    def expression(self, block: Block, name: str) -> str | None:
        """Return the text of a block's argument, without what surrounds it (JSON: the string)."""
        argument = self.contents(block).attributes.get(name)
        if argument is None:
            return None
        return self.literal(argument) if self.syntax is JSON else self.written(argument)


class Declared(NamedTuple):
    """A block and the file it stands in."""

    file: SourceFile
    block: Block


class ModuleSource:
    """One module directory. Several module calls may use the same one."""

    def __init__(self, directory: Path, reader: Reader) -> None:
        self.directory = directory
        self._reader = reader
        self._refused: list[Problem] = []

    @cached_property
    def files(self) -> list[SourceFile]:
        """Its files by name, overrides last, as Terraform merges them."""
        files = []
        for path in self._reader.sources(self.directory):
            if isinstance(path, Problem):
                self._refused.append(path)
                continue
            data = self._reader.read(path)
            if isinstance(data, Problem):
                self._refused.append(data)
                continue
            files.append(SourceFile(path, self._reader.display(path), data, self._reader))
        return sorted(files, key=lambda file: file.override)

    @cached_property
    def problems(self) -> list[Problem]:
        """What of it could not be read: files, or the rest of files from some line on."""
        torn = [file.problem for file in self.files if file.problem is not None]
        return [*self._refused, *torn]

    @property
    def opened(self) -> bool:
        """Whether anybody looked into the directory so far."""
        return "files" in self.__dict__

    @property
    def complete(self) -> bool:
        """Whether every file of it was read to its end."""
        return not self.problems

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
            found |= dict.fromkeys(one.file.contents(one.block).attributes, one)
        return found


def addresses_of(file: SourceFile, block: Block) -> Iterator[str]:
    """Return the addresses that ``block`` declares, or is about, in its module.

    ``aws_vpc.x``, ``data.aws_vpc.x``, ``ephemeral.t.n``, ``action.t.n``, ``output.x``, ``var.x``,
    ``module.x``, ``check.x``, ``provider.aws``, ``provider.aws.alias``, ``locals``, ``terraform``,
    ``moved.FROM``, ``removed.FROM``, ``import.TO`` (without indexes).
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
            yield f"{block.kind}.{_ANY_INDEX.sub('', about)}"
