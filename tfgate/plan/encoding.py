"""Plan bytes as they come from a file or a pipe → the UTF-8 that JSON is written in."""

from __future__ import annotations

import codecs
from typing import Final

from tfgate.errors import PlanError

_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
_UTF32: Final = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_PIECE: Final = 1 << 20
"""Bytes checked at a time, so that checking a large plan does not double it."""


def to_utf8(data: bytes) -> bytes:
    """Give ``data`` as UTF-8 without a byte order mark; plain UTF-8 is returned as it is.

    Accepted are UTF-8 with or without a byte order mark and UTF-16 with one (what ``>`` writes
    in Windows PowerShell). Raises PlanError for anything else, naming the first wrong byte.
    """
    if data.startswith(_UTF32):
        raise PlanError(f"The text is UTF-32. {RECODE}")
    for mark, encoding in _UTF16.items():
        if data.startswith(mark):
            return _decoded(data, encoding, len(mark)).encode()
    data = data.removeprefix(codecs.BOM_UTF8)
    _check_utf8(data)
    return data


def _decoded(data: bytes, encoding: str, skip: int) -> str:
    try:
        return data[skip:].decode(encoding)
    except UnicodeDecodeError as error:
        raise PlanError(
            f"The text is not valid UTF-16 at byte {error.start + skip}. {RECODE}"
        ) from None


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


RECODE: Final = "Save the output of `terraform show -json PLANFILE` as UTF-8, without editing it."
