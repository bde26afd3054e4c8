"""What the arguments of resources name by their values.

A value that equals a resource's name, where the argument mentions that resource or is called after
it, is a reference for certain: whatever the expression, this is what came of it. A text that only
holds the name may be one. A local, a root module variable or a plain constant can carry a name
without a reference in the JSON; an argument that passes through what the JSON has lost and is not
known yet may refer to anything.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


_TOKEN: Final = re.compile(r"[a-z0-9_.\-]{3,}")
_IDENTITIES: Final = ("id", "arn", "name", "bucket", "self_link", "identifier", "url", "fqdn")
_GIVEN: Final = frozenset(
    {"dns_name", "domain_name", "email", "endpoint", "hex", "invoke_arn", "key_id", "member"}
    | {"private_key_pem", "public_key_openssh", "qualified_arn", "result", "unique_id", "uri"}
)
"""Attributes that a provider always gives a value to, beside those that name a resource."""
SHORTEST: Final = 3
"""Characters of the shortest name that is looked for within texts: shorter ones are everywhere."""


class Sightings:
    """The texts in the arguments of some candidates, and who is blind."""

    def __init__(self) -> None:
        self._texts: dict[str, list[tuple[int, str]]] = {}
        self._whole: dict[str, list[tuple[int, str]]] = {}
        self._lost: dict[str, set[int]] = {}
        """Texts of arguments that pass through what the JSON has lost, and who has them."""
        self._all_lost: str | None = None
        self.blind: set[int] = set()
        """Numbers of candidates that may refer to anything."""

    def note(self, number: int, argument: str, value: Any, *, lossy: bool) -> None:
        """Take in the value of one argument of the candidate with this number."""
        for text in texts(value):
            if text is None:
                if lossy:
                    self.blind.add(number)
                continue
            self._whole.setdefault(text, []).append((number, argument))
            self._look_into(number, text, lossy)
        for key in keys(value):
            self._look_into(number, key, lossy)

    def _look_into(self, number: int, text: str, lossy: bool) -> None:
        folded = text.casefold()
        if lossy:
            self._lost.setdefault(folded, set()).add(number)
        for token in set(_TOKEN.findall(folded)):
            self._texts.setdefault(token, []).append((number, folded))

    def equal(self, name: str) -> Iterable[tuple[int, str]]:
        """Give the candidates that have exactly this name, and in which argument."""
        return self._whole.get(name, ())

    def of(self, names: Iterable[str]) -> set[int]:
        """Give the candidates with one of these names within an argument, in any case."""
        seen: set[int] = set()
        for name in names:
            folded = name.casefold()
            seen |= self._within_lost(folded)
            tokens = _TOKEN.findall(folded)
            if len(name) >= SHORTEST and tokens:
                places = min((self._texts.get(token, ()) for token in tokens), key=len)
                seen.update(number for number, text in places if folded in text)
            else:
                seen.update(number for number, _ in self._whole.get(name, ()))
        return seen

    def _within_lost(self, folded: str) -> set[int]:
        """Look for a name anywhere in what was lost: an expression may have put anything by it."""
        if self._all_lost is None:
            self._all_lost = "\0".join(self._lost)
        if folded not in self._all_lost:
            return set()
        return {n for text, numbers in self._lost.items() if folded in text for n in numbers}


def identity_names(kind: str) -> tuple[str, ...]:
    """Name the attributes of a resource type by which others may name one."""
    noun = kind.rpartition("_")[2]
    return (
        *_IDENTITIES,
        *(f"{noun}_{of}" for of in ("name", "id", "arn", "identifier")),
    )


def always_has(kind: str, attribute: str) -> bool:
    """Whether a resource of the type always has a value in the attribute."""
    return attribute in _GIVEN or attribute in identity_names(kind)


def is_called_after(argument: str, kind: str) -> bool:
    """Whether an argument of this name holds the name of a resource of the type."""
    noun = kind.rpartition("_")[2]
    return argument == noun or argument in (
        f"{noun}_name",
        f"{noun}_id",
        f"{noun}_arn",
        f"{noun}_identifier",
    )


def identities(kind: str, values: Any) -> tuple[set[str], bool]:
    """Give the known names of a resource with these values, and whether there may be others."""
    if type(values) is not dict:
        return set(), True
    found = [values.get(name) for name in identity_names(kind)]
    names = {text for text in map(_text, found) if text}
    return names, any(isinstance(value, Unknown) for value in found) or not names


def texts(value: Any) -> Iterator[str | None]:
    """Yield every text and number in ``value``, and None for everything unknown."""
    stack = [value]
    while stack:
        part = stack.pop()
        if type(part) is list:
            stack.extend(part)
        elif type(part) is dict:
            stack.extend(part.values())
        elif type(part) is Maybe:
            yield None
            stack.append(part.value)
        elif isinstance(part, Unknown):
            yield None
        elif text := _text(part):
            yield text


def keys(value: Any) -> Iterator[str]:
    """Yield every key of an object in ``value``: in a map these are values as well."""
    stack = [value]
    while stack:
        part = stack.pop()
        if type(part) is list:
            stack.extend(part)
        elif type(part) is dict:
            yield from part
            stack.extend(part.values())


def _text(value: Any) -> str:
    """Give a text, or a number as Terraform makes a text of it; empty for everything else."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int else ""
