"""Plan bytes as they come from a file or a pipe → the UTF-8 that JSON is written in."""

from __future__ import annotations

import codecs
from typing import Final, NamedTuple

from tfgate.errors import PlanError

_PIECE: Final = 1 << 20
"""Bytes checked at a time, so that checking a large plan does not double it."""


class _Encoding(NamedTuple):
    """An encoding of JSON other than UTF-8, and how a text in it begins."""

    name: str
    codec: str
    mark: bytes
    """The byte order mark."""
    zeros: tuple[bool, ...]
    """Without one: which of the first bytes are zero. JSON begins with an ASCII character, and a
    plan's second one is ASCII as well (RFC 4627, section 3)."""


_OTHERS: Final = (
    _Encoding("UTF-32", "utf-32-le", codecs.BOM_UTF32_LE, (False, True, True, True)),
    _Encoding("UTF-32", "utf-32-be", codecs.BOM_UTF32_BE, (True, True, True, False)),
    _Encoding("UTF-16", "utf-16-le", codecs.BOM_UTF16_LE, (False, True, False, True)),
    _Encoding("UTF-16", "utf-16-be", codecs.BOM_UTF16_BE, (True, False, True, False)),
)
"""UTF-32 first: its mark begins with that of UTF-16."""


def to_utf8(data: bytes) -> bytes:
    """Give ``data`` as UTF-8 without a byte order mark; plain UTF-8 is returned as it is.

    Accepted are UTF-8, UTF-16 (what ``>`` writes in Windows PowerShell) and UTF-32, with or
    without a byte order mark. Raises PlanError for anything else, naming the first wrong byte.
    """
    for encoding in _OTHERS:
        if data.startswith(encoding.mark):
            return _decoded(data, encoding, len(encoding.mark))
    if b"\0" in data[:4]:
        zeros = tuple(byte == 0 for byte in data[:4])
        for encoding in _OTHERS:
            if zeros == encoding.zeros:
                return _decoded(data, encoding, 0)
    data = data.removeprefix(codecs.BOM_UTF8)
    _check_utf8(data)
    return data


def _decoded(data: bytes, encoding: _Encoding, skip: int) -> bytes:
    try:
        return str(memoryview(data)[skip:], encoding.codec).encode()
    except UnicodeDecodeError as error:
        at = error.start + skip
        raise PlanError(f"The text is not valid {encoding.name} at byte {at}. {RECODE}") from None


def _check_utf8(data: bytes) -> None:
    if data.isascii():
        return
    decoder = codecs.getincrementaldecoder("utf-8")()
    start = 0
    try:
        for start in range(0, len(data), _PIECE):
            decoder.decode(data[start : start + _PIECE], start + _PIECE >= len(data))
    except UnicodeDecodeError as error:
        kept = len(decoder.getstate()[0]) if start else 0
        at = start - kept + error.start
        raise PlanError(f"The text is not valid UTF-8 at byte {at}. {RECODE}") from None


RECODE: Final = (
    "Save the output of `terraform show -json PLANFILE` as UTF-8, without editing it; in Windows "
    "PowerShell: `terraform show -json PLANFILE | Out-File -Encoding utf8 plan.json`."
)
