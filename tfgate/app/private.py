"""The private place where the plan lies that is judged and applied."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.errors import TfgateError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.interrupts import Interrupts

PLAN_NAME = "plan.tfplan"


@contextmanager
def private_directory(interrupts: Interrupts) -> Iterator[Path]:
    """Make a directory that its owner alone can enter (0700), and remove it at the end.

    It is removed after an exception and after a signal as well; ``SIGKILL`` leaves it behind.
    """
    with interrupts.held():
        try:
            directory = Path(tempfile.mkdtemp(prefix="tfgate-"))
        except OSError as error:
            raise TfgateError(
                f"No private directory for the plan can be made: {error.strerror}.",
                hint="Let TMPDIR name a place that can be written to.",
            ) from None
    try:
        yield directory
    finally:
        with interrupts.held():
            shutil.rmtree(directory, ignore_errors=True)


def keep_copy(data: bytes, directory: Path) -> Path:
    """Write the plan file to a new file that nobody else can read or write; give its path."""
    path = directory / PLAN_NAME
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    try:
        with open(os.open(path, flags | getattr(os, "O_BINARY", 0), 0o600), "wb") as file:
            file.write(data)
        # The gate itself has no reason to write to it again.
        path.chmod(0o400)
    except OSError as error:
        raise TfgateError(
            f"The private copy of the plan cannot be written: {error.strerror}.",
            hint="Make room there, or let TMPDIR name another place.",
        ) from None
    return path


def is_unchanged(copy: Path, sha256: str) -> bool:
    """Say whether the copy still has the bytes that were judged."""
    try:
        with copy.open("rb") as file:
            digest = hashlib.sha256()
            while chunk := file.read(1 << 20):
                digest.update(chunk)
    except OSError:
        return False
    return digest.hexdigest() == sha256
