"""Find out where one ruleset comes from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import msgspec

from tfgate.git import Git, GitError, blob_id
from tfgate.opening import read_file
from tfgate.provenance.approval import Change, Landings, Signer
from tfgate.provenance.history import Touch, first_parents, last_touches, mainline, read_commits


class LastChange(msgspec.Struct, frozen=True, omit_defaults=True):
    """The change that one or more rules had last."""

    commit: str
    """The newest commit of the change that touched the rule's file."""
    time: str
    """When it was written: RFC 3339, with the author's offset from UTC."""
    authors: tuple[str, ...]
    """``Name <address>`` of everyone who wrote a part of the change, co-authors included."""
    approvers: tuple[str, ...] = ()
    """``Name <address>`` of those who approved all of it, and are none of its authors."""
    landed: str | None = None
    """The merge that brought it to the line of history in force, where that is another commit."""
    rules: tuple[str, ...] = ()
    """Ids of the rules whose last change this is; other files of the ruleset by their path."""
    on_branch: bool | None = None
    """Whether the rules are, as they are, on the named branch; ``None`` where nobody asked."""


class RulesetProvenance(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a ruleset comes from. ``None`` is what could not be found out; see ``problem``."""

    commit: str | None = None
    """The commit that is checked out."""
    clean: bool | None = None
    """Whether the files that were loaded are those of ``commit``, none more and none fewer."""
    uncommitted: tuple[str, ...] = ()
    """Files that differ from ``commit``, by their path in the repository."""
    branch: str | None = None
    """The reference that ``on_branch`` is about, in full."""
    changes: tuple[LastChange, ...] = ()
    """Newest first."""
    problem: str | None = None

    @property
    def approvers(self) -> tuple[str, ...]:
        """Everyone who approved the last change of some rule, sorted."""
        return tuple(sorted({who for change in self.changes for who in change.approvers}))


class RuleFile(msgspec.Struct, frozen=True):
    """A file of a ruleset, as it was loaded."""

    path: str
    """In the repository, with ``/``."""
    sha256: str
    """Hex digest of the bytes that were loaded."""
    rules: tuple[str, ...] = ()
    """Ids of the rules in it."""
    shared: bool = False
    """Whether it holds more than one rule, or a rule and the ruleset's header."""


class Wanted(NamedTuple):
    """What to find out, and from what."""

    files: Sequence[RuleFile]
    folder: str | None = None
    """Folder of the ruleset in the repository (``""`` for its top), ``None`` for a single file."""
    branch: str | None = None
    """Branch that rules should be on."""
    approvals: bytes | None = None
    """The review system's file."""
    signer: Signer | None = None
    """Returns the signer of a tag."""


def read_provenance(repository: Git, wanted: Wanted) -> RulesetProvenance:
    """Find out where a ruleset comes from; what cannot be found out is named, never raised."""
    commit = repository.commit_of("HEAD")
    if commit is None:
        return RulesetProvenance(problem="git does not say which commit is checked out")
    try:
        return _Reader(repository, wanted, commit).read()
    except GitError as error:
        return RulesetProvenance(commit=commit, problem=str(error))


class _Reader:
    def __init__(self, repository: Git, wanted: Wanted, commit: str) -> None:
        self.repository = repository
        self.wanted = wanted
        self.commit = commit
        self.branch, self.branch_commit = self._branch()
        self.landings = Landings(repository, wanted.approvals, wanted.signer)

    def read(self) -> RulesetProvenance:
        tree = self.repository.tree(self.commit, self._places())
        uncommitted = self._uncommitted(tree)
        committed = [file for file in self.wanted.files if file.path in tree]
        same = self._same_on_branch(tree, committed)
        touches = self._last_touches(committed, same)
        lost = self.repository.shallow() & {touch.commit for touch in touches.values()}
        known = {item: touch for item, touch in touches.items() if touch.commit not in lost}
        return RulesetProvenance(
            commit=self.commit,
            clean=not uncommitted,
            uncommitted=uncommitted,
            branch=self.branch,
            changes=self._changes(known, same),
            problem=_problem(bool(lost), committed, touches),
        )

    def _branch(self) -> tuple[str | None, str | None]:
        """Find the branch: the remote's where there is one, which a checkout does not move."""
        for prefix in ("refs/remotes/origin/", "refs/heads/"):
            name = f"{prefix}{self.wanted.branch}"
            commit = self.wanted.branch and self.repository.commit_of(name)
            if commit:
                return name, commit
        return None, None

    def _places(self) -> list[str]:
        folder = self.wanted.folder
        if folder is None:
            return [file.path for file in self.wanted.files]
        return [folder] if folder else []

    def _uncommitted(self, tree: Mapping[str, str]) -> tuple[str, ...]:
        loaded = {file.path for file in self.wanted.files}
        differ = {file.path for file in self.wanted.files if not self._is_committed(file, tree)}
        return tuple(sorted(differ | {path for path in tree if self._is_part(path)} - loaded))

    def _is_committed(self, file: RuleFile, tree: Mapping[str, str]) -> bool:
        blob = tree.get(file.path)
        if blob is None:
            return False
        try:
            data = read_file(self.repository.directory / file.path)
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == file.sha256 and blob == blob_id(data, len(blob))

    def _is_part(self, path: str) -> bool:
        """Whether a file of the commit would have been loaded, had it been there."""
        folder = self.wanted.folder
        if folder is None:
            return False
        inside = path.removeprefix(f"{folder}/") if folder else path
        name = inside.removeprefix("rules/")
        is_rule = name != inside and "/" not in name and name.endswith(".toml")
        return inside == "ruleset.toml" or (is_rule and not name.startswith("."))

    def _same_on_branch(
        self, tree: Mapping[str, str], committed: Sequence[RuleFile]
    ) -> frozenset[str]:
        """Name the files that are at the tip of the branch what they are here."""
        if self.branch_commit is None:
            return frozenset()
        if self.branch_commit == self.commit:
            return frozenset(file.path for file in committed)
        there = self.repository.tree(self.branch_commit, self._places())
        return frozenset(f.path for f in committed if there.get(f.path) == tree[f.path])

    def _last_touches(
        self, committed: Sequence[RuleFile], same: frozenset[str]
    ) -> dict[tuple[str, str], Touch]:
        """Return the last change of each rule: (path, rule id or path) to the change.

        Files that are the same on the branch have their history there: on another line, a merge of
        the branch would seem to have changed them.
        """
        found: dict[tuple[str, str], Touch] = {}
        for start, there in ((self.branch_commit, True), (self.commit, False)):
            files = [file for file in committed if (file.path in same) is there]
            if not files or start is None:
                continue
            history = mainline(self.repository, start, [file.path for file in files])
            by_path: dict[str, list[Touch]] = {}
            for touch in history:
                by_path.setdefault(touch.path, []).append(touch)
            for file in files:
                found |= self._of_file(file, by_path.get(file.path, []))
        return found

    def _of_file(self, file: RuleFile, touches: Sequence[Touch]) -> dict[tuple[str, str], Touch]:
        if not touches:
            return {}
        if file.shared:
            items = last_touches(self.repository, touches, file.rules, file.path)
            return {(file.path, item): touch for item, touch in items.items()}
        return {(file.path, item): touches[0] for item in file.rules or (file.path,)}

    def _changes(
        self, touches: Mapping[tuple[str, str], Touch], same: frozenset[str]
    ) -> tuple[LastChange, ...]:
        landed = read_commits(self.repository, (touch.commit for touch in touches.values()))
        per_landing: dict[str, list[str]] = {}
        for (path, _), touch in touches.items():
            per_landing.setdefault(touch.commit, []).append(path)
        of_file = {
            (commit, path): change
            for commit, paths in per_landing.items()
            for path, change in self.landings.changes(
                landed[commit], [*dict.fromkeys(paths)]
            ).items()
        }
        grouped: dict[tuple[Change, bool | None], list[str]] = {}
        for (path, item), touch in touches.items():
            change = of_file[touch.commit, path]
            grouped.setdefault((change, self._on_branch(path, touch, same)), []).append(item)
        made = [self._made(change, items, on) for (change, on), items in grouped.items()]
        return tuple(sorted(made, key=lambda change: (change.time, change.rules), reverse=True))

    def _on_branch(self, path: str, touch: Touch, same: frozenset[str]) -> bool | None:
        if self.branch_commit is None:
            return None
        return path in same or touch.commit in first_parents(self.repository, self.branch_commit)

    def _made(self, change: Change, items: Sequence[str], on_branch: bool | None) -> LastChange:
        newest, landed = change.newest, change.landed
        return LastChange(
            commit=newest.id,
            time=newest.time,
            authors=tuple(person.shown for person in change.authors),
            approvers=tuple(person.shown for person in change.approvers),
            landed=None if landed.id == newest.id else landed.id,
            rules=tuple(sorted(items)),
            on_branch=on_branch,
        )


def _problem(
    cut: bool, committed: Sequence[RuleFile], touches: Mapping[tuple[str, str], Touch]
) -> str | None:
    if cut:
        return "the history is cut off (a shallow clone)"
    told = {path for path, _ in touches}
    untold = [file.path for file in committed if file.path not in told]
    return f"no commit that made {untold[0]} is to be found" if untold else None


_NAMED = 5
"""Rules or files that a reason names; more of them say nothing new."""


def unapproved(known: RulesetProvenance, *, branch: str) -> Iterator[str]:
    """Yield every reason against a ruleset, a clause each; none for one that may be used.

    What is not known counts against it.
    """
    if known.problem is not None:
        yield f"its history cannot be read: {known.problem}"
        return
    if not known.clean:
        yield f"it has uncommitted changes in {_some(known.uncommitted)}"
    if known.branch is None:
        yield f"its repository has no branch {branch}"
    else:
        elsewhere = [
            rule for change in known.changes if not change.on_branch for rule in change.rules
        ]
        if elsewhere:
            yield f"not on {known.branch}: {_some(tuple(elsewhere))}"
    for change in known.changes:
        if not change.approvers:
            yield _nobody(change)


def _nobody(change: LastChange) -> str:
    who = " and ".join(change.authors) or "its author"
    return (
        f"nobody but {who} has approved the last change ({change.commit[:12]}) of "
        f"{_some(change.rules)}"
    )


def _some(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
