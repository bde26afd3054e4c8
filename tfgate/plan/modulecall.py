"""Module calls as the subjects of ``module`` rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.configuration import walk
from tfgate.plan.decoding import decode_value
from tfgate.plan.expressions import redact_expression, redact_expressions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tfgate.plan.configuration import Call, Configuration
    from tfgate.plan.reads import Reads


class ModuleCall:
    """A ``module`` block. Satisfies `tfgate.plan.subject.Subject`."""

    __slots__ = ("call", "module_address", "name")

    type = ""
    action = None
    mode = "managed"
    provider_name = ""
    deposed: str | None = None

    def __init__(self, module_address: str, name: str, call: Call) -> None:
        self.module_address = module_address
        """Configuration address of the module that calls; ``""`` for the root module."""
        self.name = name
        self.call = call

    @property
    def address(self) -> str:
        """``module.net.module.subnets``: the configuration's, without keys of instances."""
        prefix = f"{self.module_address}." if self.module_address else ""
        return f"{prefix}module.{self.name}"

    @property
    def sensitive_arguments(self) -> frozenset[str]:
        """Arguments that the called module declares as sensitive variables."""
        variables = (self.call.module and self.call.module.variables) or {}
        return frozenset(name for name, variable in variables.items() if variable.sensitive)

    def part(self, field: str) -> Any:
        """Decode one of the undecoded fields."""
        where = f"configuration({self.address}).{field}"
        return decode_value(getattr(self.call, field), where)

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of a module rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(REDACTED_FIELDS)}


def module_calls(configuration: Configuration) -> Iterator[ModuleCall]:
    """Yield every module call, callers before what they call."""
    for prefix, module in walk(configuration.root):
        for name, call in (module.module_calls or {}).items():
            yield ModuleCall(prefix.rstrip("."), name, call)


FIELDS: Final[Mapping[str, Callable[[ModuleCall, Reads], Any]]] = {
    "address": lambda call, _: call.address,
    "name": lambda call, _: call.name,
    "module_address": lambda call, _: call.module_address,
    "source": lambda call, _: call.call.source,
    "version_constraint": lambda call, _: call.call.version_constraint,
    "expressions": lambda call, _: call.part("expressions") or {},
    "count_expression": lambda call, _: call.part("count_expression"),
    "for_each_expression": lambda call, _: call.part("for_each_expression"),
    "depends_on": lambda call, _: call.call.depends_on or [],
}
"""The root of a module rule. ``source`` is what the block says, not a place in HCL."""

REDACTED_FIELDS: Final[Mapping[str, Callable[[ModuleCall, Reads], Any]]] = {
    **FIELDS,
    "expressions": lambda call, _: redact_expressions(
        call.part("expressions") or {}, call.sensitive_arguments
    ),
    "count_expression": lambda call, _: redact_expression(call.part("count_expression")),
    "for_each_expression": lambda call, _: redact_expression(call.part("for_each_expression")),
}
