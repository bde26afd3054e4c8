"""The plan as it is handed in: a file, standard input, or a binary plan file that must be shown."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from tfgate.errors import PlanError, UsageError
from tfgate.gate.plan_copy import Interrupts, plan_place
from tfgate.model import Frozen
from tfgate.opening import NotAFileError, open_stream
from tfgate.terraform import find_terraform, read_plan_file, read_snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from tfgate.gate.request import EarlyRead
    from tfgate.hcl.snapshot import SnapshotModule
    from tfgate.terraform import PlanFile, Terraform

    Snapshot = Callable[[], tuple[SnapshotModule, ...]]

PLAN_FILE_MAGIC = b"PK\x03\x04"
"""A saved plan is a zip archive (Terraform's ``internal/plans/planfile``)."""

MAX_INPUT_BYTES = 2 * 1024**3
"""Larger inputs are refused: the largest plans in use are well below (100,000 changes: 0.9 GB)."""


class PlanInput(Frozen, frozen=True):
    """Plan JSON, with what is known of where it came from."""

    data: bytes
    name: str
    """As a person would write it: the path, or ``standard input``."""
    plan_file_sha256: str | None = None
    """SHA-256 (hex) of the binary plan file, where one was handed in."""
    plan_file: PlanFile | None = None
    """What the plan file says of itself, where one is at hand."""
    state_options: Mapping[str, str] = {}
    """Options of the apply that have it write another file than the ``local`` backend names."""
    snapshot: Snapshot | None = None
    """Reads the configuration that the plan file keeps; raises ``PlanError``."""

    @classmethod
    def of_plan_file(cls, document: bytes, name: str, data: bytes) -> PlanInput:
        """Return the input of a plan file whose bytes are ``data``, and whose JSON is ``document``.

        Raises ``PlanError`` for a plan file that is damaged.
        """
        plan_file = read_plan_file(data, name=name)
        return cls(
            document,
            name,
            plan_file_sha256=hashlib.sha256(data).hexdigest(),
            plan_file=plan_file,
            snapshot=partial(read_snapshot, data, name=name) if plan_file.keeps_sources else None,
        )


def read_plan_input(
    source: str, *, env: Mapping[str, str], cwd: Path, early: EarlyRead | None = None
) -> PlanInput:
    """Read ``source``: a path, or ``-`` for standard input.

    A binary plan file is turned into JSON by ``terraform show -json`` in ``cwd``. ``early`` may
    have read the file already.

    Raises ``UsageError`` for a path that cannot be read, ``PlanError`` for too much input and
    ``TerraformError`` where terraform is missing or refuses.
    """
    if source == "-":
        return PlanInput(_read_bounded(sys.stdin.buffer), "standard input")
    data = early.result() if early is not None and early.path == source else None
    if data is None:
        data = read_file(source, what="plan")
    if not data.startswith(PLAN_FILE_MAGIC):
        return PlanInput(data, source)
    return _show(data, source, env=env, cwd=cwd)


def read_file(path: str, *, what: str) -> bytes:
    """Read a whole file, or a stream that is open already (a shell's process substitution)."""
    try:
        with open_stream(path) as file:
            return _read_bounded(file)
    except NotAFileError as error:
        raise UsageError(
            f"The {what} {path} cannot be read: {error.strerror}.",
            hint=f"To read a pipe, pass - for the {what}, and the pipe on standard input.",
        ) from None
    except IsADirectoryError:
        hint = "Name the plan file itself, or its JSON from terraform show -json."
        raise UsageError(f"{path} is a directory, not a {what}.", hint=hint) from None
    except FileNotFoundError:
        make = f"Make one with: terraform plan -out {path}" if what == "plan" else None
        raise UsageError(f"There is no {what} {path}.", hint=make) from None
    except OSError as error:
        raise UsageError(f"The {what} {path} cannot be read: {error.strerror}.") from None


def _read_bounded(file: BinaryIO) -> bytes:
    """Read to the end, at most ``MAX_INPUT_BYTES``; a regular file is refused by its size."""
    facts = os.fstat(file.fileno())
    if stat.S_ISDIR(facts.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(facts.st_mode):
        return _read_stream(file)
    if facts.st_size > MAX_INPUT_BYTES:
        raise _too_large()
    return file.read()


def _read_stream(file: BinaryIO) -> bytes:
    chunks, total = [], 0
    while chunk := file.read(1024 * 1024):
        total += len(chunk)
        if total > MAX_INPUT_BYTES:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> PlanError:
    return PlanError(
        f"The plan is larger than {MAX_INPUT_BYTES // 1024**3} GiB, which tfgate does not read.",
        hint="Split the configuration into smaller ones.",
    )


def _show(data: bytes, name: str, *, env: Mapping[str, str], cwd: Path) -> PlanInput:
    """Have terraform print the plan file; show a private copy, so that what is hashed is shown."""
    terraform = find_terraform(env)
    with Interrupts() as interrupts, plan_place(interrupts, env) as place:
        return show_plan_file(data, place.keep(data), name=name, terraform=terraform, cwd=cwd)


def show_plan_file(
    data: bytes, copy: Path, *, name: str, terraform: Terraform, cwd: Path
) -> PlanInput:
    """Have ``terraform`` print the plan file ``copy``, whose bytes are ``data``."""
    return PlanInput.of_plan_file(terraform.show_json(copy, cwd), name, data)
