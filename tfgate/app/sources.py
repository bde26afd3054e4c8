"""Where things stand in the HCL sources, looked up only when something must be said about them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.hcl import SourceIndex
    from tfgate.model.location import Location

_SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json")


class Sources:
    """The configuration below one directory, indexed at the first question."""

    def __init__(self, root: Path, data_dir: Path | None) -> None:
        self._root = root
        self._data_dir = data_dir

    @cached_property
    def index(self) -> SourceIndex | None:
        """The index, or ``None`` where the directory holds no configuration."""
        try:
            names = [entry.name for entry in self._root.iterdir()]
        except OSError:
            return None
        if not any(name.endswith(_SUFFIXES) for name in names):
            return None
        from tfgate.hcl import SourceIndex

        return SourceIndex.build(self._root, data_dir=self._data_dir)

    @property
    def prefix(self) -> str:
        """The directory as seen from the top of its repository, with ``/``; empty at the top."""
        from tfgate.terraform.gitdir import GitDir

        root = self._root.absolute()
        checkout = GitDir.find(root)
        if checkout is None or not root.is_relative_to(checkout.top):
            return ""
        prefix = root.relative_to(checkout.top).as_posix()
        return "" if prefix == "." else prefix

    @property
    def fallback_file(self) -> str | None:
        """A file of the root module that findings without a place may point at."""
        try:
            names = sorted(entry.name for entry in self._root.iterdir())
        except OSError:
            return None
        files = [name for name in names if name.endswith(_SUFFIXES)]
        return "main.tf" if "main.tf" in files else next(iter(files), None)

    def locate(self, address: str, attribute: str | None) -> Location | None:
        """Give the place of an address, or of one of its attributes, where it is known."""
        return None if self.index is None else self.index.locate(address, attribute)

    def warnings(self) -> tuple[str, ...]:
        """Say what could not be read, each once; nothing where nothing was looked up."""
        index = self.__dict__.get("index")
        return () if index is None else tuple(problem.render() for problem in index.problems)
