"""semver_satisfies: versions against constraints, as Terraform reads them.

The rules are those of hashicorp/go-version, which Terraform uses for ``required_version``: a
pre-release satisfies an ordering only where the constraint names one of the same version.
"""

from __future__ import annotations

import operator
import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tfgate.model.text import late
from tfgate.query.functions.registry import function

if TYPE_CHECKING:
    from collections.abc import Callable

_VERSION: Final = late(
    r"v?(\d{1,18}(?:\.\d{1,18}){0,7})(?:-([0-9A-Za-z.~-]{1,128}))?(?:\+[0-9A-Za-z.~-]{1,128})?",
    re.ASCII,
)
_PART: Final = late(r"(=|!=|>=|<=|~>|>|<|)\s*(\S{1,400})", re.ASCII)
_SPACE: Final = " \t\n\r\f\v"
_LONGEST: Final = 4_096
"""Characters of a constraint; nobody writes a tenth of it."""
_ORDERINGS: Final[dict[str, Callable[[Any, Any], bool]]] = {
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}


class _Version(msgspec.Struct, frozen=True):
    segments: tuple[int, ...]
    given: int
    """How many segments are written; the others are 0."""
    prerelease: str

    @property
    def key(self) -> tuple[Any, ...]:
        """Order as semver does: a pre-release comes before its release."""
        names = [
            (0, int(part), "") if part.isdigit() else (1, 0, part)
            for part in self.prerelease.split(".")
        ]
        return (self.segments, not self.prerelease, names)


def _version(text: str) -> _Version:
    found = _VERSION.fullmatch(text.strip())
    if found is None:
        raise ValueError("not a version")
    segments = tuple(map(int, found[1].split(".")))
    padded = segments + (0,) * (8 - len(segments))
    return _Version(padded, len(segments), found[2] or "")


@lru_cache(maxsize=256)
def _constraint(text: str) -> tuple[tuple[str, _Version], ...]:
    if len(text) > _LONGEST:
        raise ValueError("too long")
    parts = []
    for part in text.split(","):
        found = _PART.fullmatch(part.strip(_SPACE))
        if found is None:
            raise ValueError("not a constraint")
        parts.append((found[1] or "=", _version(found[2])))
    return tuple(parts)


def _check(literals: tuple[Any, ...]) -> str | None:
    if type(literals[1]) is not str:
        return None
    try:
        _constraint(literals[1])
    except ValueError:
        return "The constraint is not one: write it as '>= 1.5, < 2.0' or '~> 5.0'."
    return None


@function(
    "semver_satisfies(version: string, constraint: string) -> boolean",
    "semver_satisfies('5.31.0', '~> 5.0, != 5.30.0')",
    True,
    cost=100,
    errors="The version or the constraint cannot be read.",
    check=_check,
)
def _satisfies(version: str, constraint: str) -> bool:
    """Whether a version satisfies a constraint in Terraform's form: =, !=, >, >=, <, <= and ~>,
    with commas for and.
    """
    given = _version(version)
    return all(_holds(given, sign, bound) for sign, bound in _constraint(constraint))


def _holds(given: _Version, sign: str, bound: _Version) -> bool:
    if sign in ("=", "!="):
        return (given.key == bound.key) is (sign == "=")
    if given.prerelease and not (bound.prerelease and given.segments == bound.segments):
        return False
    if sign == "~>":
        if bound.prerelease and not given.prerelease:
            return False
        fixed = max(bound.given - 1, 0)
        return given.key >= bound.key and given.segments[:fixed] == bound.segments[:fixed]
    return _ORDERINGS[sign](given.key, bound.key)
