"""The list of names that say "a secret is in here", for where a plan carries no marks.

Plans before format 1.0 mark no attribute as sensitive, and no plan marks the constants in its
``configuration``: provider arguments, module arguments, connections. Redacting by name is a
second line there; where the plan has marks, they decide.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

from tfgate.model.pattern import late
from tfgate.query.values import SENSITIVE

_ANYWHERE: Final = late(
    r"passw|passphrase|secret|credential|private_?key|api_?key|access_?key|account_?key"
    r"|shared_?key|auth_?key|encryption_?key|signing_?key|ssh_?key|master_?key(?!_id|_arn)"
    r"|connection_?string|conn_?str|sas_?url|webhook_?url|client_?key|user_?data|private_?pem"
    r"|authorization|kubeconfig|kube_?config|keytab|sensitive"
)
_AS_A_WORD: Final = late(r"(?:^|[_\-. ])(?:token|pwd|pass|pin|otp|jwt|dsn|pat|auth)(?:$|[_\-. \d])")
_KEY: Final = late(r"(?:key|pem|cert|certificate|cookie|session|login|headers?)(?:_?id)?$")
_CAMEL: Final = late(r"(?<=[a-z0-9])(?=[A-Z])")


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether an attribute or argument of this name may hold a secret."""
    words = _CAMEL.sub("_", name).lower()
    return bool(_ANYWHERE.search(words) or _AS_A_WORD.search(words))


def redact_named(value: Any) -> Any:
    """Replace by `SENSITIVE` whatever stands below a name of the list; share the rest."""
    if type(value) is dict:
        return {
            key: part if part is None else SENSITIVE if names_secret(key) else redact_named(part)
            for key, part in value.items()
        }
    if type(value) is list:
        return [redact_named(part) for part in value]
    return value


def ends_as_key(name: str) -> bool:
    """Whether a provider's argument is a key of some kind: ``app_key``, ``cert_pem``."""
    return bool(_KEY.search(_CAMEL.sub("_", name).lower()))
