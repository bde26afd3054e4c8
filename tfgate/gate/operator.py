"""Who asks for a decision: proven where there is proof, claimed otherwise."""

from __future__ import annotations

import datetime as dt
import os
from typing import TYPE_CHECKING

from tfgate.errors import AuditError, IdentityError, UsageError
from tfgate.model.decision import Operator
from tfgate.terraform import detect_operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.gate.request import Request
    from tfgate.ruleset import GateConfig


def operator_of(
    request: Request,
    config: GateConfig,
    workspace: str,
    warn: Callable[[str], None],
    plan_sha256: str = "",
) -> Operator:
    """Return who asks, with the proof where there is one; a token that proves nothing is reported.

    ``plan_sha256`` is of the plan that is asked about: an SSH key signs it with the challenge.
    Raises ``IdentityError`` where this gate needs proof in ``workspace`` and there is none, and
    where ``--identity-token-file`` or ``--identity-key`` names what proves nothing.
    """
    if request.proven is not None:
        return request.proven
    needed = config.needs_proof(workspace)
    if not request.reading and (needed or config.issuers or request.identity_key is not None):
        try:
            proven = _proven(request, config, workspace, plan_sha256, needed=needed)
            if proven is not None:
                return proven
        except IdentityError as error:
            if needed:
                raise IdentityError(
                    f"It is not proven who asks, as the workspace {workspace} needs "
                    f"(require_verified_operator). {error.message}",
                    hint=error.hint,
                ) from None
            if request.identity_token_file is not None or request.identity_key is not None:
                raise
            warn(f"It is not proven who asks: {error.message}")
    return detect_operator(request.env, request.operator, request.directory)


def _proven(
    request: Request, config: GateConfig, workspace: str, plan_sha256: str, *, needed: bool
) -> Operator | None:
    if request.identity_key is not None and request.identity_token_file is None:
        return _by_key(request.identity_key, config, (workspace, plan_sha256), request.now)
    from tfgate.identity import missing_proof, proven_operator  # few gates have an issuer

    file = request.identity_token_file
    proven = proven_operator(config.issuers, request.env, now=request.now, file=file)
    if proven is None and needed:
        raise IdentityError(missing_proof(config.issuers))
    return proven


def _by_key(key: str, config: GateConfig, about: tuple[str, str], now: dt.datetime) -> Operator:
    """Have the key sign a challenge that nobody has seen before, and see whose it is.

    Raises ``IdentityError`` where it cannot sign, or is nobody's that the gate knows.
    """
    from tfgate.audit import signing  # few people name a key
    from tfgate.gate.signers import allowed_signers

    if config.identity.allowed_signers is None:
        raise IdentityError(
            "A key proves nothing here: identity.allowed_signers names no allowed signers file.",
            hint="Leave --identity-key and TFGATE_IDENTITY_KEY out, or name one in tfgate.toml.",
        )
    gate = config.identity.name or config.shown
    lines = ("tfgate-operator v1", gate, *about, now.isoformat(), os.urandom(32).hex())
    challenge = "\n".join(lines).encode("utf-8", "backslashreplace")
    at = f"{now.astimezone(dt.timezone.utc):%Y-%m-%dT%H:%M:%S}Z"
    file = config.identity.allowed_signers
    try:
        with allowed_signers(file, "identity.allowed_signers") as signers:
            made = signing.sign(challenge, key, signing.OPERATORS)
            found = signing.identify(
                challenge, made, signers.path, at=at, namespace=signing.OPERATORS
            )
    except (AuditError, UsageError) as error:
        raise IdentityError(error.message, hint=error.hint) from None
    except signing.UnknownSignerError:
        raise IdentityError(
            f"The key {key} proves nobody: {file} does not let it sign for an operator."
        ) from None
    except signing.BadSignatureError as error:
        raise IdentityError(f"The key {key} proves nobody: {error}.") from None
    if any(mark in found.principals[0] for mark in "*?!"):
        raise IdentityError(f"The key {key} proves nobody: {file} gives it a pattern, and no name.")
    return Operator(
        name=found.principals[0],
        source="ssh",
        verified=True,
        issuer="ssh",
        subject=found.principals[0],
        claims={"principals": found.principals},
        key_id=found.key,
    )
