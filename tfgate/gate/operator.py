"""Who asks for a decision: proven where there is proof, claimed otherwise."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.errors import IdentityError
from tfgate.terraform import detect_operator

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.gate.request import Request
    from tfgate.model.decision import Operator
    from tfgate.ruleset import GateConfig


def operator_of(
    request: Request, config: GateConfig, workspace: str, warn: Callable[[str], None]
) -> Operator:
    """Return who asks, with the proof where there is one; a token that proves nothing is reported.

    Raises ``IdentityError`` where this gate needs proof in ``workspace`` and there is none, and
    where ``--identity-token-file`` names a token that proves nothing.
    """
    if request.proven is not None:
        return request.proven
    needed = config.needs_proof(workspace)
    if not request.reading and (needed or config.issuers):
        try:
            if (proven := _proven(request, config, needed=needed)) is not None:
                return proven
        except IdentityError as error:
            if needed:
                raise IdentityError(
                    f"It is not proven who asks, as the workspace {workspace} needs "
                    f"(require_verified_operator). {error.message}",
                    hint=error.hint,
                ) from None
            if request.identity_token_file is not None:
                raise
            warn(f"It is not proven who asks: {error.message}")
    return detect_operator(request.env, request.operator, request.directory)


def _proven(request: Request, config: GateConfig, *, needed: bool) -> Operator | None:
    from tfgate.identity import missing_proof, proven_operator  # few gates have an issuer

    file = request.identity_token_file
    proven = proven_operator(config.issuers, request.env, now=request.now, file=file)
    if proven is None and needed:
        raise IdentityError(missing_proof(config.issuers))
    return proven
