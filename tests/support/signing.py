"""SSH keys and allowed-signers files of tests, made by the real ssh-keygen."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

from tests.support.parts import require_part

if TYPE_CHECKING:
    from pathlib import Path


def new_key(folder: Path, name: str) -> Path:
    """Make an Ed25519 key without passphrase."""
    keygen = require_part("ssh-keygen")
    path = folder / name
    command = [keygen, "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)]
    subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return path


def signer(principals: str, key: Path, options: str = 'namespaces="tfgate"') -> str:
    """Return a line of an allowed-signers file."""
    return f"{principals} {options} {key.with_suffix('.pub').read_text()}"
