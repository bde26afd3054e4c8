"""The allowed signers file that the gate owns: read once, so that all checks see the same."""

from __future__ import annotations

import hashlib
import os
import stat
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from tfgate.audit.scratch import scratch
from tfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAX_BYTES = 4 * 1024 * 1024


class Signers(NamedTuple):
    """A private copy of the file."""

    path: Path
    sha256: str
    """Of what was read, for records."""
    warning: str | None
    """What the owner should mend."""


@contextmanager
def allowed_signers(file: Path | None, setting: str) -> Iterator[Signers]:
    """Give a copy of the file that ``setting`` names. Raises ``UsageError``.

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
        # Without O_NONBLOCK, opening a pipe would wait for its other end.
        with open(os.open(file, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0)), "rb") as opened:
            facts = os.fstat(opened.fileno())
            if not stat.S_ISREG(facts.st_mode):
                raise UsageError(f"The allowed signers file {file} is not a regular file.")
            data = opened.read(_MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(
            f"The allowed signers file {file} cannot be read: {error.strerror}."
        ) from None
    if len(data) > _MAX_BYTES:
        raise UsageError(f"The allowed signers file {file} is larger than 4 MiB.")
    return data, facts.st_mode
