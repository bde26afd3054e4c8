"""Decoding one part of a plan, so that whatever is wrong with it becomes a `PlanError`."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar

import msgspec
from msgspec import Raw

from tfgate.errors import PlanError
from tfgate.model.text import late
from tfgate.query.values import SENSITIVE, UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable


# --- How an archived plan says "a value that must not be shown stood here".
#
# The mark is told by its very bytes, white space included: Terraform writes none outside of
# strings, and inside of them quotes are escaped. So no value of a configuration can pass for a
# mark.


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


WRITE_ONLY: Final = b'_wo"'
"""How the name of a write-only argument ends."""


def without_write_only(value: Any) -> Any:
    """Make null write-only arguments unknown: a plan has null for them whatever was given.

    Providers name them with the suffix ``_wo`` (developer.hashicorp.com/terraform/plugin/
    framework/resources/write-only-arguments); nothing else in a plan tells them apart.
    """
    if type(value) is dict:
        return {
            key: UNKNOWN if part is None and key.endswith("_wo") else without_write_only(part)
            for key, part in value.items()
        }
    if type(value) is list:
        return [without_write_only(part) for part in value]
    return value


def may_hold_unknown(text: bytes) -> bool:
    """Whether decoding ``text`` may give anything unknown: a mark, a write-only argument."""
    return MARK in text or WRITE_ONLY in text


MAX_DEPTH: Final = 200
"""Levels of lists and objects that a value may have. Terraform's own are below 40."""

_ANY: Final = msgspec.json.Decoder()
_AT: Final = late(r" - at `([^`]*)`$")
_T = TypeVar("_T")


class Decoder(Generic[_T]):
    """A decoder of msgspec's that is made when first used.

    Making one reads the annotations of every struct in it, which takes up to a millisecond; most
    plans lack most parts.
    """

    def __init__(self, shape: Any) -> None:
        self._shape = shape

    @cached_property
    def decode(self) -> Callable[[bytes | Raw], _T]:
        """Decode JSON into the type given."""
        decoder: msgspec.json.Decoder[_T] = msgspec.json.Decoder(self._shape)
        return decoder.decode


def decode_value(raw: Raw, where: str) -> Any:
    """Decode ``raw`` into plain Python values; an absent part gives None.

    Raises PlanError, with the JSON path ``where``, for what is no JSON, for numbers no double
    holds, and for values nested deeper than `MAX_DEPTH`.
    """
    if not raw:
        return None
    value = decode_as(_ANY, raw, where)
    text = bytes(raw)
    if is_maybe_deep(text):
        try:
            check_depth(value)
        except TooDeepError:
            raise too_deep(where) from None
    return unmark(value) if MARK in text else value


def is_maybe_deep(text: bytes) -> bool:
    """Whether JSON may nest deeper than `MAX_DEPTH`: not with fewer brackets than that."""
    return len(text) > 2 * MAX_DEPTH and text.count(b"{") + text.count(b"[") > MAX_DEPTH


def decode_as(decoder: Decoder[_T] | msgspec.json.Decoder[_T], raw: Raw, where: str) -> _T:
    """Decode ``raw`` with ``decoder``; raise PlanError with a JSON path where it does not fit."""
    try:
        return decoder.decode(raw)
    except (ValueError, RecursionError) as error:
        raise part_error(error, where) from None


def part_error(error: Exception, where: str) -> PlanError:
    """Return the error of the part of a plan is wrong, without any value of it.

    msgspec's messages name JSON types and paths, never values, except that a decoding error of
    Python quotes the offending bytes: that one is not passed on.
    """
    if isinstance(error, RecursionError | TooDeepError):
        return too_deep(where)
    if isinstance(error, msgspec.ValidationError):
        text = str(error)
        at = _AT.search(text)
        path = f"{where}{at[1][1:]}".lstrip(".") if at else where
        return PlanError(f"{_lower(_AT.sub('', text))}.", where=path, hint=_HINT)
    if isinstance(error, UnicodeDecodeError):
        return PlanError("a string is not valid UTF-8.", where=where, hint=_HINT)
    return PlanError("this part is not valid JSON.", where=where, hint=_HINT)


class TooDeepError(ValueError):
    """A value is nested deeper than `MAX_DEPTH`."""


def check_depth(value: Any) -> None:
    """Raise TooDeepError where ``value`` is nested deeper than `MAX_DEPTH`."""
    level = [value]
    for _ in range(MAX_DEPTH + 1):
        level = [
            child
            for parent in level
            if type(parent) is dict or type(parent) is list
            for child in (parent.values() if type(parent) is dict else parent)
        ]
        if not level:
            return
    raise TooDeepError


def too_deep(where: str | None) -> PlanError:
    """Refuse what is nested deeper than any plan Terraform writes."""
    return PlanError(
        f"lists and objects are nested more than {MAX_DEPTH} levels deep.",
        where=where,
        hint="No plan of Terraform is: make the plan again and pass it as it is.",
    )


def wrong_shape(expected: str, where: str) -> PlanError:
    """Refuse a part that is valid JSON of a shape the format does not have."""
    return PlanError(f"expected {expected}.", where=where, hint=_HINT)


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


_HINT: Final = "Make the plan JSON again with `terraform show -json PLANFILE`."
