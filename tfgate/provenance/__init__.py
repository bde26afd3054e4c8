"""Where rules come from: the commit in force, who changed each rule last, and who approved that.

Git is asked through plumbing commands that run nothing a repository names. Nothing here knows
plans, records or reports.
"""

from __future__ import annotations

from tfgate.provenance.facts import LastChange, RulesetProvenance, Unapproved
from tfgate.provenance.git import GitError, Repository
from tfgate.provenance.read import RuleFile, Wanted, read_provenance
from tfgate.provenance.refuse import unapproved

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
