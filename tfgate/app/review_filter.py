"""Which changes of a plan a review shows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tfgate.model.glob import any_glob

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.model.action import Action
    from tfgate.plan import Subject


@dataclass(frozen=True)
class ReviewFilter:
    """What a change must be to be shown; nothing given in a field lets everything through."""

    actions: tuple[Action, ...] = ()
    addresses: tuple[str, ...] = ()
    """Globs."""
    types: tuple[str, ...] = ()
    """Globs."""
    modules: tuple[str, ...] = ()
    """Globs over module addresses; ``""`` and ``root`` are the root module."""
    findings_only: bool = False

    def lets(self, subject: Subject, found: bool) -> bool:
        """Whether ``subject``, on which something was ``found`` or not, is shown."""
        return (
            (found or not self.findings_only)
            and (not self.actions or subject.action in self.actions)
            and any_glob(self.addresses)(subject.address)
            and any_glob(self.types)(subject.type)
            and any_glob(self._module_globs())(subject.module_address)
        )

    def _module_globs(self) -> tuple[str, ...]:
        return tuple("" if glob == "root" else glob for glob in self.modules)

    def described(self) -> tuple[str, ...]:
        """Give the filters as a command line has them."""
        return tuple(self._described())

    def _described(self) -> Iterator[str]:
        yield from (f"--action {action}" for action in self.actions)
        yield from (f"--address {glob}" for glob in self.addresses)
        yield from (f"--type {glob}" for glob in self.types)
        yield from (f"--module {glob or 'root'}" for glob in self.modules)
        if self.findings_only:
            yield "--findings-only"


EVERYTHING: Final = ReviewFilter()
"""Lets every change through."""
