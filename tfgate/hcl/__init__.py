"""HCL sources: blocks with positions, waiver comments, module directories."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgate.hcl.comments import ProblemKind
    from tfgate.hcl.files import Limits
    from tfgate.hcl.index import SourceIndex, disagreement, is_whole
    from tfgate.hcl.secrets import is_secret_name, looks_secret
    from tfgate.hcl.source_blocks import blocks
    from tfgate.hcl.subject import UNREADABLE, SourceBlock
    from tfgate.hcl.waivers import ForeignSkip, WaiverProblem, comment_waivers, foreign_skips
    from tfgate.hcl.written import SourceText

__all__ = [
    "SourceIndex",
    "SourceText",
    "Limits",
    "comment_waivers",
    "WaiverProblem",
    "ProblemKind",
    "disagreement",
    "is_whole",
    "foreign_skips",
    "ForeignSkip",
    "blocks",
    "SourceBlock",
    "UNREADABLE",
    "looks_secret",
    "is_secret_name",
]

_LATE = {
    "SourceIndex": "index",
    "SourceText": "written",
    "Limits": "files",
    "comment_waivers": "waivers",
    "WaiverProblem": "waivers",
    "ProblemKind": "comments",
    "disagreement": "index",
    "is_whole": "index",
    "foreign_skips": "waivers",
    "ForeignSkip": "waivers",
    "blocks": "source_blocks",
    "SourceBlock": "subject",
    "UNREADABLE": "subject",
    "looks_secret": "secrets",
    "is_secret_name": "secrets",
}


def __getattr__(name: str) -> Any:
    """Load each part only when it is asked for: most runs need none, or the index alone."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"tfgate.hcl.{_LATE[name]}"), name)
