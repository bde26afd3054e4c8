"""What the pieces of a scan say: which record was altered, removed, moved or put in."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from tfgate.audit.links import Node, tie
from tfgate.audit.result import ChainFacts, Problem, ProblemKind
from tfgate.audit.scan import Bad

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.audit.scan import Place, Run


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
    """Give the nodes that the chain leads through from ``root`` on, from the first run."""
    line: list[Node] = []
    node: Node | None = root
    while node is not None:
        if line or node.is_run:
            line.append(node)
        node = node.heir
    return line


def _main_lines(lines: list[list[Node]], trails: Sequence[str]) -> list[list[Node]]:
    """Give each trail's own chain: of several that begin in it, the one with most records."""
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
