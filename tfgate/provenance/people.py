"""Commits as git stores them: who wrote one, and whom its trailers name."""

from __future__ import annotations

import datetime as dt
import re
import unicodedata

import msgspec

from tfgate.engine.persons import any_same, spelling

_SIGNATURE = re.compile(r"(?P<who>.*) (?P<time>-?\d{1,12}) (?P<zone>[+-]\d{4})")
_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9-]+)\s*:\s*(?P<value>.*)")
_APPROVALS = frozenset({"approved-by", "reviewed-by"})
_LONGEST = 200


class Person(msgspec.Struct, frozen=True):
    """Somebody, as a commit names them. Two are the same where name or address is."""

    name: str
    email: str

    @classmethod
    def read(cls, text: str) -> Person:
        """Read ``Name <address>``, an address or a name; control characters become U+FFFD."""
        text = _clean(text)
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
            subject=_clean(text.strip().split("\n", 1)[0]),
        )


def read_trailers(message: str) -> list[tuple[str, str]]:
    """Give the trailers of a message: key in lower case, and value.

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


def _clean(text: str) -> str:
    kept = "".join(c if unicodedata.category(c)[0] != "C" else "�" for c in text.strip())
    return kept if len(kept) <= _LONGEST else kept[: _LONGEST - 1] + "…"


def _time(seconds: str, zone: str) -> str:
    offset = dt.timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    try:
        where = dt.timezone(-offset if zone[0] == "-" else offset)
        return dt.datetime.fromtimestamp(int(seconds), where).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""
