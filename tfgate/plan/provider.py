"""Provider configurations as the subjects of ``provider`` rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.decoding import decode_value
from tfgate.plan.expressions import redact_expressions
from tfgate.plan.secrets import ends_as_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tfgate.plan.configuration import Configuration, Provider
    from tfgate.plan.reads import Reads


class ProviderConfig:
    """An entry of ``provider_config``. Satisfies `tfgate.plan.subject.Subject`."""

    __slots__ = ("_key", "_provider")

    type = ""
    action = None
    mode = "managed"
    deposed: str | None = None

    def __init__(self, key: str, provider: Provider) -> None:
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
        """Give the arguments as configured; they may hold secrets."""
        where = f"configuration.provider_config({self.address}).expressions"
        return decode_value(self._provider.expressions, where) or {}

    def redacted_expressions(self) -> Any:
        """Give the arguments with `SENSITIVE` for constants that a name says are secret."""
        expressions = self.expressions()
        keys = frozenset(filter(ends_as_key, expressions if type(expressions) is dict else ()))
        return redact_expressions(expressions, keys)

    def document(self, reads: Reads) -> dict[str, Any]:
        """The root of a provider rule: the fields of `FIELDS` that ``reads`` wants."""
        return {name: get(self, reads) for name, get in reads.select(FIELDS)}

    def redacted(self, reads: Reads) -> dict[str, Any]:
        """The same with `SENSITIVE` for what must not be shown."""
        return {name: get(self, reads) for name, get in reads.select(REDACTED_FIELDS)}


def provider_configs(configuration: Configuration) -> Iterator[ProviderConfig]:
    """Yield every provider configuration of every module."""
    for key, provider in (configuration.whole.provider_config or {}).items():
        yield ProviderConfig(key, provider)


FIELDS: Final[Mapping[str, Callable[[ProviderConfig, Reads], Any]]] = {
    "address": lambda provider, _: provider.address,
    "name": lambda provider, _: provider.name,
    "full_name": lambda provider, _: provider.full_name,
    "alias": lambda provider, _: provider.alias,
    "version_constraint": lambda provider, _: provider.version_constraint,
    "module_address": lambda provider, _: provider.module_address,
    "expressions": lambda provider, _: provider.expressions(),
    "source": lambda _provider, _: None,
}
"""The root of a provider rule."""

REDACTED_FIELDS: Final[Mapping[str, Callable[[ProviderConfig, Reads], Any]]] = {
    **FIELDS,
    "expressions": lambda provider, _: provider.redacted_expressions(),
}
