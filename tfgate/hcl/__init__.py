"""HCL sources: blocks with positions, waiver comments, module directories."""

from tfgate.hcl.files import Limits
from tfgate.hcl.foreign import ForeignSkip, foreign_skips
from tfgate.hcl.index import SourceIndex
from tfgate.hcl.waivers import WaiverProblem, comment_waivers

__all__ = [
    "SourceIndex",
    "Limits",
    "comment_waivers",
    "WaiverProblem",
    "foreign_skips",
    "ForeignSkip",
]
