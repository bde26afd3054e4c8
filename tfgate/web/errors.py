"""What can go wrong between the server and those it talks to."""

from __future__ import annotations

from tfgate.errors import TfgateError


class PeerError(TfgateError):
    """The other side could not be reached, or said something that cannot be used.

    ``again`` is whether the same request may succeed later; ``status`` its HTTP status, if any.
    The text names hosts, never paths or queries: those may carry a secret.
    """

    def __init__(
        self, message: str, *, hint: str | None = None, again: bool, status: int | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.again = again
        self.status = status


class ForbiddenPeerError(PeerError):
    """An address that the configuration does not let the server talk to."""

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint, again=False)


class JudgeError(TfgateError):
    """The process that judged ended without a result, or took too long."""
