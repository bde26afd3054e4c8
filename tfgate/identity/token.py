"""Whether a token proves who runs the gate: signature, issuer, audience, times, conditions.

Signature and format are the work of joserfc; what a token may be used for is decided here, by RFC
7519, RFC 8725 (best practices) and OpenID Connect Core 1.0, section 3.1.3.7.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tfgate.errors import IdentityError
from tfgate.model import Frozen
from tfgate.model.decision import ClaimValue, Operator
from tfgate.model.text import clean, glob_matches, is_printable
from tfgate.ruleset.issuers import claim_path, template_claims

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Sequence

    from joserfc.jws import JWSRegistry

    from tfgate.identity.keys import Keys
    from tfgate.ruleset.issuers import Issuer

ALGORITHMS: Final = (
    *("RS256", "RS384", "RS512"),
    *("PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512"),
)
"""Signatures that are believed: by private keys alone, so that no verifier can make one."""
LEEWAY: Final = 60
"""Seconds by which clocks may differ."""
MOST: Final = 16 * 1024
"""Characters of a token."""
LONGEST_NAME: Final = 256
_MOST_CLAIMS: Final = 50
"""Elements of an array that records keep."""
_REFUSED: Final = ("jku", "jwk", "x5u", "x5c", "crit", "b64")
"""Header members by which a token would bring its own key, or ask for another way of reading it.
None of the systems that this is for sends one."""


class Identity(Frozen, frozen=True):
    """Who a token was made for, as its issuer says."""

    name: str
    """By the template of the configuration: for people, and never to compare."""
    issuer: str
    subject: str
    """With ``issuer``, what names this identity."""
    source: str
    """Name of the issuer in the configuration: ``github``."""
    claims: Mapping[str, ClaimValue] = {}
    """Claims that the configuration names, by their paths; those that the token has."""
    token_id: str | None = None
    key_id: str | None = None
    how: str = "oidc"

    def operator(self) -> Operator:
        """Return the operator that this proves."""
        return Operator(
            name=self.name,
            source=self.source,
            verified=True,
            issuer=self.issuer,
            subject=self.subject,
            claims=dict(self.claims),
            token_id=self.token_id,
            key_id=self.key_id,
        )


def verify(
    token: str,
    issuers: Sequence[Issuer],
    *,
    now: dt.datetime,
    keys: Keys,
    audience: str | None = None,
) -> Identity:
    """Return whom ``token`` proves. Raises ``IdentityError`` where it proves nobody.

    Of several tables with the token's issuer, the first counts whose conditions hold. ``audience``
    stands in the place of the one that each issuer is configured with.
    """
    header, claims = _unverified(token)
    named = claims.get("iss")
    matching = [issuer for issuer in issuers if issuer.issuer == named]
    if not matching:
        raise IdentityError("The token is of an issuer that is not in [[identity.issuers]].")
    refused = IdentityError("")
    for issuer in matching:
        try:
            return _verified(token, header, issuer, now, keys, audience)
        except IdentityError as error:  # noqa: PERF203 - a few tables, each to be tried
            refused = error
    raise refused


def _registry() -> JWSRegistry:
    from joserfc.jws import JWSRegistry

    # Members of the header that are not known mean nothing; those in _REFUSED are refused before.
    registry = JWSRegistry(algorithms=ALGORITHMS, strict_check_header=False)
    registry.max_header_length = 4 * 1024
    return registry


def _unverified(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return what the token says of itself, to find out which issuer and key it claims.

    Raises ``IdentityError`` where that is not read, or where the extra is not installed.
    """
    if len(token) > MOST:
        raise IdentityError(f"The token has more than {MOST:,} characters.")
    try:
        from joserfc.errors import JoseError
        from joserfc.jws import extract_compact
    except ModuleNotFoundError as error:
        if error.name not in ("joserfc", "cryptography"):
            raise
        raise IdentityError(
            "A token cannot be verified: joserfc is not installed.",
            hint="Install the extra: pip install 'tfgate[identity]'.",
        ) from None
    try:
        read = extract_compact(token.encode("ascii"), registry=_registry())
        header, claims = read.headers(), _object(read.payload)
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise IdentityError("The token is not a signed JSON Web Token (RFC 7519).") from None
    if not isinstance(header, dict):
        raise IdentityError("The token is not a signed JSON Web Token (RFC 7519).")
    if asked := next((name for name in _REFUSED if name in header), None):
        raise IdentityError(f"The token's header has the member {asked}, which is never believed.")
    if header.get("alg") not in ALGORITHMS:
        raise IdentityError(f"The token's algorithm is not one of {', '.join(ALGORITHMS)}.")
    if str(header.get("typ", "JWT")).upper() != "JWT":
        raise IdentityError("The token's type (typ) is not JWT: it was made for something else.")
    return header, claims


def _object(data: bytes | None) -> dict[str, Any]:
    value = json.loads(data or b"")
    if not isinstance(value, dict):
        raise TypeError
    return value


def _verified(
    token: str,
    header: Mapping[str, Any],
    issuer: Issuer,
    now: dt.datetime,
    keys: Keys,
    audience: str | None,
) -> Identity:
    from joserfc import jwt
    from joserfc.errors import JoseError

    key = keys.find(issuer, header.get("kid"), header["alg"], now)
    try:
        claims = jwt.decode(token, key.key, registry=_registry()).claims
    except (JoseError, ValueError, TypeError) as error:
        raise IdentityError(
            f"The token's signature is not one of {issuer.name} ({type(error).__name__})."
        ) from None
    _check_registered(claims, issuer, now, (audience,) if audience else issuer.audience)
    for path, globs in issuer.conditions.items():
        if not _fits(find_claim(claims, path), globs):
            raise IdentityError(
                f"The token of {issuer.name} has no claim {path} that is "
                f"{' or '.join(globs)}, which the configuration asks for."
            )
    return Identity(
        name=_name(claims, issuer),
        issuer=issuer.issuer,
        subject=claims["sub"],
        source=issuer.name,
        claims=dict(_kept(claims, issuer)),
        token_id=clean(claims.get("jti")) or None,
        key_id=clean(key.id) or None,
    )


def _check_registered(
    claims: Mapping[str, Any], issuer: Issuer, now: dt.datetime, audience: Sequence[str]
) -> None:
    """Check the claims that RFC 7519 and OpenID Connect define. Raises ``IdentityError``."""
    name = issuer.name
    if claims.get("iss") != issuer.issuer:
        raise IdentityError(f"The token is not of the issuer {name}.")
    made_for = _texts(claims.get("aud"))
    if not any(one in audience for one in made_for):
        raise IdentityError(
            f"The token of {name} was made for another audience than {' or '.join(audience)}."
        )
    party = claims.get("azp")
    if issuer.authorized_party:
        if party not in issuer.authorized_party:
            raise IdentityError(f"The token of {name} was made for another client (azp).")
    elif len(made_for) > 1:
        raise IdentityError(
            f"The token of {name} was made for several audiences, and no authorized_party says "
            "which client may have it."
        )
    _check_times(claims, issuer, now.timestamp())
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject.strip() or len(subject) > 1_000:
        raise IdentityError(f"The token of {name} names no subject (sub).")
    if not subject.isprintable():
        raise IdentityError(f"The subject of the token of {name} has characters that do not show.")


def _check_times(claims: Mapping[str, Any], issuer: Issuer, now: float) -> None:
    name = issuer.name
    end, made = _moment(claims, "exp"), _moment(claims, "iat")
    begin = _moment(claims, "nbf") if "nbf" in claims else None
    if end is None or made is None or (begin is None and "nbf" in claims):
        raise IdentityError(f"The token of {name} does not say from when and until when it holds.")
    if end + LEEWAY <= now:
        raise IdentityError(f"The token of {name} has expired.", hint="Get a new one.")
    if max(made, begin or made) - LEEWAY > now:
        raise IdentityError(
            f"The token of {name} does not hold yet.", hint="Compare this machine's clock."
        )
    if made + issuer.max_hours * 3600 + LEEWAY < now:
        raise IdentityError(
            f"The token of {name} was made more than {issuer.max_hours} hours ago (max_hours)."
        )


def _moment(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < 1e12 else None  # neither for NaN


def _texts(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return value
    return []


def find_claim(claims: Mapping[str, Any], path: str) -> Any:
    """Return the claim at a path (`tfgate.ruleset.issuers.claim_path`); ``None`` for none."""
    value: Any = claims
    for step in claim_path(path):
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _fits(value: object, globs: Sequence[str]) -> bool:
    """Whether a claim, or one element of an array, is as a condition asks."""
    for one in value if isinstance(value, list) else [value]:
        text = _plain(one)
        if text is not None and any(glob_matches(glob, text) for glob in globs):
            return True
    return False


def _plain(value: object) -> str | None:
    """Write a single value as a condition compares it, and as a template shows it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and value.bit_length() < 256 else None


def _name(claims: Mapping[str, Any], issuer: Issuer) -> str:
    """Return the operator's name. Raises ``IdentityError`` where a claim is missing or odd."""
    name = issuer.operator
    for path in template_claims(issuer.operator):
        text = _plain(find_claim(claims, path))
        if text is None or not text.strip():
            raise IdentityError(
                f"The token of {issuer.name} has no claim {path}, which names the operator."
            )
        if not is_printable(text):
            raise IdentityError(
                f"The claim {path} of the token of {issuer.name}, which names the operator, has "
                "characters that do not show."
            )
        if path == "email" and claims.get("email_verified") not in (None, True, "true"):
            raise IdentityError(
                f"The address in the token of {issuer.name}, which names the operator, is not "
                "verified (email_verified)."
            )
        # Braces in a claim are no template: what was filled in is not looked at again.
        name = name.replace(f"{{{path}}}", text.replace("{", "\0"), 1)
    name = " ".join(name.replace("\0", "{").split())
    if len(name) > LONGEST_NAME:
        raise IdentityError(f"The operator's name in the token of {issuer.name} is too long.")
    return name


def _kept(claims: Mapping[str, Any], issuer: Issuer) -> Iterator[tuple[str, ClaimValue]]:
    """Yield the claims that records keep: texts on one line, numbers, booleans and arrays."""
    for path in issuer.claims:
        value = find_claim(claims, path)
        if isinstance(value, list):
            texts = [_plain(one) for one in value[:_MOST_CLAIMS]]
            yield path, tuple(clean(text) for text in texts if text is not None)
        elif isinstance(value, (bool, int, float)) and abs(value) < 1 << 53:
            yield path, value  # beyond that, and for infinity, RFC 8785 has no numbers
        elif (text := _plain(value)) is not None:
            yield path, clean(text)
