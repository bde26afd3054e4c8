"""Which parts of a value force its replacement: ``replace_paths``, told step by step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Path = tuple[str | int, ...]


class Forcing:
    """The forcing paths that lead on from one place in a value."""

    __slots__ = ("_rests",)

    def __init__(self, rests: Iterable[Path]) -> None:
        self._rests = frozenset(rests)

    @staticmethod
    def of(replace_paths: Sequence[Any]) -> Forcing:
        """Read the paths as a plan has them; one that has other steps ends before them."""
        return Forcing(path for path in map(known_path, replace_paths) if path)

    @property
    def here(self) -> bool:
        """Whether a path ends here."""
        return () in self._rests

    def below(self, *steps: str | int) -> Forcing:
        """Go one step on; by several names where a place has them (before and after)."""
        if not self._rests:
            return self
        return Forcing(
            rest[1:]
            for rest in self._rests
            if rest and any(type(step) is type(rest[0]) and step == rest[0] for step in steps)
        )


NEVER: Final = Forcing(())
"""Nothing here forces anything."""


def known_path(path: Any) -> Path:
    """Give the steps of a path as far as they are names and numbers."""
    steps: list[str | int] = []
    for step in path if type(path) is list else ():
        if type(step) is not str and type(step) is not int:
            break
        steps.append(step)
    return tuple(steps)


def path_text(path: Path) -> str:
    """Write ``network_interface[0].subnet_id``."""
    text = "".join(f"[{step}]" if type(step) is int else f".{step}" for step in path)
    return text.lstrip(".")
