"""The ``configuration`` part of a plan: the blocks as written, values not evaluated.

Decoded when first asked for. Blocks have configuration addresses: those of instances without
``count`` and ``for_each`` keys, as ``module.net.aws_subnet.private``.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from tfgate.model.address import join_modules, split_modules
from tfgate.model.text import late
from tfgate.plan.change import ABSENT, Name
from tfgate.plan.decoding import Decoder, decode_as, decode_value
from tfgate.plan.reads import EVERYTHING, Reads
from tfgate.plan.values import marked_attributes, redact_block

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tfgate.plan.change import Change
    from tfgate.plan.known_expressions import Knowing
    from tfgate.plan.known_values import KnownValues
    from tfgate.plan.pointing import Written

_PARTS: Final = (
    "expressions",
    "count_expression",
    "for_each_expression",
    "depends_on",
    "provisioners",
    "provider_config_key",
    "schema_version",
)
"""The fields of ``config``."""
_EMPTY: Final = {"expressions": dict, "depends_on": list, "provisioners": list}
"""Those that are an object or a list where the plan has none."""
_KEYS: Final = late(r'\[(?:"(?:[^"\\]|\\.)*"|[^\[\]"]*)\]')
"""No key has an open bracket outside quotes: a search from each of many would take for ever."""


class Block(msgspec.Struct, gc=False):
    """A resource as configured."""

    address: Name = ""
    """Within its module, without keys."""
    mode: str = "managed"
    type: Name = ""
    name: Name = ""
    provider_config_key: str | None = None
    expressions: Raw = ABSENT
    count_expression: Raw = ABSENT
    for_each_expression: Raw = ABSENT
    depends_on: list[str] | None = None
    provisioners: Raw = ABSENT
    schema_version: int | None = None


class Variable(msgspec.Struct, gc=False):
    """A declared variable."""

    default: Raw = ABSENT
    description: str | None = None
    sensitive: bool | None = None


class Output(msgspec.Struct, gc=False):
    """A declared output."""

    expression: Raw = ABSENT
    sensitive: bool | None = None
    description: str | None = None
    depends_on: list[str] | None = None


class Module(msgspec.Struct, gc=False):
    """A module's contents."""

    resources: list[Block] | None = None
    module_calls: dict[Name, Call] | None = None
    variables: dict[Name, Variable] | None = None
    outputs: dict[Name, Output] | None = None


class Call(msgspec.Struct, gc=False):
    """A module call and the module it calls."""

    source: Name | None = None
    version_constraint: Name | None = None
    expressions: Raw = ABSENT
    count_expression: Raw = ABSENT
    for_each_expression: Raw = ABSENT
    depends_on: list[str] | None = None
    module: Module | None = None


class Provider(msgspec.Struct, gc=False):
    """A provider configuration; all modules' providers stand in one map."""

    name: Name = ""
    full_name: Name | None = None
    alias: Name | None = None
    version_constraint: Name | None = None
    module_address: Name | None = None
    expressions: Raw = ABSENT


class Whole(msgspec.Struct, gc=False):
    """The ``configuration`` object."""

    root_module: Module | None = None
    provider_config: dict[Name, Provider] | None = None


_WHOLE: Final[Decoder[Whole]] = Decoder(Whole)


class Configuration:
    """Lookup in a plan's configuration. Raises PlanError where that part is malformed."""

    def __init__(self, raw: Raw, variables: Callable[[], Mapping[str, Any]] = dict) -> None:
        self._raw = raw
        self._variables = variables
        self._last: tuple[str | None, Any] = (None, None)
        """The block whose expressions were asked for last: a rule asks for one again and again,
        and a block's instances stand side by side."""
        self.written: Written | None = None
        """The sources, where they are at hand."""
        self._knowing: Knowing | None = None
        self._open: dict[str, frozenset[str] | None] = {}

    def use(self, written: Written, marks: Callable[[], Mapping[str, Sequence[Raw]]]) -> None:
        """Take the sources; ``marks`` collects the ``after_unknown`` of each block's instances."""
        from tfgate.plan.known_expressions import Knowing  # many plans come without sources

        self.written = written
        self._knowing = Knowing(written, marks)

    def dynamic(self, address: str) -> Mapping[str, Sequence[str]] | None:
        """Return the ``for_each`` of the dynamic blocks of a block, by label; None without sources.

        None as well where the sources do not have the block.
        """
        if self.written is None:
            return None
        return self.written.dynamic(*split_modules(address))

    def open_blocks(self, change: Change) -> frozenset[str] | None:
        """Name the dynamic blocks of a change that may be over an unknown; None if nobody knows."""
        address = configuration_address(change)
        if address not in self._open:
            self._open[address] = self._open_blocks(address)
        return self._open[address]

    def _open_blocks(self, address: str) -> frozenset[str] | None:
        dynamic = self.dynamic(address)
        if dynamic is None or self._knowing is None:
            return None
        calls, block = split_modules(address)
        return frozenset(
            label
            for label, texts in dynamic.items()
            if not all(self._knowing.knows(text, calls, block) for text in texts)
        )

    @property
    def raw(self) -> Raw:
        """Its bytes, as they are in the plan."""
        return self._raw

    @property
    def present(self) -> bool:
        """Whether the plan has a configuration at all."""
        return len(self._raw) > len(b"null")  # an object with anything in it

    @cached_property
    def whole(self) -> Whole:
        """All of it, with the expressions still undecoded."""
        return decode_as(_WHOLE, self._raw, "configuration") if self.present else Whole()

    @property
    def root(self) -> Module:
        """The root module."""
        return self.whole.root_module or Module()

    @cached_property
    def variables(self) -> Mapping[str, Any]:
        """What the plan has as values of the root module's variables."""
        return self._variables()

    def modules(self) -> Iterator[tuple[tuple[str, ...], Module, Call | None]]:
        """Yield every module with the names of the calls that lead to it, and the last of these."""
        stack: list[tuple[tuple[str, ...], Module, Call | None]] = [((), self.root, None)]
        while stack:
            calls, module, call = stack.pop()
            yield calls, module, call
            stack.extend(
                ((*calls, name), inner.module or Module(), inner)
                for name, inner in (module.module_calls or {}).items()
            )

    @cached_property
    def calls(self) -> Mapping[str, Call]:
        """Every module call by configuration address."""
        return {join_modules(calls): call for calls, _, call in self.modules() if call is not None}

    @cached_property
    def known_values(self) -> KnownValues:
        """What arguments and variables come to."""
        from tfgate.plan.known_values import KnownValues  # few rules ask

        return KnownValues(self)

    @cached_property
    def blocks(self) -> dict[str, Block]:
        """Every resource by configuration address."""
        return {
            f"{prefix}{block.address}": block
            for prefix, module in walk(self.root)
            for block in module.resources or ()
        }

    def block(self, change: Change, reads: Reads) -> dict[str, Any] | None:
        """Return a change's block as a rule sees it in ``config``; None if there is none."""
        address = configuration_address(change)
        block = self.blocks.get(address)
        if block is None:
            return None
        return {name: block_part(block, address, name) for name in _PARTS if reads.wants(name)}

    def expressions(self, change: Change) -> Any:
        """Return ``expressions`` of `block` alone, not to be changed; None if there is no block."""
        address = configuration_address(change)
        if self._last[0] != address:
            block = self.blocks.get(address)
            part = None if block is None else block_part(block, address, "expressions")
            self._last = address, part
        return self._last[1]

    def redacted_block(self, change: Change, reads: Reads = EVERYTHING) -> dict[str, Any] | None:
        """Return `block` with `SENSITIVE` for constants that marks or names say are secret."""
        document = self.block(change, reads)
        if document is None:
            return None
        marked = marked_attributes(change) if "expressions" in document else None
        return redact_block(document, marked)


def walk(module: Module, prefix: str = "") -> Iterator[tuple[str, Module]]:
    """Yield every module with the prefix of its addresses: ``""``, ``"module.net."``, …"""
    stack = [(prefix, module)]
    while stack:
        here, current = stack.pop()
        yield here, current
        calls = [*(current.module_calls or {}).items()]
        stack.extend(
            (f"{here}module.{name}.", call.module)
            for name, call in reversed(calls)
            if call.module is not None
        )


def managed_blocks(configuration: Configuration) -> Iterator[tuple[str, bool]]:
    """Yield the address of every managed resource, and whether it may have no instance.

    That is so where it, or a module around it, has ``count`` or ``for_each``.
    """
    stack = [("", configuration.root, False)]
    while stack:
        prefix, module, inside = stack.pop()
        for block in module.resources or ():
            if block.mode in ("", "managed"):
                address = block.address or f"{block.type}.{block.name}"
                yield f"{prefix}{address}", inside or _is_repeated(block)
        stack.extend(
            (f"{prefix}module.{name}.", call.module, inside or _is_repeated(call))
            for name, call in (module.module_calls or {}).items()
            if call.module is not None
        )


def _is_repeated(block: Block | Call) -> bool:
    return bool(block.count_expression or block.for_each_expression)


def configuration_address(change: Change) -> str:
    """The address of a change's block: its own without ``count`` and ``for_each`` keys."""
    return without_keys(change.address)


def without_keys(address: str) -> str:
    """Leave the keys out of an address: ``module.a["x"].aws_b.c[0]`` → ``module.a.aws_b.c``."""
    return _KEYS.sub("", address) if "[" in address else address


def block_part(block: Block, address: str, name: str) -> Any:
    """Decode one field of ``config``."""
    part = getattr(block, name)
    if isinstance(part, Raw):
        part = decode_value(part, f"configuration({address}).{name}")
    return part or _EMPTY[name]() if name in _EMPTY else part
