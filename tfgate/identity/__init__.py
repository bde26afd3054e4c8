"""Proof of who runs the gate: tokens of issuers that the gate's owner lists.

For those who use this room::

    from tfgate.identity import Identity, Keys, verify

    issuers = config.issuers                      # [[identity.issuers]], of tfgate.ruleset.issuers
    keys = Keys.of(env)                           # cache in the user's cache folder; no network yet
    identity = verify(token, issuers, now=now, keys=keys)          # Raises IdentityError
    identity = verify(token, issuers, now=now, keys=keys, audience="tfgate:server")

    identity.name, identity.issuer, identity.subject, identity.claims["groups"]
    identity.operator()                           # tfgate.model.decision.Operator, verified

- ``verify`` checks signature, algorithm, key id, issuer, audience, times and the conditions that
  the configuration sets. What it returns has the claims that the configuration names, and never
  the token. `tfgate.identity.token` says what each check is.
- Who two identities are, is asked of ``issuer`` and ``subject`` together, never of ``name``
  (`tfgate.engine.override` does).
- ``proven_operator(issuers, env, now=now)`` gets the token of this job and verifies it; the gate
  calls it (`tfgate.gate.operator`), and so every command that evaluates a plan has it.
- ``IdentityError`` has one sentence that says what is wrong and holds nothing of the token.
- Needs the extra ``identity`` (joserfc, cryptography), which is imported when a token is there.
"""

from tfgate.identity.keys import Keys
from tfgate.identity.operator import missing_proof, proven_operator
from tfgate.identity.token import Identity, verify

__all__ = ["Identity", "Keys", "missing_proof", "proven_operator", "verify"]
