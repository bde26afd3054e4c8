"""Which arguments a block leaves to the provider: it says nothing, and the plan cannot say yet.

An argument that is optional and computed is unknown in the plan of a new resource when nobody sets
it: what it will be is the provider's or the cloud's default. That nobody sets it is no value that
the apply may still change, but a fact of the configuration.

An argument that is written out as "", 0, false, [] or {} and is unknown all the same is left to the
provider as well: providers on the legacy SDK cannot tell such a value from none
(https://developer.hashicorp.com/terraform/plugin/framework/migrating/benefits).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from tfgate.plan import values
from tfgate.plan.arguments import is_expression
from tfgate.plan.change import Change
from tfgate.plan.decoding import may_hold_unknown
from tfgate.plan.reads import Reads
from tfgate.plan.values import marks_any
from tfgate.query.values import UNKNOWN, Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.configuration import Configuration
    from tfgate.plan.subjects import Subject

_AFTER: Final = Reads.of([("after",)])
_TRUE: Final = b"true"


class Leaving:
    """Answers for one plan. Rules ask for several arguments of a resource in a row."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._last: tuple[Change | None, Any] = (None, None)
        """The resource that was asked about last, and its `_marks`."""

    def left(self, subject: Subject, argument: str) -> Any:
        """See `tfgate.plan.Plan.left_to_provider`."""
        if not isinstance(subject, Change):
            return UNKNOWN
        path, reads = _asked(argument)
        if self._last[0] is not subject:
            self._last = subject, _marks(subject)
        marks = self._last[1]
        mark = marks.get(path[0]) if type(marks) is dict else None
        if mark is True:
            after: Any = {path[0]: UNKNOWN}
        elif type(marks) is dict and not marks_any(mark):
            return False
        else:
            after = values.after(subject, reads)
            if not _is_open(after, path):
                return False
        expressions = self._configuration.expressions(subject)
        if expressions is None:
            return UNKNOWN
        left = _is_left(expressions, after, path)
        return UNKNOWN if left and self._may_be_dynamic(subject, path) else left

    def _may_be_dynamic(self, change: Change, path: Sequence[str]) -> bool:
        """Whether the sources have a dynamic block on the path, over what is not known yet."""
        open_blocks = self._configuration.open_blocks(change)
        return open_blocks is not None and not open_blocks.isdisjoint(path)


def _marks(change: Change) -> Any:
    """Return ``after_unknown``, as an object if all that is unknown has a mark in it.

    It has if ``after`` is an object, or null, that has no unknown values of its own.
    """
    after = bytes(change.body.after)
    if after[:1] not in b"{n" or may_hold_unknown(after):
        return None
    return values.unknown(change, _AFTER) if _TRUE in bytes(change.body.after_unknown) else {}


@lru_cache(maxsize=1024)
def _asked(argument: str) -> tuple[tuple[str, ...], Reads]:
    path = tuple(argument.split("."))
    return path, Reads.of([("after", *path)])


def _is_open(value: Any, path: Sequence[str]) -> bool:
    """Whether anything at the path is unknown: what is known was left to nobody."""
    value = _shown(value)
    if isinstance(value, Unknown):
        return True
    if type(value) is list:
        return any(_is_open(element, path) for element in value)
    return bool(path) and type(value) is dict and _is_open(value.get(path[0]), path[1:])


def _shown(value: Any) -> Any:
    """Return the element that stands for any number of them as the plan shows it."""
    return value.value if type(value) is Maybe else value


def _is_left(part: Any, value: Any, path: Sequence[str]) -> bool:
    value = _shown(value)
    if not path:
        return isinstance(value, Unknown) and (part is None or _is_nothing(part))
    if type(part) is list or type(value) is list:
        return _any_is_left(part, value, path)
    if is_expression(part) and part:
        return False
    inner = part.get(path[0]) if type(part) is dict else None
    within = value.get(path[0]) if type(value) is dict else value
    return _is_left(inner, within, path[1:])


def _is_nothing(part: Any) -> bool:
    return type(part) is dict and "constant_value" in part and not part["constant_value"]


def _any_is_left(part: Any, value: Any, path: Sequence[str]) -> bool:
    """Look at each nested block; those that no block stands for come from a dynamic one."""
    blocks = part if type(part) is list else [part]
    if isinstance(value, Unknown):
        return all(_is_left(block, value, path) for block in blocks)
    values = value if type(value) is list else [value]
    if part is None or len(blocks) != len(values):
        return False
    return any(_is_left(*pair, path) for pair in zip(blocks, values, strict=True))
