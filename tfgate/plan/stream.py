"""Several plans in one stream, as ``terragrunt run --all -- show -json`` prints them."""

from __future__ import annotations

from typing import Final

import msgspec

from tfgate.errors import PlanError
from tfgate.model.pattern import late
from tfgate.plan.encoding import to_utf8

_NEXT: Final = late(r"trailing characters \(byte (\d+)\)$")


def split_stream(data: bytes) -> list[bytes]:
    """Give each plan of a stream of them; anything else comes back as it is, in one piece.

    What is not a row of JSON objects that each have a ``format_version`` is left whole, for the
    reader of plans to explain. Worth its time only where that reader has met a second document.
    """
    try:
        parts = _parts(to_utf8(data))
    except PlanError:
        return [data]
    if len(parts) < 2 or not all(b'"format_version"' in part for part in parts):
        return [data]
    return parts


def _parts(text: bytes) -> list[bytes]:
    """Cut the text behind every document; no parts where one of them is no JSON."""
    parts = []
    rest = memoryview(text)
    while rest:
        end = _end(rest)
        if end is None:
            return []
        parts.append(bytes(rest[:end]).strip())
        rest = rest[end:]
    return parts


def _end(text: memoryview) -> int | None:
    """Give where the next document begins, or the end; ``None`` where the first is no JSON."""
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except msgspec.DecodeError as error:
        found = _NEXT.search(str(error))
        # msgspec names the byte after the one that is too much.
        return None if found is None else int(found[1]) - 1
    except RecursionError:
        return None
    return len(text)
