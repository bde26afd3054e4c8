"""Several plans in one stream, as ``terragrunt run --all -- show -json`` prints them."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from tfgate.errors import PlanError
from tfgate.plan.encoding import to_utf8

_NEXT: Final = re.compile(r"trailing characters \(byte (\d+)\)$")
_KEY: Final = b'"format_version"'
_SEAM: Final = re.compile(rb"\}\s*\{\s*$")
"""What stands before the first key of a second document, and before no key within one."""
_NEAR: Final = 1000
"""Bytes before a key in which the seam is looked for."""


def split_stream(data: bytes) -> list[bytes]:
    """Give each plan of a stream of them; anything else comes back as it is, in one piece.

    A plan by itself costs no more than a search for ``format_version``, with which Terraform begins
    each. What is not a row of such objects is left whole, for the reader of plans to explain.
    """
    try:
        text = to_utf8(data)
    except PlanError:
        return [data]
    if not _has_seam(text):
        return [data]
    parts = _parts(text)
    if len(parts) < 2 or not all(b'"format_version"' in part for part in parts):
        return [data]
    return parts


def _has_seam(text: bytes) -> bool:
    """Whether some ``format_version`` (of a plan's state, too) opens an object after another."""
    at = text.find(_KEY)
    while at >= 0:
        if _SEAM.search(text, max(at - _NEAR, 0), at):
            return True
        at = text.find(_KEY, at + 1)
    return False


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
    return len(text)
