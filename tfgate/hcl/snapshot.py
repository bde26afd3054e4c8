"""The configuration as a plan file keeps it: what was planned, whatever lies on the disk by now."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec

from tfgate.errors import Problem
from tfgate.hcl.files import Limits, Reader, is_local, is_source


class SnapshotModule(msgspec.Struct, frozen=True):
    """One module of the configuration that was planned."""

    key: str
    """Names of the module calls, with dots; empty for the root module."""
    directory: str
    """Relative to the directory that Terraform ran in."""
    source: str
    """As the module call has it; empty for the root module."""
    files: dict[str, bytes]
    """Name to content, of every configuration file."""


class Snapshot(Reader):
    """Reads the sources of a plan; no file is opened.

    It stands in for the disk: paths are those that the files would have below ``root``.
    """

    def __init__(self, root: Path, modules: Sequence[SnapshotModule], limits: Limits) -> None:
        """Lay the modules out. Raises ``ValueError`` where one directory has two contents."""
        root = Path(os.path.abspath(root))
        super().__init__(root, limits, root)
        self._modules = {module.key: module for module in modules}
        self._files: dict[Path, dict[str, bytes]] = {}
        for module in modules:
            known = self._files.setdefault(self._place(module), module.files)
            if known != module.files:
                raise ValueError("a directory has two contents")

    def _place(self, module: SnapshotModule) -> Path:
        # The root module is what is checked, whatever directory it was planned in.
        inside = module.directory if module.key else "."
        return Path(os.path.normpath(self.root / inside.replace("\\", "/")))

    def sources(self, directory: Path) -> Iterator[Path | Problem]:
        """Return the configuration files of one module directory, by name."""
        yield from self._counted(
            directory, sorted(filter(is_source, self._files.get(directory, ())))
        )

    def read(self, path: Path) -> bytes | Problem:
        """Return the bytes of one file, as they were planned."""
        data = self._files[path.parent][path.name]
        if len(data) > self.limits.file_bytes:
            return self.report(path, f"larger than {self.limits.file_bytes} bytes: not read")
        return data

    def directory(self, parent: Path, calls: tuple[str, ...], source: str | None) -> Path | None:
        """Return the directory of a module call, or ``None`` where the snapshot lacks it."""
        module = self._modules.get(".".join(calls))
        return None if module is None else self._place(module)

    def is_downloaded(self, directory: Path, calls: tuple[str, ...], source: str | None) -> bool:
        """Say whether the module came from elsewhere than the configuration itself."""
        module = self._modules[".".join(calls)]
        return not is_local(source if source is not None else module.source)
