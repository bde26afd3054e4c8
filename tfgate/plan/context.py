"""What every part of one plan shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfgate.plan.configuration import Configuration


class Context:
    """Facts of the plan that its changes need, without a way back to the changes themselves.

    (A way back would be a cycle, and changes are kept out of the garbage collector's sight.)
    """

    __slots__ = ("by_name", "configuration", "section")

    def __init__(self, section: str, configuration: Configuration, *, by_name: bool) -> None:
        self.section = section
        """The list that the change stands in: ``resource_changes``, …"""
        self.configuration = configuration
        self.by_name = by_name
        """Whether the format is so old that marks miss what a provider's schema says."""
