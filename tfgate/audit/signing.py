"""Sign and check with SSH keys, through ``ssh-keygen -Y`` (ssh-keygen(1), OpenSSH 8.9 or newer)."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tfgate.audit.scratch import scratch
from tfgate.errors import AuditError

NAMESPACE = "tfgate-checkpoint"
"""Of checkpoints. What is signed in one namespace cannot pass for anything else."""
APPROVALS = "tfgate"
"""Namespace of approvals."""
PROXIED_APPROVALS = "tfgate-approval-server"
"""Namespace of approvals that a server signs for people who have proven to it who they are."""
OPERATORS = "tfgate-operator"
"""Namespace of challenges by which people at terminals prove who they are."""
RECEIPTS = "tfgate-receipt"
"""Namespace of receipts."""

_PATIENCE = 60
"""Seconds for one ssh-keygen: a security key may want a touch."""


class UnknownSignerError(Exception):
    """The signature is good, and by a key that the allowed signers do not name."""


class BadSignatureError(Exception):
    """The signature does not fit the data, or is none; the text says which, in a clause."""


class Signer(NamedTuple):
    """Who signed."""

    principals: tuple[str, ...]
    """Every name that the allowed signers file gives to the key, for this namespace and time."""
    key: str
    """Fingerprint of the key: ``SHA256:…``."""


def sign(data: bytes, key: str | os.PathLike[str], namespace: str = NAMESPACE) -> str:
    """Return the armoured signature of ``data`` by the private key in the file ``key``.

    ``key`` may be a public key whose private half the SSH agent holds. Raises ``AuditError``
    where ssh-keygen is missing or refuses.
    """
    path = Path(key).expanduser()
    done = _keygen(["sign", "-f", str(path), "-n", namespace], data)
    if done.returncode or not done.stdout.startswith(b"-----BEGIN SSH SIGNATURE-----"):
        raise AuditError(
            f"The key {path} cannot sign: {_last_words(done)}.",
            hint="Name a private SSH key without passphrase, or a public one held by the agent.",
        )
    return done.stdout.decode("ascii")


def signer_of(
    data: bytes,
    signature: str,
    allowed_signers: str | os.PathLike[str],
    *,
    at: str | None = None,
    namespace: str = NAMESPACE,
) -> str:
    """Return the first principal that ``identify`` gives; raises as it does."""
    return identify(data, signature, allowed_signers, at=at, namespace=namespace).principals[0]


def identify(
    data: bytes,
    signature: str,
    allowed_signers: str | os.PathLike[str],
    *,
    at: str | None = None,
    namespace: str = NAMESPACE,
) -> Signer:
    """Return the signer of ``data``, by the file ``allowed_signers``.

    ``at`` (RFC 3339, UTC) is when the key must have been valid, as ``valid-before`` and
    ``valid-after`` of the file say; default: now. Raises ``UnknownSignerError``,
    ``BadSignatureError``, and ``AuditError`` where ssh-keygen or the file is missing.
    """
    signers = Path(allowed_signers).expanduser()
    if not signers.is_file():
        raise AuditError(f"There is no allowed signers file {signers}.", hint="Name the file.")
    moment = [] if at is None else ["-O", f"verify-time={_compact(at)}"]
    with scratch() as folder:
        file = folder / "signature"
        file.write_text(signature, encoding="utf-8", errors="replace")
        common = ["-n", namespace, "-s", str(file)]
        key = _key_of(_keygen(["check-novalidate", *common], data))
        found = _keygen(["find-principals", "-s", str(file), "-f", str(signers), *moment], b"")
        named = dict.fromkeys(found.stdout.decode("utf-8", "replace").splitlines())
        principals = tuple(
            name
            for name in named
            if not _keygen(
                ["verify", "-f", str(signers), "-I", name, *common, *moment], data
            ).returncode
        )
    if not principals:
        raise UnknownSignerError
    return Signer(principals, key)


def key_of(data: bytes, signature: str, namespace: str) -> str:
    """Return the fingerprint of the key that signed ``data``, whoever's it is.

    Raises ``BadSignatureError`` where none did.
    """
    with scratch() as folder:
        file = folder / "signature"
        file.write_text(signature, encoding="utf-8", errors="replace")
        return _key_of(_keygen(["check-novalidate", "-n", namespace, "-s", str(file)], data))


def _key_of(done: subprocess.CompletedProcess[bytes]) -> str:
    """Read the fingerprint out of ``Good "tfgate" signature with ED25519 key SHA256:…``."""
    if done.returncode:
        if b"namespace does not match" in done.stderr:
            raise BadSignatureError("it was made for another purpose (namespace)")
        raise BadSignatureError("it does not fit what is signed")
    fingerprint = done.stdout.decode("utf-8", "replace").split()[-1:]
    if not fingerprint or not fingerprint[0].startswith("SHA256:"):
        raise BadSignatureError("ssh-keygen does not name its key")
    return fingerprint[0]


def _keygen(arguments: Sequence[str], data: bytes) -> subprocess.CompletedProcess[bytes]:
    # Never a question to the user: a gate in CI would wait for the answer for ever.
    quiet = {**os.environ, "SSH_ASKPASS_REQUIRE": "never", "LC_ALL": "C"}
    quiet.pop("DISPLAY", None)
    try:
        return subprocess.run(
            ["ssh-keygen", "-Y", *arguments],  # noqa: S607 - where it lies differs by system
            input=data,
            capture_output=True,
            timeout=_PATIENCE,
            env=quiet,
            check=False,
            start_new_session=True,
        )
    except FileNotFoundError:
        raise AuditError(
            "Signatures need ssh-keygen, and there is none on PATH.", hint="Install OpenSSH."
        ) from None
    except (subprocess.TimeoutExpired, OSError) as error:
        raise AuditError(f"ssh-keygen cannot be used: {type(error).__name__}.") from error


def _last_words(done: subprocess.CompletedProcess[bytes]) -> str:
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    return lines[-1].strip().rstrip(".") if lines else f"ssh-keygen ended with {done.returncode}"


def _compact(time: str) -> str:
    """Write ``2026-01-31T12:00:00.000000Z`` as ``20260131120000Z``."""
    return time[:19].translate(str.maketrans("", "", "-T:")) + "Z"
