"""Who runs this command, as far as a token of this job proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.identity.keys import Keys
from tfgate.identity.login import stored_identity
from tfgate.identity.token import verify
from tfgate.identity.token_sources import VARIABLE, find_token
from tfgate.ruleset.issuer_presets import PRESETS

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tfgate.model.decision import Operator
    from tfgate.ruleset.issuers import Issuer


def proven_operator(
    issuers: Sequence[Issuer],
    env: Mapping[str, str],
    *,
    now: dt.datetime,
    file: Path | None = None,
) -> Operator | None:
    """Get the token of this job, from ``file`` where one is named, and return whom it proves.

    Without one, a login of the person at the terminal (``tfgate login``) proves them. ``None``
    where there is neither. Raises ``IdentityError`` for one that proves nobody.
    """
    found = find_token(issuers, env, file)
    if found is None:
        logged_in = stored_identity(issuers, env, now)
        return None if logged_in is None else logged_in.operator()
    return verify(found.text, found.issuers, now=now, keys=Keys.of(env)).operator()


def missing_proof(issuers: Sequence[Issuer]) -> str:
    """Say, in one sentence, what a job lacks that has no token."""
    if not issuers:
        return "The configuration has no [[identity.issuers]], so nothing can prove it."
    advice = [PRESETS[issuer.preset].missing for issuer in issuers if issuer.preset is not None]
    if any(issuer.client_id is not None for issuer in issuers):
        advice.append("run tfgate login")
    ways = [*advice, f"hand a token over in {VARIABLE} or with --identity-token-file"]
    names = " or ".join(issuer.name for issuer in issuers)
    return f"The job has no token of {names}: {'; or '.join(ways)}."
