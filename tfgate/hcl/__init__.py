"""HCL sources: blocks with positions, waiver comments, module directories."""

from tfgate.hcl.addresses import config_address
from tfgate.hcl.files import Limits
from tfgate.hcl.index import SourceIndex

__all__ = ["Limits", "SourceIndex", "config_address"]
