"""From what an expression mentions to the resources behind it, through modules.

What is followed: variables to the arguments of the module call, outputs of modules to their
expressions, ``each.value`` to ``for_each``. What the JSON has lost (locals, and all that passes
through them) makes the answer `Targets.lossy`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.plan.configuration import Module
from tfgate.plan.decoding import decode_value

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from msgspec import Raw

    from tfgate.plan.configuration import Call, Configuration


# --- One ``references`` list of the configuration, taken apart.
#
# Terraform writes every step of a reference: ``aws_s3_bucket.b["x"].id`` comes as itself, then
# ``aws_s3_bucket.b["x"]``, then ``aws_s3_bucket.b``. The shorter ones that directly follow are
# shadows of the first and no mentions of their own.


_STEP: Final = re.compile(r'\.?([^.\[\]]+)|\[("(?:[^"\\]|\\.)*"|[^\[\]]*)\]')
_REPEATING: Final = frozenset({"each", "count"})
_HARMLESS: Final = frozenset({"path", "terraform", "tofu", "self", "caller"})
"""Heads of references to no object of a plan."""
_TYPED: Final = frozenset({"data", "ephemeral", "action"})


class Mention(NamedTuple):
    """One thing that an expression refers to."""

    kind: str
    """``resource``, ``var``, ``output``, ``module``, ``each``, ``key`` or ``lossy``."""
    name: str
    """Address within the module, or name of the variable, output or module call."""
    key: str | None = None
    """Key of the instance as written (``"x"`` or ``0``), where it is a constant."""
    module: str = ""
    """For ``output``: the module call."""


def leaves(part: Any) -> Iterator[list[str]]:
    """Yield the ``references`` of every expression in an expression, block or list of blocks."""
    stack = [part]
    while stack:
        node = stack.pop()
        if type(node) is list:
            stack.extend(node)
        elif type(node) is dict:
            references = node.get("references")
            if type(references) is list:
                yield [reference for reference in references if type(reference) is str]
            stack.extend(value for key, value in node.items() if key != "constant_value")


def mentions(references: Sequence[str]) -> list[Mention]:
    """Take a ``references`` list apart, shadows left out."""
    found: list[Mention] = []
    previous = ""
    for reference in references:
        if not _is_shadow(reference, previous):
            mention = _mention(reference)
            if mention is not None:
                found.append(mention)
        previous = reference
    return found


def _is_shadow(reference: str, previous: str) -> bool:
    return (
        len(reference) < len(previous)
        and previous.startswith(reference)
        and previous[len(reference)] in ".["
    )


def _mention(reference: str) -> Mention | None:
    """Take one reference apart; None for what is no object of a plan."""
    steps = [(match[1], match[2]) for match in _STEP.finditer(reference)]
    names = [name for name, _ in steps]
    head = names[0] if names else None
    if head in _HARMLESS:
        return None
    if head in _REPEATING:
        return Mention("each" if names[1:2] == ["value"] else "key", head or "")
    if head == "var" and len(names) > 1 and names[1]:
        return Mention("var", names[1])
    if head == "module":
        return _module_mention(steps)
    start = 1 if head in _TYPED else 0
    if head in (None, "local") or len(names) < start + 2 or not all(names[: start + 2]):
        return Mention("lossy", reference)
    key = steps[start + 2][1] if len(steps) > start + 2 else None
    return Mention("resource", ".".join(str(name) for name in names[: start + 2]), key)


def _module_mention(steps: Sequence[tuple[str | None, str | None]]) -> Mention:
    names = [name for name, _ in steps]
    if len(names) < 2 or not names[1]:
        return Mention("lossy", "module")
    key = steps[2][1] if len(steps) > 2 else None
    rest = steps[3:] if key is not None else steps[2:]
    if not rest or not rest[0][0]:
        return Mention("module", names[1], key)
    return Mention("output", rest[0][0], key, module=names[1])


MANY: Final = 1_000
"""Targets of one expression beyond which none is kept apart: no person writes so many, and
each of 10,000 blocks may have them."""


class Target(NamedTuple):
    """A resource that an expression mentions."""

    address: str
    """Configuration address."""
    key: str | None = None
    """Key of the instance as written, where it is a constant."""


class Targets(NamedTuple):
    """What an expression may refer to: what it does with it, the JSON does not show."""

    found: frozenset[Target] = frozenset()
    lossy: bool = False
    """Whether there may be others, which the JSON does not show."""
    many: bool = False
    """Whether they are so many that none is kept apart."""

    @property
    def addresses(self) -> set[str]:
        """The configuration addresses of what was found."""
        return {target.address for target in self.found}


NOTHING: Final = Targets()
LOSSY: Final = Targets(lossy=True)
TOO_MANY: Final = Targets(lossy=True, many=True)


def union(parts: Iterable[Targets]) -> Targets:
    """Put together what several expressions refer to."""
    found: set[Target] = set()
    lossy = False
    only: Targets | None = NOTHING  # None where several parts say something
    for part in parts:
        if part is NOTHING:
            continue
        only = part if not found and not lossy else None
        found |= part.found
        lossy = lossy or part.lossy
        if part.many or len(found) > MANY:
            return TOO_MANY
    return Targets(frozenset(found), lossy) if only is None else only


class Place(NamedTuple):
    """Where an expression stands: what its names mean."""

    prefix: str
    """Prefix of the module's addresses: ``""``, ``"module.net."``."""
    for_each: Raw | None = None
    """``for_each`` of the block or call, None for what has none."""


class Resolver:
    """Follows references through one configuration; every step is taken once."""

    def __init__(self, configuration: Configuration) -> None:
        self._modules: dict[str, Module] = {}
        self._calls: dict[str, tuple[str, Call]] = {}
        self._known: dict[tuple[str, str, str], Targets] = {}
        self._leaves: dict[tuple[str, tuple[str, ...]], Targets] = {}
        self._open: set[tuple[str, str, str]] = set()
        self._arguments: dict[str, Any] = {}
        self._enter(configuration.root, "")

    def _enter(self, module: Module, prefix: str) -> None:
        stack = [(module, prefix)]
        while stack:
            current, here = stack.pop()
            self._modules[here] = current
            for name, call in (current.module_calls or {}).items():
                inner = f"{here}module.{name}."
                self._calls[inner] = (here, call)
                stack.append((call.module or Module(), inner))

    def resolve(self, part: Any, place: Place) -> Targets:
        """Return what all expressions in ``part`` refer to."""
        if part is None or _is_constant(part):
            return NOTHING
        return union(self._leaf(references, place) for references in leaves(part))

    def _leaf(self, references: list[str], place: Place) -> Targets:
        """Return what one expression refers to: many blocks of a module have the same ones."""
        if place.for_each or self._open:
            return self._expression(references, place)
        key = (place.prefix, tuple(references))
        found = self._leaves.get(key)
        if found is None:
            found = self._leaves[key] = self._expression(references, place)
        return found

    def _expression(self, references: list[str], place: Place) -> Targets:
        found = mentions(references)
        others = any(mention.kind not in ("each", "key") for mention in found)
        return union(
            self._mentioned(mention, place)
            for mention in found
            if not (others and mention.kind == "key")  # the key of one of the others
        )

    def _mentioned(self, mention: Mention, place: Place) -> Targets:
        if mention.kind == "resource":
            address = f"{place.prefix}{mention.name}"
            return Targets(frozenset({Target(address, mention.key)}))
        if mention.kind == "var":
            return self._once("var", place.prefix, mention.name, self._variable)
        if mention.kind == "output":
            inner = f"{place.prefix}module.{mention.module}."
            return self._once("output", inner, mention.name, self._output)
        if mention.kind == "module":
            inner = f"{place.prefix}module.{mention.name}."
            return self._once("module", inner, "", self._all_outputs)
        if mention.kind in ("each", "key"):
            return self._repetition(mention, place)
        return LOSSY

    def _once(
        self, kind: str, prefix: str, name: str, find: Callable[[str, str], Targets]
    ) -> Targets:
        step = (kind, prefix, name)
        if step in self._open:
            return LOSSY  # a circle: no configuration of Terraform has one
        if step not in self._known:
            self._open.add(step)
            try:
                self._known[step] = find(prefix, name)
            except RecursionError:
                return LOSSY
            finally:
                self._open.discard(step)
        return self._known[step]

    def _variable(self, prefix: str, name: str) -> Targets:
        """A variable is what the module's caller passes; the root module's comes from outside."""
        if prefix not in self._calls:
            return NOTHING if prefix == "" else LOSSY
        caller, call = self._calls[prefix]
        if prefix not in self._arguments:
            where = f"configuration({prefix.rstrip('.')}).expressions"
            self._arguments[prefix] = decode_value(call.expressions, where)
        arguments = self._arguments[prefix]
        if type(arguments) is not dict:
            return NOTHING if arguments is None else LOSSY
        return self.resolve(arguments.get(name), Place(caller, call.for_each_expression))

    def _output(self, prefix: str, name: str) -> Targets:
        module = self._modules.get(prefix)
        output = (module.outputs or {}).get(name) if module is not None else None
        if output is None:
            return LOSSY
        where = f"configuration({prefix}output.{name}).expression"
        return self.resolve(decode_value(output.expression, where), Place(prefix))

    def _all_outputs(self, prefix: str, _: str) -> Targets:
        module = self._modules.get(prefix)
        if module is None:
            return LOSSY
        return union(
            self._once("output", prefix, name, self._output) for name in module.outputs or {}
        )

    def _repetition(self, mention: Mention, place: Place) -> Targets:
        if mention.name == "count":
            return NOTHING
        if not place.for_each:
            return LOSSY
        where = f"configuration({place.prefix.rstrip('.')}).for_each_expression"
        # ``each`` inside for_each itself would be a circle, so it has no for_each of its own.
        return self.resolve(decode_value(place.for_each, where), Place(place.prefix))


def _is_constant(part: Any) -> bool:
    """Whether ``part`` is one expression without references: most are."""
    return type(part) is dict and len(part) == 1 and "constant_value" in part
