"""The plan as a whole: the subject of ``plan`` rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.configuration import walk
from tfgate.plan.decoding import decode_value
from tfgate.plan.pointing import Place, module_steps
from tfgate.plan.reads import PartOfPlan
from tfgate.plan.values import (
    ends_as_key,
    names_secret,
    redact_expression,
    redact_expressions,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tfgate.plan.configuration import Call, Configuration, Provider
    from tfgate.plan.plan import Plan
    from tfgate.plan.reads import Reads
    from tfgate.plan.subjects import Subject


# --- Module calls as the subjects of ``module`` rules.


class ModuleCall(PartOfPlan):
    """A ``module`` block. Satisfies `tfgate.plan.subjects.Subject`."""

    __slots__ = ("_configuration", "call", "module_address", "name")

    type = ""
    action = None
    mode = "managed"
    provider_name = ""
    deposed: str | None = None

    def __init__(
        self, module_address: str, name: str, call: Call, configuration: Configuration
    ) -> None:
        self._configuration = configuration
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

    def arguments(self, *, redacted: bool) -> Any:
        """Return the values of its arguments, `UNKNOWN` where plan and sources do not show one."""
        hidden = self.sensitive_arguments
        return self._configuration.known_values.arguments(
            Place(module_steps(self.module_address), f"module.{self.name}"),
            self.part("expressions") or {},
            redacted=redacted,
            secret=lambda name: name in hidden or names_secret(name),
        )

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
            yield ModuleCall(prefix.rstrip("."), name, call, configuration)


FIELDS: Final[Mapping[str, Callable[[ModuleCall, Reads], Any]]] = {
    "address": lambda call, _: call.address,
    "name": lambda call, _: call.name,
    "module_address": lambda call, _: call.module_address,
    "source": lambda call, _: call.call.source,
    "version_constraint": lambda call, _: call.call.version_constraint,
    "expressions": lambda call, _: call.part("expressions") or {},
    "arguments": lambda call, _: call.arguments(redacted=False),
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
    "arguments": lambda call, _: call.arguments(redacted=True),
    "count_expression": lambda call, _: redact_expression(call.part("count_expression")),
    "for_each_expression": lambda call, _: redact_expression(call.part("for_each_expression")),
}


# --- Provider configurations as the subjects of ``provider`` rules.


class ProviderConfig(PartOfPlan):
    """An entry of ``provider_config``. Satisfies `tfgate.plan.subjects.Subject`."""

    __slots__ = ("_configuration", "_key", "_provider")

    type = ""
    action = None
    mode = "managed"
    deposed: str | None = None

    def __init__(self, key: str, provider: Provider, configuration: Configuration) -> None:
        self._configuration = configuration
        self._key = key
        self._provider = provider

    @property
    def address(self) -> str:
        """``provider.aws``, ``provider.aws.west``, ``module.net.provider.aws``."""
        module, _, provider = self._key.rpartition(":")
        return f"{module}.provider.{provider}" if module else f"provider.{provider}"

    @property
    def name(self) -> str:
        """Local name: ``aws``."""
        return self._provider.name

    @property
    def full_name(self) -> str | None:
        """``registry.terraform.io/hashicorp/aws``; None in plans before 1.1."""
        return self._provider.full_name

    @property
    def provider_name(self) -> str:
        """The full name, or the local one where the plan has no other."""
        return self._provider.full_name or self._provider.name

    @property
    def alias(self) -> str | None:
        """``west``; None for the default configuration."""
        return self._provider.alias

    @property
    def version_constraint(self) -> str | None:
        """As required by the module, ``~> 5.0``; None if no version is asked for."""
        return self._provider.version_constraint

    @property
    def module_address(self) -> str:
        """Configuration address of the module it stands in."""
        return self._provider.module_address or ""

    def expressions(self) -> Any:
        """Return the arguments as configured; they may hold secrets."""
        where = f"configuration.provider_config({self.address}).expressions"
        return decode_value(self._provider.expressions, where) or {}

    def redacted_expressions(self) -> Any:
        """Return the arguments with `SENSITIVE` for constants that a name says are secret."""
        expressions = self.expressions()
        keys = frozenset(filter(ends_as_key, expressions if type(expressions) is dict else ()))
        return redact_expressions(expressions, keys)

    def arguments(self, *, redacted: bool) -> Any:
        """Return the values of its arguments, `UNKNOWN` where plan and sources do not show one."""
        block = f"provider.{self.name}.{self.alias}" if self.alias else f"provider.{self.name}"
        return self._configuration.known_values.arguments(
            Place(module_steps(self.module_address), block),
            self.expressions(),
            redacted=redacted,
            secret=lambda name: ends_as_key(name) or names_secret(name),
        )

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of a provider rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(PROVIDER_FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(PROVIDER_REDACTED_FIELDS)}


def provider_configs(configuration: Configuration) -> Iterator[ProviderConfig]:
    """Yield every provider configuration of every module."""
    for key, provider in (configuration.whole.provider_config or {}).items():
        yield ProviderConfig(key, provider, configuration)


PROVIDER_FIELDS: Final[Mapping[str, Callable[[ProviderConfig, Reads], Any]]] = {
    "address": lambda provider, _: provider.address,
    "name": lambda provider, _: provider.name,
    "full_name": lambda provider, _: provider.full_name,
    "alias": lambda provider, _: provider.alias,
    "version_constraint": lambda provider, _: provider.version_constraint,
    "module_address": lambda provider, _: provider.module_address,
    "expressions": lambda provider, _: provider.expressions(),
    "arguments": lambda provider, _: provider.arguments(redacted=False),
    "source": lambda _provider, _: None,
}
"""The root of a provider rule."""

PROVIDER_REDACTED_FIELDS: Final[Mapping[str, Callable[[ProviderConfig, Reads], Any]]] = {
    **PROVIDER_FIELDS,
    "expressions": lambda provider, _: provider.redacted_expressions(),
    "arguments": lambda provider, _: provider.arguments(redacted=True),
}


class PlanSubject(PartOfPlan):
    """The only subject of scope ``plan``. Satisfies `tfgate.plan.subjects.Subject`."""

    __slots__ = ("plan", "workspace")

    address = "plan"
    type = ""
    name = ""
    action = None
    mode = "managed"
    module_address = ""
    provider_name = ""
    deposed: str | None = None

    def __init__(self, plan: Plan, workspace: str | None) -> None:
        self.plan = plan
        self.workspace = workspace

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of a plan rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(SUMMARY_FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(SUMMARY_REDACTED_FIELDS)}


def plan_document(plan: Plan, workspace: str | None, reads: Reads) -> dict[str, Any]:
    """Return the root of a plan rule with the fields that ``reads`` wants."""
    return PlanSubject(plan, workspace).document(reads)


def redacted_plan_document(plan: Plan, workspace: str | None, reads: Reads) -> dict[str, Any]:
    """Return the same with `SENSITIVE` for what must not be shown."""
    return PlanSubject(plan, workspace).redacted(reads)


_LISTS: Final[Mapping[str, Callable[[Plan], Iterable[Subject]]]] = {
    "changes": lambda plan: plan.changes,
    "data_sources": lambda plan: plan.data_sources(),
    "drift": lambda plan: plan.drift,
    "deferred": lambda plan: plan.deferred,
    "outputs": lambda plan: plan.outputs.values(),
    "actions": lambda plan: [*plan.actions, *plan.deferred_actions],
    "providers": lambda plan: provider_configs(plan.configuration),
    "modules": lambda plan: module_calls(plan.configuration),
}
"""Fields that are lists of what other scopes have as their root."""


def _list(name: str, *, redacted: bool) -> Callable[[PlanSubject, Reads], Any]:
    items = _LISTS[name]

    def get(subject: PlanSubject, reads: Reads) -> list[dict[str, Any]]:
        below = reads.below(name)
        if redacted:
            return [item.redacted(below) for item in items(subject.plan)]
        return [item.document(below) for item in items(subject.plan)]

    return get


SUMMARY_FIELDS: Final[Mapping[str, Callable[[PlanSubject, Reads], Any]]] = {
    "counts": lambda subject, _: subject.plan.counts(),
    "counts_by_type": lambda subject, _: subject.plan.counts_by_type(),
    "resources_before": lambda subject, _: subject.plan.resources[0],
    "resources_after": lambda subject, _: subject.plan.resources[1],
    **{name: _list(name, redacted=False) for name in _LISTS},
    "variables": lambda subject, _: subject.plan.variables(),
    "checks": lambda subject, _: subject.plan.checks,
    "complete": lambda subject, _: subject.plan.complete,
    "applyable": lambda subject, _: subject.plan.applyable,
    "errored": lambda subject, _: subject.plan.errored,
    "format_version": lambda subject, _: subject.plan.format_version,
    "terraform_version": lambda subject, _: subject.plan.terraform_version,
    "timestamp": lambda subject, _: subject.plan.timestamp,
    "workspace": lambda subject, _: subject.workspace,
    "source": lambda _subject, _: None,
}
"""The root of a plan rule."""

SUMMARY_REDACTED_FIELDS: Final[Mapping[str, Callable[[PlanSubject, Reads], Any]]] = {
    **SUMMARY_FIELDS,
    **{name: _list(name, redacted=True) for name in _LISTS},
    "variables": lambda subject, _: subject.plan.redacted_variables(),
}
