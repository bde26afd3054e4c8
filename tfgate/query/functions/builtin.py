"""The functions every expression has: the standard ones and tfgate's pure ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.query.functions import (
    arrays,
    collections,
    documents,
    network,
    numbers,
    objects,
    ordering,
    strings,
    text,
    times,
    types,
    versions,
)

if TYPE_CHECKING:
    from tfgate.query.functions.registry import Function

STANDARD: Final[tuple[Function, ...]] = (
    *numbers.FUNCTIONS,
    *strings.FUNCTIONS,
    *arrays.FUNCTIONS,
    *ordering.FUNCTIONS,
    *objects.FUNCTIONS,
    *types.FUNCTIONS,
)
"""The 26 of the JMESPath specification."""

EXTRA: Final[tuple[Function, ...]] = (
    *text.FUNCTIONS,
    *documents.FUNCTIONS,
    *collections.FUNCTIONS,
    *network.FUNCTIONS,
    *versions.FUNCTIONS,
    *times.FUNCTIONS,
)
"""What tfgate adds and what needs nothing but its arguments (and the clock it is given)."""

BUILTIN: Final = (*STANDARD, *EXTRA)
