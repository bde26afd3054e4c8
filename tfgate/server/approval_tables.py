"""``[approvals]`` of the server's configuration: who may ask, who may answer, who is told."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

import msgspec

from tfgate.errors import UsageError
from tfgate.model.text import any_glob

Positive = Annotated[int, msgspec.Meta(ge=1)]
Names = Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
Event = Literal["wanted", "approved", "refused", "ending"]
EVENTS: Final[tuple[Event, ...]] = ("wanted", "approved", "refused", "ending")
_FIELD = re.compile(r"\{([^{}]*)\}")


class Strict(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A table in which no key is unknown."""


class ProviderTable(Strict, frozen=True):
    """The OpenID provider that approvers log in with.

    The client's secret, where it has one, is in ``TFGATE_SERVER_OIDC_SECRET``.
    """

    issuer: str
    """Exactly the ``iss`` of its tokens; ``https``."""
    client_id: str
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    names: Names = ("{email}", "{preferred_username}")
    """Templates of every name of a person, the one to show first; one that lacks a claim is left
    out."""
    groups: str = "groups"
    """Claim with the groups, of the ID token or of the userinfo endpoint."""
    keys_hosts: tuple[str, ...] = ()
    """Hosts beside the issuer's own where its keys may be."""
    ca: str | None = None
    """PEM file of the authorities to trust instead of the system's."""
    session_minutes: Positive = 60
    """How long a login lasts. Whoever answers is asked for by the provider again anyway."""


class JobsTable(Strict, frozen=True):
    """Jobs that may ask."""

    issuer: str
    """Name of one of the ``[[identity.issuers]]`` of ``approvals.config``."""
    claims: dict[str, tuple[str, ...]] = {}
    """Claim → globs of which one must fit, beside the issuer's own conditions."""
    workspaces: Names = ("*",)
    """Globs over the workspaces that they may ask for."""


class ApproversTable(Strict, frozen=True):
    """Who may see and answer the requests of some workspaces: the first table that fits."""

    groups: Names
    """Globs over groups."""
    workspaces: Names = ("*",)
    required: Positive = 1
    """People who must approve; the gate may want more."""
    roles: tuple[str, ...] = ()
    """Of each, one of those people must have it."""


class WebhookTable(Strict, frozen=True):
    """Somewhere that is told."""

    name: str
    url: str | None = None
    url_env: str | None = None
    """Variable with the URL, where that is a secret itself: Slack's and Teams' are."""
    format: Literal["standard", "slack", "teams"] = "standard"
    secret_env: str | None = None
    """Variable with the secret that requests are signed with (standardwebhooks.com)."""
    ca: str | None = None
    events: tuple[Event, ...] = EVENTS
    workspaces: Names = ("*",)


class ApprovalsTable(Strict, frozen=True):
    """Approvals in the browser. Without this table the server has none of its pages."""

    key: str
    """SSH key without passphrase that approvals are signed with."""
    config: str
    """A ``tfgate.toml`` whose ``[[identity.issuers]]`` are believed on who a job is."""
    provider: ProviderTable
    jobs: Annotated[tuple[JobsTable, ...], msgspec.Meta(min_length=1)]
    approvers: Annotated[tuple[ApproversTable, ...], msgspec.Meta(min_length=1)]
    roles: dict[str, Names] = {}
    """Role → globs over groups."""
    webhooks: tuple[WebhookTable, ...] = ()
    wait_hours: Positive = 24
    """How long a request waits for answers."""
    valid_hours: Positive = 72
    """How long an approval holds at most; the request may want less."""
    remind_minutes: Positive = 60
    """How long before its end a request is told of again."""
    keep_days: Positive = 90
    waiting: Positive = 1000
    """Requests that wait at once; more are turned away."""
    request_bytes: Positive = 8 * 1024**2

    def approvers_of(self, workspace: str) -> ApproversTable | None:
        """Return the first table that fits, ``None`` where nobody may answer."""
        fits = (one for one in self.approvers if any_glob(one.workspaces)(workspace))
        return next(fits, None)

    def check(self) -> None:
        """Raise ``UsageError`` with what is wrong beyond shapes."""
        _check_url(self.provider.issuer, "approvals.provider.issuer")
        for table in self.approvers:
            for role in table.roles:
                if role not in self.roles:
                    raise UsageError(f"approvals.approvers: the role {role!r} is not in [roles].")
        names = [hook.name for hook in self.webhooks]
        if len(set(names)) != len(names):
            raise UsageError("approvals.webhooks: two have the same name.")
        for hook in self.webhooks:
            if (hook.url is None) == (hook.url_env is None):
                raise UsageError(f"approvals.webhooks: {hook.name!r} needs one of url and url_env.")
            if hook.url is not None:
                _check_url(hook.url, f"approvals.webhooks: {hook.name!r}: url")


def _check_url(url: str, setting: str) -> None:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    odd = parts.username or parts.password or parts.fragment
    if not parts.hostname or odd or parts.scheme != "https":
        raise UsageError(f"{setting}: {url!r} is not an https:// address.")


def fill(template: str, claims: dict[str, Any]) -> str | None:
    """Fill a template of a name with claims that are texts; ``None`` where one is missing."""
    parts: list[str] = []
    end = 0
    for match in _FIELD.finditer(template):
        value = claims.get(match[1])
        if not isinstance(value, str) or not value:
            return None
        parts += [template[end : match.start()], value]
        end = match.end()
    return "".join([*parts, template[end:]])
