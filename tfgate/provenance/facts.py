"""What is known of where a ruleset's rules come from."""

from __future__ import annotations

import msgspec


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


class Unapproved(msgspec.Struct, frozen=True):
    """Why a ruleset must not be used where its rules have to be approved."""

    ruleset: str
    reason: str
    """One clause, without a full stop."""
