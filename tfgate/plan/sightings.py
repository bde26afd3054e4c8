"""Candidates that may refer to a resource although their configuration does not say so.

A local, a root module variable or a plain constant can carry a resource's name or ARN into another
one without a reference in the JSON. The values tell: where a configured argument's value holds the
target's identity, the candidate may refer to it; where an argument that passes through something
lossy is not known yet, it may refer to anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.values import Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.plan.change import Change

_TOKEN: Final = re.compile(r"[A-Za-z0-9_.\-]{3,}")
_IDENTITIES: Final = ("id", "arn", "name", "bucket", "self_link", "identifier", "url", "fqdn")
_SHORTEST: Final = 3
"""Characters of the shortest identity that is looked for: shorter ones are everywhere."""


class Sightings:
    """The strings in the arguments of some candidates, and who is blind."""

    def __init__(self) -> None:
        self._texts: dict[str, list[tuple[int, str]]] = {}
        self.blind: set[int] = set()
        """Numbers of candidates that may refer to anything."""

    def note(self, number: int, value: Any, *, lossy: bool) -> None:
        """Take in the value of one argument of the candidate with this number."""
        for text in _strings(value):
            if text is None:
                if lossy:
                    self.blind.add(number)
                continue
            for token in set(_TOKEN.findall(text)):
                self._texts.setdefault(token, []).append((number, text))

    def of(self, identities: Iterable[str]) -> set[int]:
        """Give the candidates with one of these identities in an argument."""
        seen: set[int] = set()
        for identity in identities:
            tokens = _TOKEN.findall(identity)
            if tokens:
                places = min((self._texts.get(token, ()) for token in tokens), key=len)
                seen.update(number for number, text in places if identity in text)
        return seen


def identity_names(kind: str) -> tuple[str, ...]:
    """Name the attributes of a resource type by which others may name one."""
    noun = kind.rpartition("_")[2]
    return (*_IDENTITIES, f"{noun}_name", f"{noun}_id", f"{noun}_identifier")


def identities(change: Change, values: Any) -> set[str]:
    """Give the known strings by which others name a resource with these values."""
    if type(values) is not dict:
        return set()
    found = map(values.get, identity_names(change.type))
    return {text for text in found if type(text) is str and len(text) >= _SHORTEST}


def _strings(value: Any) -> Iterator[str | None]:
    """Yield every string in ``value``, and None for everything unknown."""
    stack = [value]
    while stack:
        part = stack.pop()
        if type(part) is str:
            yield part
        elif type(part) is list:
            stack.extend(part)
        elif type(part) is dict:
            stack.extend(part.values())
        elif isinstance(part, Unknown):
            yield None
