"""Whether a plan certainly knew an expression, where the sources are at hand.

Asked of the ``for_each`` of dynamic blocks: over what is not known, a provider plans one block that
stands for any number of them. False only says that nobody knows.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Final

import msgspec

from tfgate.model.address import join_modules
from tfgate.model.text import late
from tfgate.plan.values import marks_any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgspec import Raw

    from tfgate.plan.pointing import Written

_NAME: Final = r"[^\W\d][\w-]*"
_MENTION: Final = late(rf"(?<![\w.-])({_NAME}(?:(?:\[[^\[\]]*\])?\.{_NAME})*)(?![\w-]*\()")
_KEY: Final = late(r"\[([^\[\]]*)\]")
_IN_KEY: Final = late(r"\[[^\[\]]*\]")
_BOUND: Final = late(rf"\bfor\s+({_NAME})(?:\s*,\s*({_NAME}))?\s+in\b")
_UNKNOWABLE: Final = late(r"\b(?:timestamp|uuid|bcrypt|plantimestamp)\s*\(")
"""Functions whose result no plan knows."""
_ALWAYS: Final = frozenset({"path", "terraform", "tofu", "count"})
_HOPS: Final = 64

Calls = tuple[str, ...]


class Knowing:
    """Answers for one plan with its sources."""

    def __init__(self, written: Written, marks: Callable[[], Mapping[str, Sequence[Raw]]]) -> None:
        self._written = written
        self._collect = marks
        self._answers: dict[tuple[Calls, str, tuple[str, ...]], bool] = {}

    @cached_property
    def _marks(self) -> Mapping[str, Sequence[Raw]]:
        """Collected once a dynamic block is asked about: a plan may have 100,000 changes."""
        return self._collect()

    def knows(self, text: str | None, calls: Calls, block: str, depth: int = 0) -> bool:
        """Whether the expression ``text``, which stands in ``block``, was certainly known."""
        if text is None or depth > _HOPS or _UNKNOWABLE.search(text):
            return False
        bound = {name for names in _BOUND.findall(text) for name in names if name}
        for mention in _MENTION.findall(text):
            if not all(self.knows(key, calls, block, depth + 1) for key in _KEY.findall(mention)):
                return False
            root, *rest = _IN_KEY.sub("", mention).split(".")
            if not rest or root in bound or root in _ALWAYS:
                continue  # alone a name is a word of the language, or the key of an object
            if not self._knows(root, rest, calls, block, depth):
                return False
        return True

    def _knows(self, root: str, rest: list[str], calls: Calls, block: str, depth: int) -> bool:
        if root == "var":
            return not calls or self._argument(calls[:-1], f"module.{calls[-1]}", (rest[0],), depth)
        if root == "local":
            return self._argument(calls, f"local.{rest[0]}", (), depth)
        if root == "each":
            return rest[0] == "key" or self._argument(calls, block, ("for_each",), depth)
        if root == "module":
            inner = (*calls, rest[0])
            return len(rest) > 1 and self._argument(inner, f"output.{rest[1]}", ("value",), depth)
        if root == "data":
            return len(rest) > 1 and self._settled(calls, f"data.{rest[0]}.{rest[1]}", rest[2:])
        return self._settled(calls, f"{root}.{rest[0]}", rest[1:])

    def _argument(self, calls: Calls, block: str, path: tuple[str, ...], depth: int) -> bool:
        asked = (calls, block, path)
        if asked not in self._answers:
            self._answers[asked] = False  # what a circle gets
            text = self._written.expression(*asked)
            self._answers[asked] = self.knows(text, calls, block, depth + 1)
        return self._answers[asked]

    def _settled(self, calls: Calls, block: str, rest: list[str]) -> bool:
        """Whether an attribute of a resource is known, in every instance.

        A data source that the plan does not list was read before.
        """
        address = join_modules(calls, block)
        if address not in self._marks:
            return block.startswith("data.")
        marks = (msgspec.json.decode(raw) if raw else None for raw in self._marks[address])
        for mark in marks:
            part = mark.get(rest[0]) if rest and type(mark) is dict else mark
            if marks_any(part):
                return False
        return True
