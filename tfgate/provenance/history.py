"""The line of history in force, and what on it touched which file."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from tfgate.engine.override import any_same, spelling
from tfgate.git import OBJECT_ID, Git, GitError
from tfgate.model.text import clean, late
from tfgate.ruleset.files import Unreadable, decode_text, parse_toml

_SIGNATURE = late(r"(?P<who>.*) (?P<time>-?\d{1,12}) (?P<zone>[+-]\d{4})")
_TRAILER = late(r"(?P<key>[A-Za-z0-9-]+)\s*:\s*(?P<value>.*)")
_APPROVALS = frozenset({"approved-by", "reviewed-by"})
_LONGEST = 200


class Person(msgspec.Struct, frozen=True):
    """Somebody, as a commit names them. Two are the same where name or address is."""

    name: str
    email: str

    @classmethod
    def read(cls, text: str) -> Person:
        """Read ``Name <address>``, an address or a name; control characters become U+FFFD."""
        text = clean(text, _LONGEST)
        name, bracket, rest = text.rpartition("<")
        if bracket and rest.endswith(">"):
            return cls(name.strip(), rest[:-1].strip())
        return cls("", text) if "@" in text else cls(text, "")

    @property
    def shown(self) -> str:
        """``Name <address>``, or the part that there is."""
        if self.name and self.email:
            return f"{self.name} <{self.email}>"
        return self.name or self.email

    def is_one_of(self, people: tuple[Person, ...]) -> bool:
        """Whether one of ``people`` has this name or this address, in whatever spelling."""
        email, name = spelling(self.email), spelling(self.name)
        return any(
            (email and email == spelling(other.email)) or (name and name == spelling(other.name))
            for other in people
        )

    def may_be_one_of(self, people: tuple[Person, ...]) -> bool:
        """Whether names or addresses may be those of one of ``people``."""
        mine = (self.name, self.email)
        return any(any_same(mine, (other.name, other.email)) is not None for other in people)


class Commit(msgspec.Struct, frozen=True):
    """What a commit object says."""

    id: str
    parents: tuple[str, ...]
    author: Person
    time: str
    """When it was written: RFC 3339."""
    co_authors: tuple[Person, ...]
    approvers: tuple[Person, ...]
    """From ``Approved-by`` and ``Reviewed-by``, in the last paragraph of the message."""
    subject: str
    """First line of the message."""

    @property
    def authors(self) -> tuple[Person, ...]:
        """Author and co-authors."""
        return (self.author, *self.co_authors)

    @classmethod
    def read(cls, object_id: str, data: bytes) -> Commit:
        """Read a commit object. Whatever is missing from it is empty."""
        head, _, message = data.partition(b"\n\n")
        parents, author, time = [], Person("", ""), ""
        for line in head.decode("utf-8", "replace").split("\n"):
            key, _, value = line.partition(" ")
            if key == "parent":
                parents.append(value)
            elif key == "author" and (found := _SIGNATURE.fullmatch(value)):
                author, time = Person.read(found["who"]), _time(found["time"], found["zone"])
        text = message.decode("utf-8", "replace")
        trailers = read_trailers(text)
        return cls(
            id=object_id,
            parents=tuple(parents),
            author=author,
            time=time,
            co_authors=tuple(Person.read(v) for key, v in trailers if key == "co-authored-by"),
            approvers=tuple(Person.read(v) for key, v in trailers if key in _APPROVALS),
            subject=clean(text.strip().split("\n", 1)[0], _LONGEST),
        )


def read_trailers(message: str) -> list[tuple[str, str]]:
    """Return the trailers of a message: key in lower case, and value.

    They are the last paragraph, if it is not the first one and each line of it is a trailer (or
    goes on with the one before, indented). A message that merely talks about them has none.
    """
    paragraphs = re.split(r"\n[ \t]*\n", message.replace("\r\n", "\n").strip("\n"))
    if len(paragraphs) < 2:
        return []
    found: list[tuple[str, str]] = []
    for line in paragraphs[-1].split("\n"):
        match = _TRAILER.fullmatch(line)
        if match:
            found.append((match["key"].lower(), match["value"].strip()))
        elif not (line[:1] in " \t" and found) and not line.startswith("(cherry picked from"):
            return []
    return found


def _time(seconds: str, zone: str) -> str:
    offset = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    try:
        where = dt.timezone(-offset if zone[0] == "-" else offset)
        return dt.datetime.fromtimestamp(int(seconds), where).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


_RAW = ("--raw", "-z", "--no-abbrev", "--no-renames", "--no-color", "--no-ext-diff",
        "--no-textconv", "--no-notes", "--format=tformat:%H")  # fmt: skip
_NO_BLOB = frozenset("0")


class Touch(msgspec.Struct, frozen=True):
    """One commit's change of one file."""

    commit: str
    path: str
    old: str | None
    """Blob before; ``None`` where the file was not there."""
    new: str | None
    """Blob after; ``None`` where it is gone."""


def mainline(repository: Git, commit: str, paths: Sequence[str]) -> list[Touch]:
    """Return every change of files below ``paths`` on the first-parent history, newest first.

    A merge counts with all that it brought in, so that a change stands at the commit by which it
    came to be in force.
    """
    return _touches(repository, "--first-parent", "--diff-merges=first-parent", commit, paths=paths)


def within(repository: Git, merge: Commit, paths: Sequence[str]) -> list[Touch]:
    """Return every change of files below ``paths`` in the commits that ``merge`` brought in.

    Of merges among them, that is what none of their parents had; ``merge`` itself counts too.
    """
    span = [f"^{merge.parents[0]}", merge.id]
    return _touches(repository, "--diff-merges=combined", *span, paths=paths)


def _touches(repository: Git, *arguments: str, paths: Sequence[str]) -> list[Touch]:
    output = repository.run("log", *_RAW, *arguments, "--", *paths)
    return [*_parsed(output.decode("utf-8", "surrogateescape"))]


def _parsed(output: str) -> Iterator[Touch]:
    """Read ``HASH NUL`` and, for each file, ``:modes old new STATUS NUL path NUL``.

    A merge has a colon for each parent, and so many modes and old blobs. No name of a file can
    pass for anything else: a path always follows an entry.
    """
    tokens = iter(output.split("\0"))
    commit = ""
    for token in tokens:
        entry = token.lstrip("\n")
        if entry.startswith(":"):
            parents = len(entry) - len(entry.lstrip(":"))
            words = entry.split(" ")
            path = next(tokens, "")
            yield Touch(commit, path, _blob(words[parents + 1]), _blob(words[2 * parents + 1]))
        elif OBJECT_ID.fullmatch(entry):
            commit = entry
        elif entry:
            raise GitError("git printed something unexpected")


def _blob(text: str) -> str | None:
    return None if set(text) <= _NO_BLOB else text


def read_commits(repository: Git, ids: Iterable[str]) -> dict[str, Commit]:
    """Read commits by id. Raises ``GitError`` where one is missing."""
    found = {}
    for object_id, data in repository.objects(dict.fromkeys(ids)):
        if data is None:
            raise GitError(f"the commit {object_id[:12]} is missing from this copy")
        found[object_id] = Commit.read(object_id, data)
    return found


def first_parents(repository: Git, commit: str) -> frozenset[str]:
    """Return every commit on the first-parent history of ``commit``."""
    output = repository.run("rev-list", "--first-parent", commit)
    return frozenset(output.decode("ascii", "replace").split())


MAX_VERSIONS = 1_000
"""Of one file. What changed before those is put down to the oldest of them."""


def last_touches(
    repository: Git, touches: Sequence[Touch], rules: Sequence[str], path: str
) -> dict[str, Touch]:
    """Return the last change of each rule in a file, and of the rest of it (under ``path``).

    ``touches`` are the changes of the file, newest first. A version that is no TOML counts as one
    in which everything changed.
    """
    touches = touches[:MAX_VERSIONS]
    blobs = {blob for touch in touches for blob in (touch.old, touch.new) if blob is not None}
    texts = dict(repository.objects(sorted(blobs)))
    open_items = {*rules, path}
    found: dict[str, Touch] = {}
    for touch in touches:
        old, new = _items(texts, touch.old, path), _items(texts, touch.new, path)
        for item in sorted(open_items):
            if old is None or new is None or old.get(item) != new.get(item):
                found[item] = touch
        open_items -= found.keys()
    for item in open_items if touches else ():
        found[item] = touches[-1]
    return found


def _items(texts: Mapping[str, bytes | None], blob: str | None, path: str) -> dict[str, str] | None:
    """Return the parts of a version in a comparable form; ``None`` for one that cannot be read."""
    data = b"" if blob is None else texts.get(blob)
    if data is None:
        return None
    try:
        table = parse_toml(decode_text(data, path), path)
    except Unreadable:
        return None
    rules = table.pop("rules", [])
    items = {path: _canonical(table)}
    for rule in rules if isinstance(rules, list) else []:
        if isinstance(rule, dict) and isinstance(rule.get("id"), str):
            items[rule["id"]] = _canonical(rule)
    return items


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True, default=str)
