"""Who runs this command, as far as a token of this job proves it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.errors import IdentityError
from tfgate.identity.keys import Keys
from tfgate.identity.token import verify
from tfgate.identity.token_sources import find_token

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
) -> Operator:
    """Get the token of this job, from ``file`` where one is named, and return whom it proves.

    Raises ``IdentityError`` with what is missing or wrong, in one sentence.
    """
    if not issuers:
        raise IdentityError(
            "Nothing proves who runs tfgate: the configuration has no [[identity.issuers]]."
        )
    found = find_token(issuers, env, file)
    return verify(found.text, found.issuers, now=now, keys=Keys.of(env)).operator()
