"""What some blocks may refer to, by what is mentioned."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.model.address import module_instances
from tfgate.plan.configuration import without_keys
from tfgate.plan.resolver import union
from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfgate.plan.change import Change
    from tfgate.plan.resolver import Target, Targets


# --- Which instances of a block a reference between two blocks may connect.
#
# A reference in ``configuration`` has no instances: ``aws_s3_bucket.b[each.key].id`` comes as
# ``aws_s3_bucket.b``. What can be told is which instances cannot be meant: those of other instances
# of the same module, and those with another key where the key is a constant.


class Instances:
    """The instances of one block, found by the module instance that they stand in."""

    __slots__ = ("_by_module", "_path")

    def __init__(self, changes: Iterable[Change]) -> None:
        self._by_module: dict[str, list[Change]] = {}
        for change in changes:
            self._by_module.setdefault(change.module_address, []).append(change)
        self._path = without_keys(next(iter(self._by_module), ""))

    def near(self, target: Change) -> Iterator[Change]:
        """Yield those that do not stand in another instance of a module that ``target`` is in."""
        here = target.module_address
        if here in self._by_module or without_keys(here) == self._path:
            yield from self._by_module.get(here, ())
            return
        for address, changes in self._by_module.items():
            if _same_modules(address, here):
                yield from changes


def may_mean(key: str | None, target: Change) -> bool:
    """Whether a reference with this constant key (None for none) can mean ``target``."""
    return key is None or key == _written(target.index)


def _written(index: int | str | None) -> str | None:
    """The key of an instance as a reference writes it."""
    if isinstance(index, str):
        escaped = index.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"'
    return None if index is None else str(index)


def _same_modules(one: str, other: str) -> bool:
    """Whether the module instances that both stand in are the same ones."""
    for (name, key), (other_name, other_key) in zip(
        module_instances(one), module_instances(other), strict=False
    ):
        if name != other_name:
            return True
        if key != other_key:
            return False
    return True


EDGES: Final = 200_000
"""References of one kind that are kept apart: ten times as many as any plan has."""


class Edge(NamedTuple):
    """A block mentions another one in an argument."""

    target: Target
    argument: str
    open: Instances
    """The instances whose argument is not known yet: it may come to name what it mentions."""
    known: Instances
    """Those whose argument is known, and holds more than the name of another instance."""


class Edges:
    """The mentions in the blocks that were added."""

    def __init__(self) -> None:
        self._by_address: dict[str, list[Edge]] = {}
        self._number = 0
        self.overflown = False
        """Whether there are more than are kept apart."""

    def add(
        self,
        arguments: Mapping[str, Targets],
        is_open: Mapping[str, Sequence[Change]],
        is_known: Mapping[str, Sequence[Change]],
    ) -> None:
        """Take in what the arguments of a block mention, and which instances have them how.

        Instances that are in neither map have an argument whose one target is certain.
        """
        if self._number > EDGES:
            self.overflown = True
            return
        self.overflown = self.overflown or union(arguments.values()).many
        for name, targets in arguments.items():
            if not targets.found or not (is_open.get(name) or is_known.get(name)):
                continue
            self._number += len(targets.found)
            unknown, known = (Instances(part.get(name, ())) for part in (is_open, is_known))
            for target in targets.found:
                edge = Edge(target, name, unknown, known)
                self._by_address.setdefault(target.address, []).append(edge)

    def to(self, address: str) -> Iterable[Edge]:
        """Return the mentions of the block at this configuration address."""
        return self._by_address.get(address, ())


# --- What the arguments of resources name by their values.
#
# A value that equals a resource's name, where the argument mentions that resource or is called
# after it, is a reference for certain: whatever the expression, this is what came of it. A text
# that only holds the name may be one. A local, a root module variable or a plain constant can carry
# a name without a reference in the JSON; an argument that passes through what the JSON has lost and
# is not known yet may refer to anything.


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
        """Return the candidates that have exactly this name, and in which argument."""
        return self._whole.get(name, ())

    def of(self, names: Iterable[str]) -> set[int]:
        """Return the candidates with one of these names within an argument, in any case."""
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
    """Return the known names of a resource with these values, and whether there may be others."""
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
    """Return a text, or a number as Terraform makes a text of it; empty for everything else."""
    if type(value) is str:
        return value
    return str(value) if type(value) is int else ""
