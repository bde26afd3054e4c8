"""Comments that speak to a tool: the block that each belongs to, and the text of a waiver.

A comment belongs to the top-level block that it stands in, whose last line it shares, or that
begins on the line below it, with nothing but further comments between. A waiver is written

::

    tfgate:waive RULE[, RULE…] reason="…" expires=YYYY-MM-DD owner=… [ticket=…]

Values with white space in them stand in double quotes, where ``\\"`` and ``\\\\`` are escapes. A
comment over several lines (``/* */``) is read as one.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from tfgate.hcl.index import ModuleNode, SourceIndex
from tfgate.hcl.jsonsyntax import json_comments
from tfgate.hcl.scanner import Block, Comment, scan_comments
from tfgate.hcl.sources import JSON, SourceFile
from tfgate.model import Word

MARKER = "tfgate:"
KEYS = ("reason", "expires", "owner", "ticket")
LONGEST = 2_000
"""Characters of a value: it stands in every outcome that it waives."""

_DIRECTIVE = re.compile(r"^[ \t]*tfgate:([\w-]*)", re.MULTILINE)
_TOKEN = re.compile(r'\s*(?:([A-Za-z_][\w-]*)\s*=\s*("(?:[^"\\]|\\.)*"|[^\s"]+)?|(\S+))', re.DOTALL)
_RULE = re.compile(r"[\w.*?:/-]+")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class ProblemKind(Word):
    """What is wrong with a waiver comment."""

    UNKNOWN_DIRECTIVE = "unknown-directive"
    MALFORMED = "malformed"
    NO_RULE = "no-rule"
    UNKNOWN_KEY = "unknown-key"
    MISSING_REASON = "missing-reason"
    MISSING_OWNER = "missing-owner"
    MISSING_EXPIRY = "missing-expiry"
    MALFORMED_DATE = "malformed-date"
    UNATTACHED = "unattached"
    DOWNLOADED = "downloaded"
    TOO_MANY = "too-many"
    NOT_WHOLE = "not-whole"


class Complaint(NamedTuple):
    """One thing that is wrong, in a sentence that quotes nothing of the values."""

    kind: ProblemKind
    message: str


class Directive(NamedTuple):
    """One waiver as written; it waives only where ``complaints`` is empty."""

    line: int
    """Lines below the first line of the comment."""
    rules: tuple[str, ...]
    values: dict[str, str]
    expires: dt.date | None
    complaints: tuple[Complaint, ...]


def read_directives(text: str) -> list[Directive]:
    """Return every directive that begins a line of a comment's text."""
    starts = list(_DIRECTIVE.finditer(text))
    ends = [*(start.start() for start in starts[1:]), len(text)]
    return [
        _read(found.group(1), text[found.end() : end], text.count("\n", 0, found.start()))
        for found, end in zip(starts, ends, strict=False)
    ]


def _read(name: str, text: str, line: int) -> Directive:
    if name != "waive":
        message = f"says tfgate:{name[:40]}, which is not known; did you mean tfgate:waive?"
        return Directive(line, (), {}, None, (Complaint(ProblemKind.UNKNOWN_DIRECTIVE, message),))
    complaints: list[Complaint] = []
    rules, values = _tokens(text, complaints)
    expires = _date(values.get("expires"), complaints)
    if not any(one.kind is ProblemKind.MALFORMED for one in complaints):
        _check_complete(rules, values, complaints)
    return Directive(line, tuple(rules), values, expires, tuple(complaints))


def _tokens(text: str, complaints: list[Complaint]) -> tuple[list[str], dict[str, str]]:
    rules: list[str] = []
    values: dict[str, str] = {}
    for key, value, bare in _TOKEN.findall(text.strip()):
        if not key:
            if values or '"' in bare:
                message = 'has stray words: values with spaces stand in quotes, reason="a test"'
                complaints.append(Complaint(ProblemKind.MALFORMED, message))
                break
            rules.extend(_rules(bare, complaints))
        elif key not in KEYS:
            complaints.append(Complaint(ProblemKind.UNKNOWN_KEY, _unknown(key)))
        elif key in values:
            complaints.append(Complaint(ProblemKind.MALFORMED, f"gives {key} twice"))
        else:
            values[key] = _unquote(value)
    return rules, values


def _rules(bare: str, complaints: list[Complaint]) -> list[str]:
    names = [name for name in bare.split(",") if name]
    if not all(_RULE.fullmatch(name) for name in names):
        complaints.append(Complaint(ProblemKind.MALFORMED, "has a malformed rule id"))
    return names


def _unquote(value: str) -> str:
    if value.startswith('"'):
        return " ".join(re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.DOTALL).split())
    return value


def _unknown(key: str) -> str:
    near = get_close_matches(key, KEYS, n=1)
    hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(KEYS)}"
    return f"has the unknown key {key[:40]}{hint}"


def _date(written: str | None, complaints: list[Complaint]) -> dt.date | None:
    if not written:
        return None
    try:
        return dt.date.fromisoformat(written if _DATE.fullmatch(written) else "")
    except ValueError:
        message = "has a last day that is no date of the calendar, written as 2027-01-31"
        complaints.append(Complaint(ProblemKind.MALFORMED_DATE, message))
        return None


def _check_complete(rules: list[str], values: dict[str, str], complaints: list[Complaint]) -> None:
    if not rules:
        complaints.append(Complaint(ProblemKind.NO_RULE, "names no rule"))
    for key, value in values.items():
        if len(value) > LONGEST:
            message = f"has a value of {key} that is longer than {LONGEST:,} characters"
            complaints.append(Complaint(ProblemKind.MALFORMED, message))
    if not values.get("reason", "").strip():
        complaints.append(Complaint(ProblemKind.MISSING_REASON, "gives no reason"))
    if not values.get("owner", "").strip():
        complaints.append(Complaint(ProblemKind.MISSING_OWNER, "names no owner"))
    if not values.get("expires"):
        complaints.append(
            Complaint(ProblemKind.MISSING_EXPIRY, "has no last day, as in expires=2027-01-31")
        )


_DECORATION = re.compile(r"^[^\S\n]*\*+(?=\s|$)", re.MULTILINE)


class Remark(NamedTuple):
    """One comment with a marker in it, in one module directory."""

    file: SourceFile
    comment: Comment
    text: str
    """Without the marks of the comment, and without the stars down its left side."""
    block: Block | None
    """The block it belongs to, if any."""
    nodes: tuple[ModuleNode, ...]
    """The modules of the tree that use the file; all are downloaded, or none."""


def remarks(index: SourceIndex, needles: Sequence[bytes]) -> Iterator[Remark]:
    """Find the comments that hold one of ``needles``.

    A file without any of them in its bytes is not looked into; one inside a string or a heredoc is
    no comment.
    """
    wanted = [needle.decode() for needle in needles]
    for users in index.directories():
        for file in users[0].source.files:
            if any(needle in file.data for needle in needles):
                for comment, block in _attached(file):
                    text = _plain(comment.text)
                    if any(needle in text for needle in wanted):
                        yield Remark(file, comment, text, block, tuple(users))


def _attached(file: SourceFile) -> Iterator[tuple[Comment, Block | None]]:
    if file.text is None:
        return
    blocks = file.body.blocks
    if file.syntax is JSON:
        yield from json_comments(file.text, blocks)
        return
    comments = scan_comments(file.text)
    taken = _runs(line for one in comments for line in range(one.line, one.end_line + 1))
    position = 0
    for comment in comments:
        while position < len(blocks) and blocks[position].closed < comment.start:
            position += 1
        yield comment, _owner(comment, blocks, position, taken)


def _runs(lines: Iterable[int]) -> dict[int, int]:
    """Return each line with the last of those that follow it without a gap."""
    ends: dict[int, int] = {}
    for line in sorted(set(lines), reverse=True):
        ends[line] = ends.get(line + 1, line)
    return ends


def _owner(
    comment: Comment, blocks: Sequence[Block], position: int, taken: dict[int, int]
) -> Block | None:
    """Choose between the block before, around and below; ``position`` is the first not before."""
    if position and blocks[position - 1].end_line == comment.line:
        return blocks[position - 1]
    if position == len(blocks):
        return None
    block = blocks[position]
    if block.start < comment.start:
        return block
    below = comment.end_line + 1
    return block if block.line <= below or taken.get(below, 0) >= block.line - 1 else None


def _plain(comment: str) -> str:
    if comment.startswith("/*"):
        return _DECORATION.sub("", comment[2:-2])
    return comment.lstrip("#/")
