"""Secrets that a provider repeats where Terraform does not mark them.

Terraform marks the values that a configuration makes sensitive, and follows them through
expressions; what a provider computes from them carries no mark (the ``output`` of a
``terraform_data`` whose ``input`` is sensitive). Within one change such a repetition is hidden.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.app.review_leaf import NOTHING, Side
from tfgate.query.values import SENSITIVE

if TYPE_CHECKING:
    from collections.abc import Iterator

_SHORTEST: Final = 8
"""Characters: a shorter secret is also a common word, and hiding that would point at it."""


def without_echoes(before: Side, after: Side) -> tuple[Side, Side]:
    """Hide every string that has one of the change's own secrets in it."""
    secrets = {*_secrets(before.view, before.real), *_secrets(after.view, after.real)}
    if not secrets:
        return before, after
    return _masked(before, secrets), _masked(after, secrets)


def _masked(side: Side, secrets: set[str]) -> Side:
    return side if side is NOTHING else Side(_mask(side.view, secrets), side.real)


def _secrets(view: Any, real: Any) -> Iterator[str]:
    """Find the strings of ``real`` that ``view`` hides."""
    if view is SENSITIVE:
        yield from _strings(real)
    elif type(view) is dict and type(real) is dict:
        for key, part in view.items():
            yield from _secrets(part, real.get(key))
    elif type(view) is list and type(real) is list:
        for part, value in zip(view, real, strict=False):
            yield from _secrets(part, value)


def _strings(value: Any) -> Iterator[str]:
    if type(value) is str:
        if len(value) >= _SHORTEST:
            yield value
    elif type(value) is dict:
        for part in value.values():
            yield from _strings(part)
    elif type(value) is list:
        for part in value:
            yield from _strings(part)


def _mask(view: Any, secrets: set[str]) -> Any:
    if type(view) is str:
        return SENSITIVE if any(secret in view for secret in secrets) else view
    if type(view) is list:
        return [_mask(part, secrets) for part in view]
    if type(view) is not dict:
        return view
    if any(secret in key for key in view for secret in secrets):
        return SENSITIVE
    return {key: _mask(part, secrets) for key, part in view.items()}
