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
from tfgate.plan.overlay import marks_any
from tfgate.plan.reads import Reads, may_hold_unknown
from tfgate.query.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.plan import Plan
    from tfgate.plan.subject import Subject
    from tfgate.plan.wire import Body

_TRUE: Final = b"true"


def left_to_provider(plan: Plan, subject: Subject, argument: str) -> Any:
    """Say whether ``subject``'s block leaves the argument at a dotted path to the provider.

    True, False, or `UNKNOWN` where the value is not known and the plan has no block to look at. A
    ``dynamic`` block whose ``for_each`` is not known yet looks like one that nobody wrote, and
    counts as such; one that the plan shows the content of does not.
    """
    if not isinstance(subject, Change):
        return UNKNOWN
    asked = _asked(argument)
    after = asked.value(subject)
    if not _is_open(after, asked.path):
        return False
    expressions = plan.configuration.expressions(subject)
    return UNKNOWN if expressions is None else _is_left(expressions, after, asked.path)


class _Asked:
    """One argument, asked for on many resources."""

    def __init__(self, argument: str) -> None:
        self.path = tuple(argument.split("."))
        self._reads = Reads.of([("after", *self.path)])
        self._name = self.path[0]
        is_plain = self._name.isascii() and self._name.isidentifier()
        self._key = f'"{self._name}"'.encode() if is_plain else b""

    def value(self, change: Change) -> Any:
        """Give ``after`` as far as it matters for what at the path is unknown.

        Most values are known, which the marks tell without them.
        """
        if not _is_known_but_for_marks(change.body):
            return values.after(change, self._reads)
        text = bytes(change.body.after_unknown)
        if _TRUE not in text or not self._is_named_in(text):
            return None
        marks = values.unknown(change, self._reads)
        if type(marks) is not dict:
            return values.after(change, self._reads)
        mark = marks.get(self._name)
        if mark is True:
            return {self._name: UNKNOWN}
        return values.after(change, self._reads) if marks_any(mark) else None

    def _is_named_in(self, marks: bytes) -> bool:
        """Whether the JSON may have a mark for the argument."""
        return self._key in marks or b"\\" in marks or not marks.startswith(b"{")


def _is_known_but_for_marks(body: Body) -> bool:
    """Whether ``after`` is an object, or null, that has no unknown values of its own."""
    after = bytes(body.after)
    return after[:1] in b"{n" and not may_hold_unknown(after)


_asked: Final = lru_cache(maxsize=1024)(_Asked)


def _is_open(value: Any, path: Sequence[str]) -> bool:
    """Say whether anything at the path is unknown: what is known was left to nobody."""
    if isinstance(value, Unknown):
        return True
    if type(value) is list:
        return any(_is_open(element, path) for element in value)
    return bool(path) and type(value) is dict and _is_open(value.get(path[0]), path[1:])


def _is_left(part: Any, value: Any, path: Sequence[str]) -> bool:
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
