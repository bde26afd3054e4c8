"""How an archived plan says "a value that must not be shown stood here".

The mark is told by its very bytes, white space included: Terraform writes none outside of strings,
and inside of them quotes are escaped. So no value of a configuration can pass for a mark.
"""

from __future__ import annotations

from typing import Any, Final

from tfgate.query.values import SENSITIVE

MARK: Final = b'{ "tfgate:sensitive": true }'

_DECODED: Final = {"tfgate:sensitive": True}


def unmark(value: Any) -> Any:
    """Put `SENSITIVE` where a mark stood in the text that ``value`` was decoded from."""
    if type(value) is dict:
        if value == _DECODED:
            return SENSITIVE
        return {key: unmark(part) for key, part in value.items()}
    if type(value) is list:
        return [unmark(part) for part in value]
    return value
