"""Which run of records continues which: the pieces of a scan, tied together by hash."""

from __future__ import annotations

from bisect import bisect_left, insort
from dataclasses import dataclass, field
from itertools import accumulate
from typing import TYPE_CHECKING

import msgspec

from tfgate.audit.record import GENESIS
from tfgate.audit.scan import Bad, Place, Run

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(eq=False)
class Node:
    """A piece with its ties."""

    piece: Run | Bad
    position: int
    """Place in the order of files and lines."""
    bad_before: int = 0
    """Number of bad lines before this piece."""
    parent: Node | None = None
    guessed: bool = False
    """True where ``parent`` follows from numbers alone: no hash says so."""
    copy_of: Place | None = None
    """Where the same record stands already."""
    children: list[Node] = field(default_factory=list)
    weight: int = 0
    """Records in this piece and along the heaviest line of its descendants."""

    @property
    def run(self) -> Run:
        """The piece, where it is a run."""
        assert isinstance(self.piece, Run)
        return self.piece

    @property
    def is_run(self) -> bool:
        """False for a bad line."""
        return isinstance(self.piece, Run)

    @property
    def is_genesis(self) -> bool:
        """True where a chain begins here."""
        return self.is_run and self.run.first_seq == 0 and self.run.first_prev == GENESIS

    @property
    def heir(self) -> Node | None:
        """The child that the chain goes on with: the one with most records behind it."""
        real = [child for child in self.children if not child.guessed]
        return max(real or self.children, key=lambda child: child.weight, default=None)


def loose_hashes(pieces: Sequence[Run | Bad]) -> frozenset[str]:
    """Give the hashes whose place must be looked up before ``tie``.

    For each run that continues no other run's end: what it says it continues, and its own first.
    """
    ends = _ends(pieces)
    loose = [piece for piece in pieces if isinstance(piece, Run) and _is_loose(piece, ends)]
    genesis = [run for run in loose if run.first_prev == GENESIS]
    if len(loose) == 1 and len(genesis) == 1:
        return frozenset()
    hashes = {piece.first_prev for piece in loose} | {piece.first_hash for piece in loose}
    return frozenset(hashes - {GENESIS})


def tie(pieces: Sequence[Run | Bad], places: Sequence[Place]) -> list[Node]:
    """Tie the pieces together, after cutting runs where another run branches off (``places``)."""
    cut = _cut(pieces, places)
    bad = [0, *accumulate(isinstance(piece, Bad) for piece in cut)]
    nodes = [Node(piece, position, bad[position]) for position, piece in enumerate(cut)]
    _mark_copies(nodes, places)
    _tie_by_hash(nodes)
    _tie_by_number(nodes)
    for node in nodes:
        if node.parent is not None:
            node.parent.children.append(node)
    _weigh(nodes)
    return nodes


def _ends(pieces: Sequence[Run | Bad]) -> dict[str, Run | Bad]:
    return {
        end: piece
        for piece in reversed(pieces)
        if (end := piece.last_hash if isinstance(piece, Run) else piece.stated)
    }


def _is_loose(run: Run, ends: dict[str, Run | Bad]) -> bool:
    return run.first_prev not in ends or ends[run.first_prev] is run


def _cut(pieces: Sequence[Run | Bad], places: Sequence[Place]) -> list[Run | Bad]:
    begun = {run.first_prev for run in pieces if isinstance(run, Run)}
    hashes = {(place.file, place.line): place.hash for place in places}
    at = sorted({(place.file, place.line): place for place in places}.items())
    cuts = [(key, place) for key, place in at if place.hash in begun]
    keys = [key for key, _ in cuts]
    result: list[Run | Bad] = []
    for piece in pieces:
        if isinstance(piece, Run):
            first = bisect_left(keys, (piece.file, piece.first_line))
            last = bisect_left(keys, (piece.file, piece.last_line))
            for _, place in cuts[first:last]:
                head, piece = _halves(piece, place, hashes)  # noqa: PLW2901 - cut again
                result.append(head)
        result.append(piece)
    return result


def _halves(run: Run, place: Place, hashes: dict[tuple[int, int], str]) -> tuple[Run, Run]:
    head = msgspec.structs.replace(
        run, last_line=place.line, last_seq=place.seq, last_hash=place.hash
    )
    rest = msgspec.structs.replace(
        run,
        first_line=place.line + 1,
        first_seq=place.seq + 1,
        first_prev=place.hash,
        first_hash=hashes.get((place.file, place.line + 1), ""),
    )
    return head, rest


def _mark_copies(nodes: list[Node], places: Sequence[Place]) -> None:
    by_hash: dict[str, list[Place]] = {}
    for place in places:
        by_hash.setdefault(place.hash, []).append(place)
    begins = {(n.run.first_hash, n.run.file, n.run.first_line) for n in nodes if n.is_run}
    originals: dict[str, Node] = {}
    for node in sorted(nodes, key=_length, reverse=True):
        if node.is_run and node.run.first_hash in by_hash:
            here = (node.run.file, node.run.first_line)
            twins = by_hash[node.run.first_hash]
            other = next((place for place in twins if (place.file, place.line) != here), None)
            # Of two runs that begin with the same record, the longer one is the original.
            longest = originals.setdefault(node.run.first_hash, node) is node
            if other is not None and not (
                longest and (other.hash, other.file, other.line) in begins
            ):
                node.copy_of = other


def _length(node: Node) -> int:
    return node.run.last_seq - node.run.first_seq if node.is_run else -1


def _tie_by_hash(nodes: list[Node]) -> None:
    ends: dict[str, Node] = {}
    for node in sorted(nodes, key=lambda node: (node.copy_of is not None, node.position)):
        piece = node.piece
        end = piece.last_hash if isinstance(piece, Run) else piece.stated
        if end:
            ends.setdefault(end, node)
    for node in nodes:
        parent = ends.get(node.run.first_prev) if node.is_run and not node.is_genesis else None
        node.parent = None if parent is node else parent


def _tie_by_number(nodes: list[Node]) -> None:
    """Give a parent to bad lines, and to runs whose predecessor is nowhere: the nearest before."""
    numbers: list[tuple[int, int]] = []
    before: Node | None = None
    for node in nodes:
        if not node.is_run:
            node.parent, node.guessed = before, True
        elif node.parent is None and not node.is_genesis:
            index = bisect_left(numbers, (node.run.first_seq, -1))
            node.parent = nodes[numbers[index - 1][1]] if index else None
            node.guessed = True
        if node.is_run:
            insort(numbers, (node.run.last_seq, node.position))
            before = node


def _weigh(nodes: list[Node]) -> None:
    """Add up from the leaves. A loop of parents is impossible: it would be a loop of hashes."""
    waiting = {node.position: len(node.children) for node in nodes}
    ready = [node for node in nodes if not node.children]
    while ready:
        node = ready.pop()
        own = node.run.last_seq - node.run.first_seq + 1 if node.is_run else 0
        node.weight = own + max((child.weight for child in node.children), default=0)
        if node.parent is not None:
            waiting[node.parent.position] -= 1
            if not waiting[node.parent.position]:
                ready.append(node.parent)
