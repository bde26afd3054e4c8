"""The allowed signers file that the gate owns: read once, so that all checks see the same."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import re
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tfgate.audit.scratch import scratch
from tfgate.errors import UsageError
from tfgate.model.text import glob_matches
from tfgate.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

_MAX_BYTES = 4 * 1024 * 1024
_WORD = re.compile(r'(?:[^\s"]|"[^"]*")+')
_OPTION = re.compile(r'(?:[^,"]|"[^"]*")+')
_OPTIONS = ("namespaces=", "valid-", "cert-authority")


class Signers(NamedTuple):
    """A private copy of the file."""

    path: Path
    sha256: str
    """Of what was read, for records."""
    warning: str | None
    """What the owner should fix."""


class PossibleSigner(NamedTuple):
    """A line of the file whose key may sign, as far as the line says."""

    names: tuple[str, ...]
    """Its principals. They may be patterns."""
    key: str
    """Type and key, as in the file."""
    is_authority: bool
    """Whether the key signs certificates, which bring names of their own."""

    @property
    def person(self) -> tuple[str, ...]:
        """Everything that tells who signs with it from others."""
        return (*self.names, self.key)

    @property
    def marks(self) -> tuple[str, ...]:
        """What the globs of the configuration find them by."""
        return self.names


def possible_signers(data: bytes, namespace: str, now: dt.datetime) -> list[PossibleSigner]:
    """Read an allowed signers file (ssh-keygen(1), ALLOWED SIGNERS), and leave out who cannot sign.

    That is who has no key, another namespace, or a time of validity that ``now`` is not in. Of a
    key on several lines the first counts. What cannot be read here is left to ``ssh-keygen``.
    """
    found: dict[str, PossibleSigner] = {}
    for line in data.decode("utf-8", "replace").splitlines():
        words = _WORD.findall(line)
        if len(words) < 3 or words[0].startswith("#"):
            continue
        has_options = words[1].lower().startswith(_OPTIONS) and len(words) > 3
        options = _options_of(words[1]) if has_options else {}
        key = " ".join(words[2:4] if has_options else words[1:3])
        if _is_for(options, namespace) and _is_valid(options, now):
            names = tuple(name for name in words[0].strip('"').split(",") if name)
            found.setdefault(key, PossibleSigner(names, key, "cert-authority" in options))
    return [*found.values()]


def _options_of(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in _OPTION.findall(text))
    return {name.lower(): value.strip('"') for name, _, value in pairs}


def _is_for(options: Mapping[str, str], namespace: str) -> bool:
    patterns = options.get("namespaces", "*").split(",")
    refused = any(glob_matches(one[1:], namespace) for one in patterns if one.startswith("!"))
    return not refused and any(glob_matches(one, namespace) for one in patterns)


def _is_valid(options: Mapping[str, str], now: dt.datetime) -> bool:
    after, before = (_moment(options.get(name)) for name in ("valid-after", "valid-before"))
    return not ((after is not None and now < after) or (before is not None and now > before))


def _moment(text: str | None) -> dt.datetime | None:
    """Read ``YYYYMMDD[HHMM[SS]][Z]``; ``None`` for nothing, and for what this is not."""
    digits = (text or "").removesuffix("Z")
    form = {8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}.get(len(digits))
    if text is None or form is None:
        return None
    try:
        moment = dt.datetime.strptime(digits, form)  # noqa: DTZ007 - of which zone, comes next
        if text.endswith("Z"):
            return moment.replace(tzinfo=dt.timezone.utc)
        return moment.astimezone()
    except (ValueError, OverflowError, OSError):
        return None


@contextmanager
def allowed_signers(file: Path | None, setting: str) -> Iterator[Signers]:
    """Yield a copy of the file that ``setting`` names. Raises ``UsageError``.

    A file that everybody may write to is refused: anybody could add a key. sshd does the same with
    ``authorized_keys`` (sshd_config(5), StrictModes).
    """
    if file is None:
        raise UsageError(
            f"Nobody is trusted to sign: {setting} names no allowed signers file.",
            hint="Name one in tfgate.toml (docs/approvals.md).",
        )
    data, mode = _read(file)
    if mode & stat.S_IWOTH:
        raise UsageError(
            f"Everybody may write to the allowed signers file {file}, so it proves nothing.",
            hint=f"chmod o-w {file}",
        )
    warning = None
    if mode & stat.S_IWGRP:
        warning = f"A group may write to the allowed signers file {file}, and add keys to it."
    with scratch() as folder:
        copy = folder / "allowed_signers"
        copy.write_bytes(data)
        yield Signers(copy, hashlib.sha256(data).hexdigest(), warning)


def _read(file: Path) -> tuple[bytes, int]:
    try:
        with open_file(file) as opened:
            mode = os.fstat(opened.fileno()).st_mode
            data = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"The allowed signers file {file} cannot be read: {error.strerror}."
        ) from None
    if len(data) > _MAX_BYTES:
        raise UsageError(f"The allowed signers file {file} is larger than 4 MiB.")
    return data, mode
