"""Where rules come from: the commit in force, who changed each rule last, and who approved that.

Git is asked through plumbing commands that run nothing a repository names. Nothing here knows
plans, records or reports. Everything is imported when it is asked for: a check whose rules have
not changed since the last one asks no git.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgate.provenance.facts import LastChange as LastChange
    from tfgate.provenance.facts import RulesetProvenance as RulesetProvenance
    from tfgate.provenance.facts import Unapproved as Unapproved
    from tfgate.provenance.git import GitError as GitError
    from tfgate.provenance.git import Repository as Repository
    from tfgate.provenance.read import RuleFile as RuleFile
    from tfgate.provenance.read import Wanted as Wanted
    from tfgate.provenance.read import read_provenance as read_provenance
    from tfgate.provenance.refuse import unapproved as unapproved

_WHERE = {
    "GitError": "git",
    "LastChange": "facts",
    "Repository": "git",
    "RuleFile": "read",
    "RulesetProvenance": "facts",
    "Unapproved": "facts",
    "Wanted": "read",
    "read_provenance": "read",
    "unapproved": "refuse",
}

__all__ = [
    "GitError",
    "LastChange",
    "Repository",
    "RuleFile",
    "RulesetProvenance",
    "Unapproved",
    "Wanted",
    "read_provenance",
    "unapproved",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tfgate.provenance' has no attribute {name!r}")
    return getattr(import_module(f"tfgate.provenance.{_WHERE[name]}"), name)
