"""Of ``planned_values``, the little that nothing else in a plan says: types of outputs."""

from __future__ import annotations

from functools import cached_property
from typing import Final

import msgspec
from msgspec import Raw

from tfgate.plan.decoding import Decoder, decode_as
from tfgate.plan.wire import ABSENT


class PlannedOutput(msgspec.Struct, gc=False):
    """An output in ``planned_values``, without its value."""

    sensitive: bool | None = None
    type: Raw = ABSENT


class _Outputs(msgspec.Struct, gc=False):
    outputs: dict[str, PlannedOutput] | None = None


_DECODER: Final[Decoder[_Outputs | None]] = Decoder(_Outputs | None)


class Planned:
    """The outputs of ``planned_values``, looked for when first asked for: that part is large."""

    def __init__(self, raw: Raw) -> None:
        self._raw = raw

    @cached_property
    def _outputs(self) -> dict[str, PlannedOutput]:
        whole = decode_as(_DECODER, self._raw, "planned_values") if self._raw else None
        return (whole and whole.outputs) or {}

    def output(self, name: str) -> PlannedOutput | None:
        """Find an output. Raises PlanError where that part is malformed."""
        return self._outputs.get(name)
