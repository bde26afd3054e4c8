"""The source index: from an address in a plan to the file and line that declare it."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from tfgate.errors import Problem
from tfgate.hcl.files import Installed, Limits, Reader, is_local
from tfgate.hcl.paths import alike, find_path, overriding, path_steps
from tfgate.hcl.snapshot import Snapshot, SnapshotModule
from tfgate.hcl.sources import Declared, ModuleSource
from tfgate.model.address import Location, config_address, join_modules, split_modules

Calls = tuple[str, ...]
"""Names of module calls from the root; empty for the root module."""


class ModuleNode:
    """One module in the tree: where it was called, and the directory it uses."""

    def __init__(
        self, calls: Calls, source: ModuleSource, chain: tuple[Location, ...], *, downloaded: bool
    ) -> None:
        self.calls = calls
        self.source = source
        self.chain = chain
        """The calls that lead here, outermost first."""
        self.downloaded = downloaded
        """Whether ``terraform init`` put it there: it is not part of what is under review."""

    @property
    def address(self) -> str:
        """``module.a.module.b``; empty for the root module."""
        return join_modules(self.calls)


class SourceIndex:
    """Everything that can be asked of the HCL sources of one configuration.

    Nothing is read before it is asked for, and every answer is kept. What cannot be read is in
    ``problems``, each once; it never raises for it.
    """

    def __init__(self, reader: Reader, layout: Installed | Snapshot) -> None:
        self._reader = reader
        self._layout = layout
        self._directories: dict[Path, ModuleSource] = {}
        root = self._source(reader.root)
        self._root = ModuleNode((), root, (), downloaded=False)
        self._nodes: dict[Calls, ModuleNode | None] = {(): self._root}
        self._complete = True

    @classmethod
    def build(
        cls,
        root: Path,
        *,
        data_dir: Path | None = None,
        limits: Limits | None = None,
    ) -> SourceIndex:
        """Make the index of the configuration whose root module is in ``root``.

        ``data_dir`` is where ``terraform init`` keeps its things (``TF_DATA_DIR``; default
        ``.terraform`` below the root). A ``.tofu`` file replaces the ``.tf`` file of the same
        name, as OpenTofu does it; Terraform reads none of them.
        """
        reader = Reader.of(Path(root), limits or Limits())
        place = reader.root / (data_dir if data_dir is not None else ".terraform")
        return cls(reader, Installed(reader, Path(os.path.normpath(place))))

    @classmethod
    def of_plan(
        cls, root: Path, modules: Sequence[SnapshotModule], *, limits: Limits | None = None
    ) -> SourceIndex:
        """Make the index of the configuration that a plan file keeps.

        Places are given as if it lay in ``root``, of which nothing is read. Raises ``ValueError``
        for what Terraform would not have kept.
        """
        snapshot = Snapshot(Path(root), modules, limits or Limits())
        return cls(snapshot, snapshot)

    @property
    def root(self) -> Path:
        """The root directory, absolute."""
        return self._reader.root

    @property
    def problems(self) -> tuple[Problem, ...]:
        """What could not be read of what was looked into so far, each once."""
        opened = [source for source in self._directories.values() if source.opened]
        found = [problem for source in opened for problem in source.problems]
        return tuple(dict.fromkeys([*self._reader.problems, *found]))

    def locate(self, address: str, attribute: str | None = None) -> Location | None:
        """Return the place of ``address`` (of an instance or a config address), or ``None``.

        ``attribute`` is a path such as ``ingress[1].cidr_blocks``: its line is given, or that of
        its longest known prefix, or the block's. Where a module's source is not at hand, or no
        longer declares the address, the place is the innermost module call that is known. A
        resource without a block is found at the ``removed`` or ``import`` block about it.
        """
        calls, rest = split_modules(config_address(address))
        node = self.module(calls)
        if node is None:
            return self._innermost_call(calls)
        place = self._place(node, rest, attribute)
        return place if place is not None else self._innermost_call(calls)

    def locate_element(self, address: str, name: str, element: object) -> Location | None:
        """Return the place of the nested block ``name`` that made ``element`` of a planned value.

        Where that is not certain, it is the place of the first such block, as `locate` gives it.
        """
        calls, rest = split_modules(config_address(address))
        node = self.module(calls)
        declared = None if node is None else node.source.declared.get(rest)
        if node is None or not declared:
            return self.locate(address, name)
        chosen = overriding(declared, name)
        number = alike(chosen.file, chosen.block, name, element)
        return self._inside(node, declared, name if number is None else f"{name}[{number}]")

    def declares(self, address: str) -> bool | None:
        """Say whether a block declares ``address``; ``None`` where its module cannot be read."""
        calls, rest = split_modules(config_address(address))
        node = self.module(calls)
        if node is None:
            return None if self._gap(calls) else False
        if rest in node.source.declared:
            return True
        return None if not node.source.complete else False

    def imports(self, address: str) -> bool:
        """Say whether an ``import`` block names ``address``, in its module or in the root."""
        calls, rest = split_modules(config_address(address))
        node = self.module(calls)
        here = node is not None and f"import.{rest}" in node.source.declared
        return here or f"import.{join_modules(calls, rest)}" in self._root.source.declared

    def module(self, calls: Calls) -> ModuleNode | None:
        """Return the module at the end of ``calls``, or ``None`` where it is not at hand."""
        if calls not in self._nodes:
            parent = self.module(calls[:-1]) if len(calls) <= self._reader.limits.depth else None
            self._nodes[calls] = None if parent is None else self._called(parent, calls)
        return self._nodes[calls]

    def modules(self) -> Iterator[ModuleNode]:
        """Walk every module of the tree that is at hand, the root first, breadth first."""
        waiting = deque([self._root])
        called = 1
        while waiting:
            node = waiting.popleft()
            yield node
            for name, call in node.source.calls.items():
                called += 1
                if called > self._reader.limits.modules:
                    self._report_too_many()
                    yield from waiting
                    return
                child = self.module((*node.calls, name))
                if child is None:
                    self._report_missing(node, call)
                else:
                    waiting.append(child)

    def directories(self) -> Iterable[list[ModuleNode]]:
        """Return the modules of the tree, those that use the same directory together."""
        users: dict[int, list[ModuleNode]] = {}
        for node in self.modules():
            users.setdefault(id(node.source), []).append(node)
        return users.values()

    @property
    def complete(self) -> bool:
        """Whether every module called from the root was found and read to its end."""
        torn = [node for node in self.modules() if not node.source.complete]
        return not torn and self._complete

    def chain(self, node: ModuleNode, declared: Declared) -> Location:
        """Return the place of a block that ``node`` declares."""
        block = declared.block
        return Location(declared.file.name, block.line, block.end_line, node.chain)

    def _source(self, directory: Path) -> ModuleSource:
        if directory not in self._directories:
            self._directories[directory] = ModuleSource(directory, self._reader)
        return self._directories[directory]

    def _called(self, parent: ModuleNode, calls: Calls) -> ModuleNode | None:
        call = parent.source.calls.get(calls[-1])
        if call is None:
            return None
        source = call.file.string(call.block, "source")
        directory = self._layout.directory(parent.source.directory, calls, source)
        if directory is None or self._circular(calls, directory):
            return None
        place = Location(call.file.name, call.block.line, call.block.end_line)
        downloaded = parent.downloaded or self._layout.is_downloaded(directory, calls, source)
        return ModuleNode(
            calls, self._source(directory), (*parent.chain, place), downloaded=downloaded
        )

    def _circular(self, calls: Calls, directory: Path) -> bool:
        """Say whether a module would contain itself."""
        above = [self._nodes.get(calls[:depth]) for depth in range(len(calls))]
        return any(node is not None and node.source.directory == directory for node in above)

    def _report_too_many(self) -> None:
        self._complete = False
        most = self._reader.limits.modules
        self._reader.report(self.root, f"more than {most} modules: the rest is not read")

    def _report_missing(self, node: ModuleNode, call: Declared) -> None:
        self._complete = False
        name = join_modules((*node.calls, call.block.labels[0]))
        self._reader.report(
            call.file.path,
            f"the source of {name} is not at hand: run terraform init",
            line=call.block.line,
        )

    def _gap(self, calls: Calls) -> bool:
        """Say whether a module on the way to ``calls`` is called, or may be, but not at hand."""
        for depth in range(len(calls)):
            node = self.module(calls[:depth])
            if node is None:
                return True
            if calls[depth] not in node.source.calls:
                return not node.source.complete
        return True

    def _innermost_call(self, calls: Calls) -> Location | None:
        for depth in range(len(calls), 0, -1):
            parent = self.module(calls[: depth - 1])
            call = None if parent is None else parent.source.calls.get(calls[depth - 1])
            if parent is not None and call is not None:
                return self.chain(parent, call)
        return None

    def _place(self, node: ModuleNode, rest: str, attribute: str | None) -> Location | None:
        if rest.startswith("local."):
            owner = node.source.locals.get(rest[6:])
            path = rest[6:] if attribute is None else f"{rest[6:]}.{attribute}"
            return None if owner is None else self._inside(node, [owner], path)
        declared = node.source.declared.get(rest) or self._about(node, rest)
        if not declared:
            return None
        if attribute is None:
            return self.chain(node, declared[0])
        return self._inside(node, declared, attribute)

    def _about(self, node: ModuleNode, rest: str) -> list[Declared]:
        """Return the block that removes or imports ``rest``; in the root module it may name any."""
        for where, name in ((node, rest), (self._root, join_modules(node.calls, rest))):
            for kind in ("removed", "import"):
                found = where.source.declared.get(f"{kind}.{name}")
                if found:
                    return found
        return []

    def _inside(self, node: ModuleNode, declared: Sequence[Declared], path: str) -> Location:
        """Follow ``path`` into the last override that has its first step, or into the block."""
        steps = path_steps(path)
        chosen = overriding(declared, str(steps[0])) if steps else declared[0]
        file = chosen.file
        (line, end_line), _ = find_path(file, chosen.block, steps)
        return Location(file.name, line, end_line, node.chain)


def is_whole(index: SourceIndex) -> bool:
    """Say whether all that Terraform would read was read, but modules from elsewhere.

    Where a file or a local module cannot be read, Terraform has made no plan of these sources.
    """
    for node in index.modules():
        if not node.source.complete:
            return False
        for name, call in node.source.calls.items():
            source = call.file.string(call.block, "source")
            if index.module((*node.calls, name)) is None and is_local(source or ""):
                return False
    return True


def disagreement(index: SourceIndex, addresses: Iterable[str]) -> list[str]:
    """Return the config addresses among ``addresses`` that no block declares, sorted.

    To be asked for what will exist after the apply: a resource that the plan deletes or forgets has
    no block, rightly. One that is imported with a generated configuration may have its ``import``
    block alone. Where anything could not be read, nothing can be said, and none are given.
    """
    if not index.complete:
        return []
    wanted = sorted({config_address(address) for address in addresses})
    return [
        address
        for address in wanted
        if index.declares(address) is False and not index.imports(address)
    ]
