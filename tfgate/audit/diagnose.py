"""What the pieces of a scan say: which record was altered, removed, moved or put in."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import msgspec

from tfgate.audit.record import GENESIS
from tfgate.audit.scan import Bad, ChainFacts, Place, Problem, ProblemKind, Run


class Node(msgspec.Struct, eq=False):
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
    children: list[Node] = []
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
    """Return the hashes whose place must be looked up before ``tie``.

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
    """Tie bad lines, and runs whose predecessor is nowhere, to the nearest before."""
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


def diagnose(
    pieces: Sequence[Run | Bad],
    places: Sequence[Place],
    files: Sequence[str],
    trails: Sequence[str],
) -> tuple[list[Problem], list[ChainFacts]]:
    """Name everything wrong with the chain, in the order of files and lines, and the chains.

    ``files`` names each file by its index; ``trails`` says which trail each file is a part of: a
    trail has one chain, and files of different trails may have their own.
    """
    nodes = tie(pieces, places)
    lines = [line for root in nodes if _is_root(root) and (line := _line_of(root))]
    main = _main_lines(lines, trails)
    heirs = {node.position for line in lines for node in line}
    problems = [
        *_bad_lines(nodes, files),
        *(_outside(node, files) for node in nodes if node.position not in heirs and node.is_run),
        *(p for line in lines for p in _along(line, files)),
        *(_second_chain(line, main, files) for line in lines if line not in main),
        *(p for line in main for p in _beginning(line[0], files)),
    ]
    chains = [_facts(line, files) for line in main]
    index = {file: number for number, file in enumerate(files)}
    return sorted(problems, key=lambda p: (index[p.file], p.line or 0)), chains


def _is_root(node: Node) -> bool:
    """A chain begins here: with record 0, or with whatever the files begin with."""
    return node.parent is None and (node.is_genesis or node.bad_before == node.position)


def _line_of(root: Node) -> list[Node]:
    """Return the nodes that the chain leads through from ``root`` on, from the first run."""
    line: list[Node] = []
    node: Node | None = root
    while node is not None:
        if line or node.is_run:
            line.append(node)
        node = node.heir
    return line


def _main_lines(lines: list[list[Node]], trails: Sequence[str]) -> list[list[Node]]:
    """Return each trail's own chain: of several that begin in it, the one with most records."""
    best: dict[str, list[Node]] = {}
    for line in lines:
        trail = trails[line[0].piece.file]
        if trail not in best or line[0].weight > best[trail][0].weight:
            best[trail] = line
    return [*best.values()]


def _bad_lines(nodes: list[Node], files: Sequence[str]) -> Iterator[Problem]:
    """One problem for each bad line with a number, and for each row of those without."""
    row: list[Bad] = []
    expected: int | None = None
    for node in nodes:
        bad = node.piece if isinstance(node.piece, Bad) else None
        if row and (bad is None or bad.seq is not None or bad.file != row[0].file):
            yield _row(row, expected, files)
            row, expected = [], None
        if bad is None:
            expected = node.run.last_seq + 1
        elif bad.seq is not None:
            yield _bad(bad, bad.seq, files)
            expected = bad.seq + 1
        else:
            row.append(bad)
    if row:
        yield _row(row, expected, files)


def _row(row: list[Bad], expected: int | None, files: Sequence[str]) -> Problem:
    first, last = row[0], row[-1]
    if len(row) == 1:
        return _bad(first, expected, files)
    text = f"Lines {first.line} to {last.line} are {len(row)} lines that are not records: of the"
    text += f" first, {first.reason}."
    return Problem(ProblemKind.FOREIGN, text, files[first.file], first.line, expected)


def _bad(bad: Bad, seq: int | None, files: Sequence[str]) -> Problem:
    file = files[bad.file]
    if bad.future:
        kind, text = ProblemKind.FUTURE, f"Record {seq} (line {bad.line}) was not checked"
    elif bad.seq is not None:
        kind, text = ProblemKind.ALTERED, f"Record {seq} (line {bad.line}) was altered"
    elif seq is not None:
        kind = ProblemKind.FOREIGN
        text = f"Line {bad.line}, where record {seq} is expected, is not a whole record"
    else:
        kind, text = ProblemKind.FOREIGN, f"Line {bad.line} is not a record"
    return Problem(kind, f"{text}: {bad.reason}.", file, bad.line, seq)


def _outside(node: Node, files: Sequence[str]) -> Problem:
    """A run that the chain does not go through."""
    run, file = node.run, files[node.run.file]
    if node.copy_of is not None:
        place = f"line {node.copy_of.line}"
        if node.copy_of.file != run.file:
            place += f" of {files[node.copy_of.file]}"
        text = f"{_records(run)} {_verb(run, 'stands', 'stand')} twice: also from {place} on."
        return Problem(ProblemKind.REPEATED, text, file, run.first_line, run.first_seq)
    text = f"{_records(run)} {_verb(run, 'was', 'were')} put in: the chain does not lead through"
    return Problem(ProblemKind.INSERTED, f"{text} here.", file, run.first_line, run.first_seq)


def _along(line: list[Node], files: Sequence[str]) -> Iterator[Problem]:
    for parent, node in pairwise(line):
        if not node.is_run:
            continue
        run, file = node.run, files[node.run.file]
        if node.position < parent.position:
            text = f"{_records(run)} {_verb(run, 'stands', 'stand')} before {_name(parent)}: the"
            text += " order was changed."
            yield Problem(ProblemKind.REORDERED, text, file, run.first_line, run.first_seq)
        elif node.guessed:
            yield from _gap(parent, node, files)


def _gap(parent: Node, node: Node, files: Sequence[str]) -> Iterator[Problem]:
    """A run whose number is later than its predecessor's, and whose hash link leads nowhere."""
    run, file = node.run, files[node.run.file]
    before = parent.run.last_seq if parent.is_run else None
    if before is None:
        return
    unreadable = node.bad_before - parent.bad_before
    missing = run.first_seq - before - 1 - unreadable
    if missing > 0:
        names = _span(before + 1, run.first_seq - 1)
        text = f"{names} missing before line {run.first_line} (record {run.first_seq})"
        if unreadable:
            text += f", save {unreadable} of them that cannot be read"
        yield Problem(ProblemKind.MISSING, f"{text}.", file, run.first_line, before + 1)
    elif not unreadable:
        text = f"Record {run.first_seq} (line {run.first_line}) does not continue {_name(parent)}:"
        text += " one of the two was replaced."
        yield Problem(ProblemKind.REPLACED, text, file, run.first_line, run.first_seq)


def _beginning(root: Node, files: Sequence[str]) -> Iterator[Problem]:
    run, file = root.run, files[root.run.file]
    if root.is_genesis:
        return
    unreadable = root.bad_before
    if run.first_seq > unreadable:
        text = f"{_span(0, run.first_seq - 1)} missing: the trail begins with record"
        text += f" {run.first_seq}."
        yield Problem(ProblemKind.MISSING, text, file, run.first_line, 0)
    elif not unreadable:
        text = f"Record {run.first_seq} (line {run.first_line}) is the first one, and continues"
        text += " a record that is not there."
        yield Problem(ProblemKind.REPLACED, text, file, run.first_line, run.first_seq)


def _second_chain(line: list[Node], main: list[list[Node]], files: Sequence[str]) -> Problem:
    run = line[0].run
    if line[0].copy_of is not None:
        return _outside(line[0], files)
    text = f"Two chains are mixed: another one of {line[0].weight} record(s) begins with record"
    text += f" {run.first_seq} in line {run.first_line}."
    return Problem(ProblemKind.MIXED, text, files[run.file], run.first_line, run.first_seq)


def _facts(line: list[Node], files: Sequence[str]) -> ChainFacts:
    runs = [node.run for node in line if node.is_run]
    return ChainFacts(
        id=runs[0].first_hash if line[0].is_genesis else None,
        first_seq=runs[0].first_seq,
        last_seq=runs[-1].last_seq,
        first_prev=runs[0].first_prev,
        last_hash=runs[-1].last_hash,
        records=sum(run.last_seq - run.first_seq + 1 for run in runs),
        files=tuple(dict.fromkeys(files[run.file] for run in runs)),
    )


def _name(node: Node) -> str:
    piece = node.piece
    if isinstance(piece, Bad):
        return f"line {piece.line}"
    return f"record {piece.last_seq} (line {piece.last_line})"


def _records(run: Run) -> str:
    if run.first_seq == run.last_seq:
        return f"Record {run.first_seq} (line {run.first_line})"
    lines = f"lines {run.first_line} to {run.last_line}"
    return f"Records {run.first_seq} to {run.last_seq} ({lines})"


def _span(first: int, last: int) -> str:
    return f"Record {first} is" if first == last else f"Records {first} to {last} are"


def _verb(run: Run, one: str, many: str) -> str:
    return one if run.first_seq == run.last_seq else many
