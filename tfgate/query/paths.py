"""Which fields of the document an expression reads, so that the others need not be decoded.

The walk follows where values come from. A *base* is a path from the root that a value may stand at;
a value that was computed has none, because all that went into it was read. List steps leave no
trace in a path. The answer errs on the side of more: a document cut down to the paths gives the
same result as the whole one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query.parsing import flattened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tfgate.query.nodes.node import Ast

Path = tuple[str, ...]
Bases = frozenset[Path]

_NONE: Final[Bases] = frozenset()

_OVER_ELEMENTS: Final = {
    "map": (1, 0),
    "any": (0, 1),
    "all": (0, 1),
    "none": (0, 1),
    "count_by": (0, 1),
}
"""Functions that look at a list through an expression alone: where list and expression stand."""


def reads(tree: Ast) -> frozenset[Path]:
    """Give the paths read from the document; ``()`` stands for the whole of it."""
    reader = _Reader()
    reader.consume(reader.follow(tree, frozenset({()})))
    return reader.paths()


def prune(document: Any, paths: Iterable[Path]) -> Any:
    """Cut a document down to ``paths``: other fields of the objects along them are left out."""
    paths = list(paths)
    if any(not path for path in paths):
        return document
    if type(document) is list:
        return [prune(element, paths) for element in document]
    if type(document) is not dict:
        return document
    below: dict[str, list[Path]] = {}
    for first, *rest in paths:
        below.setdefault(first, []).append(tuple(rest))
    return {key: prune(part, below[key]) for key, part in document.items() if key in below}


class _Reader:
    def __init__(self) -> None:
        self._read: set[Path] = set()
        self._touched: set[Path] = set()
        self._loose: set[Path] = set()
        """Where lists are made whose elements may be absent: an index into one of them looks at
        several elements."""

    def consume(self, bases: Bases) -> None:
        """Take note that the values at ``bases`` are looked at whole."""
        self._read |= bases

    def touch(self, bases: Bases) -> Bases:
        """Take note that it matters what stands at ``bases``: null, a list and how long, …"""
        self._touched |= bases
        return bases

    def paths(self) -> frozenset[Path]:
        """Give the paths, without those that have a read one as their beginning.

        What the document itself is, null or an object, shows whatever is read of it.
        """
        read = set(self._read)
        for path in self._touched:
            if path and not any(other[: len(path)] == path for other in read):
                read.add(path)
        return frozenset(p for p in read if not any(p[:n] in read for n in range(len(p))))

    def follow(self, node: Ast, bases: Bases) -> Bases:
        """Give the bases of the node's value where the current value stands at ``bases``."""
        follower = _FOLLOWERS.get(node["type"])
        if follower is not None:
            return follower(self, node, bases)
        self._consume_all(node, bases)
        return _NONE

    def _consume_all(self, node: Ast, bases: Bases) -> None:
        for child in node["children"]:
            self.consume(self.follow(child, bases))

    def _field(self, node: Ast, bases: Bases) -> Bases:
        return frozenset((*base, node["value"]) for base in bases)

    def _here(self, node: Ast, bases: Bases) -> Bases:
        return bases

    def _element(self, node: Ast, bases: Bases) -> Bases:
        self.consume(bases & self._loose)
        return self.touch(bases)

    def _slice(self, node: Ast, bases: Bases) -> Bases:
        return self._list(bases)

    def _list(self, bases: Bases) -> Bases:
        self._loose |= bases
        return self.touch(bases)

    def _literal(self, node: Ast, bases: Bases) -> Bases:
        return _NONE

    def _sequence(self, node: Ast, bases: Bases) -> Bases:
        for child in node["children"]:
            bases = self.follow(child, bases)
        return bases

    def _pipe(self, node: Ast, bases: Bases) -> Bases:
        for part in flattened(node):
            bases = self.follow(part, bases)
        return bases

    def _projection(self, node: Ast, bases: Bases) -> Bases:
        base, body = node["children"]
        return self._list(self.follow(body, self.touch(self.follow(base, bases))))

    def _filter(self, node: Ast, bases: Bases) -> Bases:
        base, body, condition = node["children"]
        elements = self.touch(self.follow(base, bases))
        self.consume(self.follow(condition, elements))
        return self._list(self.follow(body, elements))

    def _values(self, node: Ast, bases: Bases) -> Bases:
        base, body = node["children"]
        self.consume(self.follow(base, bases))
        self.follow(body, _NONE)
        return _NONE

    def _flatten(self, node: Ast, bases: Bases) -> Bases:
        return self._list(self.follow(node["children"][0], bases))

    def _select(self, node: Ast, bases: Bases) -> Bases:
        self.touch(bases)  # null gives null, whatever is selected
        self._consume_all(node, bases)
        return _NONE

    def _either(self, node: Ast, bases: Bases) -> Bases:
        # A chain may be longer than the stack is deep.
        found = _NONE.union(*(self.follow(part, bases) for part in flattened(node)))
        self.consume(found)
        return found

    def _function(self, node: Ast, bases: Bases) -> Bases:
        arguments = node["children"]
        over, by = _OVER_ELEMENTS.get(node["value"], (0, 0))
        if over == by or len(arguments) != 2 or arguments[by]["type"] != "expref":
            self._consume_all(node, bases)
            return _NONE
        elements = self.touch(self.follow(arguments[over], bases))
        self.consume(self.follow(arguments[by]["children"][0], elements))
        return _NONE

    def _reference(self, node: Ast, bases: Bases) -> Bases:
        # What it is applied to goes through a function as well, and is read whole there.
        return _NONE


_FOLLOWERS: Final[dict[str, Callable[[_Reader, Ast, Bases], Bases]]] = {
    "field": _Reader._field,
    "current": _Reader._here,
    "identity": _Reader._here,
    "literal": _Reader._literal,
    "subexpression": _Reader._sequence,
    "pipe": _Reader._pipe,
    "index_expression": _Reader._sequence,
    "index": _Reader._element,
    "slice": _Reader._slice,
    "projection": _Reader._projection,
    "filter_projection": _Reader._filter,
    "value_projection": _Reader._values,
    "flatten": _Reader._flatten,
    "multi_select_list": _Reader._select,
    "multi_select_dict": _Reader._select,
    "or_expression": _Reader._either,
    "and_expression": _Reader._either,
    "function_expression": _Reader._function,
    "expref": _Reader._reference,
}
