"""How a change came to be in force: who wrote it, and who approved all of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tfgate.git import Git, GitError
from tfgate.provenance.history import Commit, Person, read_commits, within

Signer = Callable[[bytes, str], "str | None"]

MAX_TAGS = 200
"""Signed tags that are looked at, the newest first."""

_BEGIN = b"-----BEGIN SSH SIGNATURE-----"


def read_approvals(data: bytes) -> dict[str, tuple[Person, ...]]:
    """Read a JSON Lines file: ``{"commit": "<full id>", "approver": "Name <address>"}`` a line.

    Other members are ignored. Raises ``GitError`` that names the line for anything else: a file
    that is half read would make approved rules look unapproved.
    """
    found: dict[str, list[Person]] = {}
    for number, line in enumerate(data.splitlines(), 1):
        if not line.strip():
            continue
        entry = _object(line)
        commit, approver = entry.get("commit"), entry.get("approver")
        if not (isinstance(commit, str) and isinstance(approver, str)):
            raise GitError(
                f"line {number} of the approvals is no object with a commit and an approver"
            )
        found.setdefault(commit, []).append(Person.read(approver))
    return {commit: tuple(people) for commit, people in found.items()}


def _object(line: bytes) -> Mapping[str, Any]:
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return entry if isinstance(entry, dict) else {}


def tag_approvals(repository: Git, signer: Signer) -> list[tuple[str, Person]]:
    """Return the commit and the signer of each tag with a good SSH signature.

    ``signer(data, signature)`` gives the signer's name by the allowed signers, ``None`` for a
    signature that does not count.
    """
    listed = repository.run(
        "for-each-ref", f"--count={MAX_TAGS}", "--sort=-creatordate",
        "--format=%(objecttype) %(objectname) %(*objecttype) %(*objectname)", "refs/tags",
    ).decode("utf-8", "replace")  # fmt: skip
    tags = {}
    for line in listed.splitlines():
        words = line.split(" ")
        if len(words) == 4 and words[0] == "tag" and words[2] == "commit":
            tags[words[1]] = words[3]
    found = []
    for tag, data in repository.objects(tags):
        who = None if data is None else _signer_of(data, tags[tag], signer)
        if who is not None:
            found.append((tags[tag], Person.read(who)))
    return found


def _signer_of(data: bytes, commit: str, signer: Signer) -> str | None:
    at = data.find(_BEGIN)
    # The object that is signed must be the one that the reference was said to lead to.
    if at < 0 or not data.startswith(f"object {commit}\n".encode()):
        return None
    return signer(data[:at], data[at:].decode("ascii", "replace"))


def contains(repository: Git, descendant: str, commit: str) -> bool:
    """Whether ``commit`` is in the history of ``descendant``."""
    if descendant == commit:
        return True
    try:
        repository.run("merge-base", "--is-ancestor", commit, descendant)
    except GitError:
        return False
    return True


class Change(NamedTuple):
    """What one commit on the line of history in force did to a file."""

    landed: Commit
    """The commit on that line: a merge, or the one that made the change itself."""
    newest: Commit
    """The newest commit that made a part of it."""
    authors: tuple[Person, ...]
    approvers: tuple[Person, ...]
    """Who approved all of it, and wrote none of it."""


class Landings:
    """Looks up authors and approvers of changes.

    ``approvals`` is the review system's file. Raises ``GitError`` where it, or a tag, cannot be
    read.
    """

    def __init__(self, repository: Git, approvals: bytes | None, signer: Signer | None) -> None:
        self._repository = repository
        self._approvals = {} if approvals is None else read_approvals(approvals)
        self._tags = [] if signer is None else tag_approvals(repository, signer)

    def changes(self, landed: Commit, paths: Sequence[str]) -> dict[str, Change]:
        """Return, for each of ``paths`` that ``landed`` touched, what it did."""
        if len(landed.parents) < 2:
            return dict.fromkeys(paths, self._change(landed, [landed]))
        touches = within(self._repository, landed, paths)
        commits = read_commits(self._repository, (touch.commit for touch in touches))
        found = {}
        for path in paths:
            parts = [commits[touch.commit] for touch in touches if touch.path == path]
            found[path] = self._change(landed, parts or [landed])
        return found

    def _change(self, landed: Commit, parts: Sequence[Commit]) -> Change:
        """Make one change of the commits it consists of, newest first.

        Who approved the merge approved all of it; who approved single commits must have approved
        each of them.
        """
        authors = tuple({person: None for part in parts for person in part.authors})
        each = [self._approvers_of(part) for part in parts]
        everywhere = [who for who in each[0] if all(who.is_one_of(tuple(some)) for some in each)]
        found = dict.fromkeys([*self._approvers_of(landed), *everywhere, *self._tagged(landed)])
        others = tuple(who for who in found if not who.may_be_one_of(authors))
        return Change(landed, parts[0], authors, others)

    def _approvers_of(self, commit: Commit) -> list[Person]:
        return [*commit.approvers, *self._approvals.get(commit.id, ())]

    def _tagged(self, landed: Commit) -> Iterator[Person]:
        for commit, who in self._tags:
            if contains(self._repository, commit, landed.id):
                yield who
