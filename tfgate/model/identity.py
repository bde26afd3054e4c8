"""Who asked for the apply, and where it goes."""

from __future__ import annotations

import msgspec


class Operator(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who asked for the apply, how we know, and whether it was proven."""

    name: str
    source: str
    """``flag``, ``environment``, ``github``, ``gitlab``, …, ``git``, ``os``: what was believed."""
    verified: bool = False
    """True only where the source cannot be set by the operator (an identity the CI vouches for)."""


class Workspace(msgspec.Struct, frozen=True, omit_defaults=True):
    """The workspace an apply changes, with the identity of its state but none of its secrets."""

    name: str
    source: str
    """``plan file`` where the plan itself says it, and the state with it; otherwise it is claimed:
    ``flag``, ``environment``, ``.terraform/environment``, ``backend``, ``default``."""
    backend: str | None = None
    """Type of the backend: ``s3``, ``remote``, ``cloud``, ``local``, …"""
    identity: dict[str, str] = {}
    """What names the state: ``{"bucket": …, "key": …}``, ``{"organization": …, …}``."""
    config_sha256: str | None = None
    """SHA-256 (hex) of all settings of the backend but secrets, and of its type; ``None`` where it
    has none. Two states that are named alike in ``identity`` differ here."""


class Run(msgspec.Struct, frozen=True, omit_defaults=True):
    """The CI run and commit that a decision belongs to."""

    system: str | None = None
    """``github``, ``gitlab``, …"""
    url: str | None = None
    id: str | None = None
    commit: str | None = None
    """Commit of the configuration that was planned."""
    dirty: bool | None = None
    """Whether the checkout had uncommitted changes."""
    repository: str | None = None
    details: dict[str, str] = {}
    """What else the CI system says of the change: ``{"pull_author": …, "project": …}``."""
