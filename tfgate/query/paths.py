"""Which fields of the document an expression reads, so that the others need not be decoded.

The walk follows where values come from. A *base* is a path from the root that a value may stand at;
a value that was computed has none, because all that went into it was read. List steps leave no
trace in a path. The answer errs on the side of more: a document cut down to the paths gives the
same result as the whole one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from tfgate.query import tree as ast
from tfgate.query.tree import Tree, assert_never, children, operands

if TYPE_CHECKING:
    from collections.abc import Iterable

Path = tuple[str, ...]
Bases = frozenset[Path]

_NONE: Final[Bases] = frozenset()


class _Given(str):
    """The first step of a path that does not begin at the document but at ``$name``."""

    __slots__ = ()
    __eq__ = object.__eq__  # a field may have the same name
    __hash__ = object.__hash__


_OVER_ELEMENTS: Final = {
    "map": (1, 0),
    "any": (0, 1),
    "all": (0, 1),
    "none": (0, 1),
    "count_by": (0, 1),
}
"""Functions that look at a list through an expression alone: where list and expression stand."""


def reads(tree: Tree) -> frozenset[Path]:
    """Return the paths read from the document; ``()`` stands for the whole of it."""
    return _reader(tree).paths()


def given_reads(tree: Tree) -> dict[Path, int | None]:
    """Return what is read of variables given from outside, each path with its column."""
    return _reader(tree).given


def _reader(tree: Tree) -> _Reader:
    reader = _Reader()
    reader.consume(reader.follow(tree, frozenset({()})))
    return reader


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


def _is_given(path: Path) -> bool:
    return bool(path) and type(path[0]) is _Given


def _of_document(paths: set[Path]) -> set[Path]:
    return {path for path in paths if not _is_given(path)}


class _Reader:
    def __init__(self) -> None:
        self._read: set[Path] = set()
        self._touched: set[Path] = set()
        self._loose: set[Path] = set()
        """Where lists are made whose elements may be absent: an index into one of them looks at
        several elements."""
        self._bound: dict[str, Bases] = {}
        self._marks: dict[str, _Given] = {}
        self.given: dict[Path, int | None] = {}
        """Paths read below variables given from outside, with the column of the last step."""

    def consume(self, bases: Bases) -> None:
        """Take note that the values at ``bases`` are looked at whole."""
        self._read |= bases

    def touch(self, bases: Bases) -> Bases:
        """Take note that it matters what stands at ``bases``: null, a list and how long, …"""
        self._touched |= bases
        return bases

    def paths(self) -> frozenset[Path]:
        """Return the paths, without those that have a read one as their beginning.

        What the document itself is, null or an object, shows whatever is read of it.
        """
        read, touched = set(self._read), self._touched
        if self._marks:
            read, touched = _of_document(read), _of_document(touched)
        for path in touched:
            if path and not any(other[: len(path)] == path for other in read):
                read.add(path)
        return frozenset(p for p in read if not any(p[:n] in read for n in range(len(p))))

    def follow(self, tree: Tree, bases: Bases) -> Bases:  # noqa: C901, RET503 - one case for each type
        """Return the bases of a part's value where the current value stands at ``bases``."""
        match tree:
            case ast.Field():
                found = frozenset((*base, tree.name) for base in bases)
                return self._noted(tree, found) if self._marks else found
            case ast.Current() | ast.Identity():
                return bases
            case ast.Root():
                return frozenset({()})
            case ast.Variable():
                return self._variable(tree)
            case ast.Let():
                return self._let(tree, bases)
            case ast.Literal():
                return _NONE
            case ast.Reference():
                # What a reference is applied to goes through a function, and is read whole there.
                self.consume(self.follow(tree.body, _NONE))
                return _NONE
            case ast.Subexpression():
                return self._sequence(tree.parts, bases)
            case ast.Pipe():
                return self._sequence(operands(tree), bases)
            case ast.Indexed():
                return self._sequence((tree.base, *tree.steps), bases)
            case ast.Index():
                self.consume(bases & self._loose)
                return self.touch(bases)
            case ast.Slice():
                return self._list(bases)
            case ast.Projection():
                elements = self.touch(self.follow(tree.base, bases))
                return self._list(self.follow(tree.body, elements))
            case ast.FilterProjection():
                elements = self.touch(self.follow(tree.base, bases))
                self.consume(self.follow(tree.condition, elements))
                return self._list(self.follow(tree.body, elements))
            case ast.ValueProjection():
                self.consume(self.follow(tree.base, bases))
                self.consume(self.follow(tree.body, _NONE))
                return _NONE
            case ast.Flatten():
                return self._list(self.follow(tree.base, bases))
            case ast.MultiSelectList() | ast.MultiSelectHash():
                self.touch(bases)  # null gives null, whatever is selected
                return self._consume_all(children(tree), bases)
            case ast.And() | ast.Or():
                found = _NONE.union(*(self.follow(part, bases) for part in operands(tree)))
                self.consume(found)
                return found
            case ast.Ternary():
                self.consume(self.follow(tree.condition, bases))
                found = self.follow(tree.then, bases) | self.follow(tree.otherwise, bases)
                self.consume(found)  # they are joined where the condition is unknown
                return found
            case ast.Call():
                return self._call(tree, bases)
            case ast.Comparison() | ast.Not() | ast.Arithmetic() | ast.Sign():
                return self._consume_all(children(tree), bases)
            case _:
                assert_never(tree)

    def _noted(self, tree: ast.Field, found: Bases) -> Bases:
        """Take note of what is read of variables."""
        for path in found:
            if _is_given(path):
                self.given.setdefault(tuple(map(str, path)), tree.column)
        return found

    def _variable(self, tree: ast.Variable) -> Bases:
        bound = self._bound.get(tree.name)
        if bound is not None:
            return bound
        mark = self._marks.setdefault(tree.name, _Given(tree.name))
        self.given.setdefault((tree.name,), tree.column)
        return frozenset({(mark,)})

    def _let(self, tree: ast.Let, bases: Bases) -> Bases:
        around = self._bound
        bound = {binding.name: self.follow(binding.value, bases) for binding in tree.bindings}
        self._bound = {**around, **bound}
        found = self.follow(tree.body, bases)
        self._bound = around
        return found

    def _sequence(self, parts: Iterable[Tree], bases: Bases) -> Bases:
        for part in parts:
            bases = self.follow(part, bases)
        return bases

    def _consume_all(self, parts: Iterable[Tree], bases: Bases) -> Bases:
        for part in parts:
            self.consume(self.follow(part, bases))
        return _NONE

    def _list(self, bases: Bases) -> Bases:
        self._loose |= bases
        return self.touch(bases)

    def _call(self, tree: ast.Call, bases: Bases) -> Bases:
        over, by = _OVER_ELEMENTS.get(tree.name, (0, 0))
        if over != by and len(tree.arguments) == 2:
            applied = tree.arguments[by]
            if isinstance(applied, ast.Reference):
                elements = self.touch(self.follow(tree.arguments[over], bases))
                self.consume(self.follow(applied.body, elements))
                return _NONE
        return self._consume_all(tree.arguments, bases)
