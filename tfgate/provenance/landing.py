"""How a change came to be in force: who wrote it, and who approved all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tfgate.provenance.approvals import contains, read_approvals, tag_approvals
from tfgate.provenance.history import read_commits, within

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tfgate.provenance.approvals import Signer
    from tfgate.provenance.git import Repository
    from tfgate.provenance.people import Commit, Person


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
    """Looks up authors and approvers of changes."""

    def __init__(
        self,
        repository: Repository,
        approvals: Mapping[str, tuple[Person, ...]],
        tags: Sequence[tuple[str, Person]],
    ) -> None:
        self._repository = repository
        self._approvals = approvals
        self._tags = tags

    @classmethod
    def of(cls, repository: Repository, approvals: bytes | None, signer: Signer | None) -> Landings:
        """Read the review system's file and the tags, where they count. Raises ``GitError``."""
        return cls(
            repository,
            {} if approvals is None else read_approvals(approvals),
            [] if signer is None else tag_approvals(repository, signer),
        )

    def changes(self, landed: Commit, paths: Sequence[str]) -> dict[str, Change]:
        """Give, for each of ``paths`` that ``landed`` touched, what it did."""
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
