"""Approvals that were used, and what an outcome says of them."""

from __future__ import annotations

import datetime as dt

import msgspec


class Approval(msgspec.Struct, frozen=True, omit_defaults=True):
    """One approval that was used: its signature is good, and it fits the decision."""

    approver: str
    """The first of ``principals``."""
    principals: tuple[str, ...]
    """Every name that the allowed signers file gives to the key."""
    key: str
    """Fingerprint of the key, as ``ssh-keygen -l`` writes it: ``SHA256:…``."""
    digest: str
    """SHA-256 (hex) of the statement that was signed."""
    reason: str
    approved: dt.datetime
    expires: dt.datetime
    signers_sha256: str = ""
    """SHA-256 (hex) of the allowed signers file that lets the key approve."""


class Override(msgspec.Struct, frozen=True):
    """Why an outcome that would deny does not: enough people have approved it."""

    approvals: tuple[Approval, ...]
