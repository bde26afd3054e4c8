"""Approvals that a review system writes to a file, and those that a signed tag is."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tfgate.provenance.git import GitError
from tfgate.provenance.people import Person

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tfgate.provenance.git import Repository

    Signer = Callable[[bytes, str], str | None]

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


def tag_approvals(repository: Repository, signer: Signer) -> list[tuple[str, Person]]:
    """Give the commit and the signer of each tag with a good SSH signature.

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


def contains(repository: Repository, descendant: str, commit: str) -> bool:
    """Whether ``commit`` is in the history of ``descendant``."""
    if descendant == commit:
        return True
    try:
        repository.run("merge-base", "--is-ancestor", commit, descendant)
    except GitError:
        return False
    return True
