"""The HCL sources of one directory: read only when something must be said or judged about them."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING

from tfgate.model.action import Action
from tfgate.model.decision import SourceFacts
from tfgate.model.pattern import late

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from tfgate.hcl import SourceBlock, SourceIndex, WaiverProblem
    from tfgate.model.location import Location
    from tfgate.model.waiver import Waiver
    from tfgate.plan import Change, Plan

_SUFFIXES = (".tf", ".tofu", ".tf.json", ".tofu.json")
_GOES = frozenset({Action.DELETE, Action.FORGET})
_HEADER = late(rb'^[ \t]*resource[ \t]+"([^"\n]+)"[ \t]+"([^"\n]+)"', re.MULTILINE)


class Sources:
    """The configuration below one directory, indexed at the first question.

    With a plan, the sources may turn out to be those of another one: then nothing is located, and
    no comment waives.
    """

    def __init__(
        self,
        root: Path,
        data_dir: Path | None,
        *,
        plan: Plan | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self._root = root
        self._data_dir = data_dir
        self._plan = plan
        self._progress = progress
        self._asked = False
        self._judged = False

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
        if self.index is None:
            return None
        self._asked = True
        return None if self.undeclared() else self.index.locate(address, attribute)

    def locate_element(self, address: str, name: str, element: object) -> Location | None:
        """Give the place of the nested block that made an element of a planned value."""
        if self.locate(address, None) is None or self.index is None:
            return None
        return self.index.locate_element(address, name, element)

    def blocks(
        self, kinds: Collection[str], types: Collection[str]
    ) -> Iterable[SourceBlock] | None:
        """Give the blocks that are wanted, parsed; ``None`` where there is no configuration."""
        if self.index is None:
            return None
        from tfgate.hcl import blocks

        self._asked = self._judged = True
        return blocks(
            self.index,
            kinds=kinds,
            types=types,
            merged=True,
            progress=self._progress,
        )

    def comment_waivers(self) -> tuple[Sequence[Waiver], Sequence[WaiverProblem]]:
        """Give the waivers in comments, and the comments that were meant to be one."""
        if self.index is None:
            return (), ()
        from tfgate.hcl import comment_waivers

        waivers, problems = comment_waivers(self.index)
        if not waivers:
            return (), problems
        self._asked = True
        return () if self.undeclared() else waivers, problems

    def undeclared(self) -> Sequence[str]:
        """Give the addresses that the plan makes or keeps, and that no block declares.

        Where nobody has asked for anything, a look at the bytes of the root module has to do: it
        finds the header of every resource, or the full answer is needed.
        """
        if self.index is None or self._plan is None:
            return ()
        if not self._asked and not self._missing_headers(self.index, self._plan):
            return ()
        return self._disagreement

    @cached_property
    def _disagreement(self) -> list[str]:
        if self.index is None or self._plan is None:
            return []
        from tfgate.hcl import disagreement

        return disagreement(self.index, [change.address for change in _staying(self._plan)])

    @staticmethod
    def _missing_headers(index: SourceIndex, plan: Plan) -> bool:
        wanted = {
            (change.type.encode(), change.name.encode())
            for change in _staying(plan)
            if not change.module_address
        }
        if wanted:
            for file in next(index.modules()).source.files:
                wanted.difference_update(_HEADER.findall(file.data))
        return bool(wanted)

    def facts(self) -> SourceFacts | None:
        """Say which sources were judged, where any were."""
        if self.index is None or not self._judged:
            return None
        import hashlib

        files = {
            file.name: file.data
            for node in self.index.modules()
            if not node.downloaded
            for file in node.source.files
        }
        digest = hashlib.sha256()
        for name, data in sorted(files.items()):
            digest.update(f"{name}\x00{hashlib.sha256(data).hexdigest()}\n".encode())
        return SourceFacts(root=str(self._root), files=len(files), sha256=digest.hexdigest())

    def warnings(self) -> tuple[str, ...]:
        """Say what could not be read, each once; nothing where nothing was looked up."""
        if not self._asked or self.index is None:
            return ()
        return tuple(problem.render() for problem in self.index.problems)


def _staying(plan: Plan) -> Iterable[Change]:
    """Give the resources that will be there after the apply.

    Data sources are left out: one may stand inside a check block.
    """
    return (
        change
        for change in plan.changes
        if change.mode == "managed" and change.deposed is None and change.action not in _GOES
    )
