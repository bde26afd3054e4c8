"""JSON text for files and pipes that a terminal may show as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

from tfgate.model.pattern import late
from tfgate.model.printable import is_printable

if TYPE_CHECKING:
    import re

_BEYOND_ASCII = late(r"[^ -~\n]+")
_PLAIN = b"\n" + bytes(range(0x20, 0x7F))


def dumps(value: object, order: Literal["sorted"] | None = None) -> str:
    """Give ``value`` (structs and plain values) as JSON, indented by two, ending in a newline.

    What is legal in JSON and could mislead a terminal (C1 controls, bidi marks) is written as the
    escape of the same character: every reader decodes it to the very same string.
    """
    try:
        encoded = msgspec.json.encode(value, order=order)
    except UnicodeEncodeError:  # a lone surrogate, out of a file name that is not UTF-8
        encoded = msgspec.json.encode(_without_surrogates(msgspec.to_builtins(value)), order=order)
    formatted = msgspec.json.format(encoded, indent=2)
    text = formatted.decode() + "\n"
    # Of megabytes nearly all is ASCII, which goes fast; what is left over is looked at by itself.
    if is_printable(formatted.translate(None, _PLAIN).decode()):
        return text
    return _BEYOND_ASCII.sub(_escaped, text)


def _escaped(found: re.Match[str]) -> str:
    if is_printable(found[0]):
        return found[0]
    units = found[0].encode("utf-16-be")  # JSON escapes are UTF-16 units
    return "".join(
        f"\\u{high:02x}{low:02x}" for high, low in zip(units[::2], units[1::2], strict=True)
    )


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, dict):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_surrogates(item) for item in value]
    return value
