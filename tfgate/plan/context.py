"""What every part of one plan shares."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tfgate.plan.configuration import Configuration


class Context:
    """Facts of the plan that its changes need, without a way back to the changes themselves.

    (A way back would be a cycle, and changes are kept out of the garbage collector's sight.)
    """

    __slots__ = ("by_name", "configuration", "reason", "section")

    def __init__(
        self,
        section: str,
        configuration: Configuration,
        *,
        by_name: bool,
        reason: str | None = None,
    ) -> None:
        self.section = section
        """The list that the change stands in: ``resource_changes``, …"""
        self.configuration = configuration
        self.by_name = by_name
        """Whether the format is so old that marks miss what a provider's schema says."""
        self.reason = reason
        """Why a change was deferred; None for all that were not."""

    def deferred(self, reason: str) -> Context:
        """The same for a change deferred for this reason."""
        return Context(self.section, self.configuration, by_name=self.by_name, reason=reason)
