"""Where the token of a job comes from: a file, a variable, or the CI system when it is asked.

A token is in memory alone: it is never logged, recorded, kept, or passed on to Terraform
(`tfgate.terraform.runner` takes the variables out).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlsplit

from tfgate.errors import IdentityError
from tfgate.identity.token import MOST
from tfgate.model import Frozen
from tfgate.opening import open_stream
from tfgate.outbound import AGENT, Peer, shaped
from tfgate.ruleset.issuer_presets import PRESETS, PresetName

if TYPE_CHECKING:
    from tfgate.ruleset.issuers import Issuer

VARIABLE: Final = "TFGATE_IDENTITY_TOKEN"
FILE_VARIABLE: Final = "TFGATE_IDENTITY_TOKEN_FILE"
SECONDS: Final = 10
_METADATA: Final = "http://metadata.google.internal"


class FoundToken(Frozen, frozen=True):
    """A token, and the issuers that it may be of."""

    text: str
    issuers: Sequence[Issuer]

    def __repr__(self) -> str:
        return "FoundToken(…)"


def find_token(
    issuers: Sequence[Issuer], env: Mapping[str, str], file: Path | None = None
) -> FoundToken | None:
    """Return the token of this job, or ``None``. Raises ``IdentityError`` for one that is unusable.

    The first that is there: ``file``, ``TFGATE_IDENTITY_TOKEN_FILE``, ``TFGATE_IDENTITY_TOKEN``;
    then, issuer by issuer, its own variable and file, and the system that its preset names.
    """
    if file is None and env.get(FILE_VARIABLE):
        file = Path(env[FILE_VARIABLE])
    if file is not None:
        return FoundToken(_of_file(file), issuers)
    if env.get(VARIABLE):
        return FoundToken(_tidy(env[VARIABLE], VARIABLE), issuers)
    for issuer in issuers:
        text = _of_issuer(issuer, env)
        if text is not None:
            return FoundToken(text, [issuer])
    return None


def _of_issuer(issuer: Issuer, env: Mapping[str, str]) -> str | None:
    """Return the token that this issuer's system has for the job, or ``None``."""
    preset = None if issuer.preset is None else PRESETS[issuer.preset]
    variables = (issuer.token_env,) if issuer.token_env else ()
    for name in (*variables, *(preset.variables if preset else ())):
        if env.get(name):
            return _tidy(env[name], name)
    if issuer.token_file is not None:
        return _of_file(issuer.token_file)
    if preset is not None and preset.file is not None and Path(preset.file).exists():
        return _of_file(Path(preset.file))
    ask = _ASKED.get(issuer.preset) if issuer.preset is not None else None
    return None if ask is None else ask(issuer, env)


def _of_file(path: Path) -> str:
    try:
        with open_stream(str(path)) as file:
            data = file.read(MOST + 64)
        text = data.decode("ascii")
    except OSError as error:
        raise IdentityError(
            f"The token in {path} cannot be read: {error.strerror or type(error).__name__}."
        ) from None
    except ValueError:
        raise IdentityError(f"What is in {path} is no token.") from None
    return _tidy(text, str(path))


def _tidy(text: str, where: str) -> str:
    text = text.strip()
    if not text.isascii() or not text.isprintable() or " " in text or not text:
        raise IdentityError(f"What is in {where} is no token.")
    return text


# --- Systems that make a token when they are asked.


def _github(issuer: Issuer, env: Mapping[str, str]) -> str | None:
    """docs.github.com/actions/reference/security/oidc: the job's request URL and its token."""
    url, token = env.get("ACTIONS_ID_TOKEN_REQUEST_URL"), env.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    if not url or not token:
        return None
    joined = f"{url}{'&' if '?' in url else '?'}audience={quote(issuer.audience[0], safe='')}"
    data = _ask("GET", joined, {"Authorization": f"Bearer {token}"}, issuer, env)
    return _member(data, "value", issuer)


def _azure_devops(issuer: Issuer, env: Mapping[str, str]) -> str | None:
    """learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create."""
    url, token = env.get("SYSTEM_OIDCREQUESTURI"), env.get("SYSTEM_ACCESSTOKEN")
    if not url or not token:
        return None
    joined = f"{url}{'&' if '?' in url else '?'}api-version=7.1-preview.1"
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    return _member(_ask("POST", joined, headers, issuer, env), "oidcToken", issuer)


def _google(issuer: Issuer, env: Mapping[str, str]) -> str | None:
    """cloud.google.com/compute/docs/instances/verifying-instance-identity: the metadata server."""
    host = env.get("GCE_METADATA_HOST")
    base = f"http://{host}" if host else _METADATA
    path = "/computeMetadata/v1/instance/service-accounts/default/identity"
    url = f"{base}{path}?audience={quote(issuer.audience[0], safe='')}&format=full"
    try:
        data = _ask("GET", url, {"Metadata-Flavor": "Google"}, issuer, env, seconds=2)
    except IdentityError:
        return None  # not on Google Cloud
    return _tidy(data.decode("ascii", "replace"), "the metadata server's answer")


_ASKED: Final[Mapping[PresetName, Callable[[Issuer, Mapping[str, str]], str | None]]] = {
    PresetName.GITHUB: _github,
    PresetName.AZURE_DEVOPS: _azure_devops,
    PresetName.GOOGLE: _google,
}


def _ask(
    method: str,
    url: str,
    headers: Mapping[str, str],
    issuer: Issuer,
    env: Mapping[str, str],
    seconds: float = SECONDS,
) -> bytes:
    """Ask a system for a token. Raises ``IdentityError``, which says nothing of what it answers."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        parts = urlsplit("")
    here = parts.hostname in ("localhost", "127.0.0.1", "::1", "metadata.google.internal")
    if not parts.hostname or (parts.scheme != "https" and not here and "Authorization" in headers):
        raise IdentityError(f"The address to get a token of {issuer.name} from is not https.")
    peer = Peer(
        url,
        seconds=seconds,
        env=env,
        ca_file=issuer.ca_file,
        hide=lambda text: "",
        failure=IdentityError,
    )
    body = b"" if method == "POST" else None
    answer = peer.request(method, body, {"User-Agent": AGENT, **headers}, largest=4 * MOST)
    if answer.status != 200:
        raise IdentityError(
            f"A token of {issuer.name} cannot be had: {peer.host} answered {answer.status}."
        )
    return answer.body


def _member(data: bytes, name: str, issuer: Issuer) -> str:
    value = (shaped(data, dict[str, object]) or {}).get(name)
    if not isinstance(value, str):
        raise IdentityError(f"A token of {issuer.name} cannot be had: the answer has no {name}.")
    return _tidy(value, f"the answer of {issuer.name}'s system")
