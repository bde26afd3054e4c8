"""Values of the root module's variables, and which of them must not be shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Raw

from tfgate.plan.decoding import Decoder, decode_as, decode_value
from tfgate.plan.secrets import names_secret, redact_named
from tfgate.plan.wire import ABSENT
from tfgate.query.values import SENSITIVE

if TYPE_CHECKING:
    from tfgate.plan.configuration import Configuration, Variable


class Given(msgspec.Struct, gc=False):
    """An entry of ``variables``; a variable whose value is null may have no ``value``."""

    value: Raw = ABSENT


_DECODER: Final[Decoder[dict[str, Given] | None]] = Decoder(dict[str, Given] | None)


def variable_values(raw: Raw) -> dict[str, Any]:
    """Decode ``variables`` into name → value."""
    given = (raw and decode_as(_DECODER, raw, "variables")) or {}
    return {
        name: decode_value(entry.value, f"variables.{name}.value") for name, entry in given.items()
    }


def redacted_values(values: dict[str, Any], configuration: Configuration) -> dict[str, Any]:
    """Hide the values of variables that are sensitive, or that are not known not to be.

    ``variables`` has no marks: a variable's sensitivity is in the configuration.
    """
    declared = configuration.root.variables or {}
    return {name: _shown(name, value, declared.get(name)) for name, value in values.items()}


def _shown(name: str, value: Any, declared: Variable | None) -> Any:
    if declared is None or declared.sensitive or names_secret(name):
        return SENSITIVE
    return redact_named(value)
