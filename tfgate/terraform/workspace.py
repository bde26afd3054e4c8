"""Which workspace an apply changes, and where its state is kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from tfgate.model.identity import Workspace
from tfgate.terraform.backend import Backend, read_backend, with_cloud_environment
from tfgate.terraform.files import UnreadableError, read_small
from tfgate.terraform.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def _ignore(_warning: str) -> None:
    """Warnings go nowhere unless the caller takes them."""


def detect_workspace(
    env: Mapping[str, str],
    flag: str | None,
    cwd: str | Path,
    *,
    warn: Callable[[str], None] = _ignore,
) -> Workspace:
    """Say which workspace is selected in ``cwd``, and what its state's place is called.

    Name: the first of ``flag``, ``TF_WORKSPACE``, ``.terraform/environment``, the one workspace
    that the ``cloud`` or ``remote`` block names, and ``default``. Backend: from
    ``.terraform/terraform.tfstate``, which ``terraform init`` writes; secrets in it are never
    read out. ``.terraform`` is where ``TF_DATA_DIR`` says. A file there that cannot be read, or
    is not what Terraform writes, is left out, and ``warn`` gets one sentence about it.
    """
    data_dir = Path(cwd) / (env.get("TF_DATA_DIR") or ".terraform")
    backend = _backend(data_dir / "terraform.tfstate", warn)
    if backend is not None and backend.type == "cloud":
        backend = with_cloud_environment(backend, env)
    name, source = _name(env, flag, data_dir / "environment", backend, warn)
    if backend is None:
        return Workspace(name=name, source=source)
    return Workspace(name=name, source=source, backend=backend.type, identity=backend.identity)


def _name(
    env: Mapping[str, str],
    flag: str | None,
    file: Path,
    backend: Backend | None,
    warn: Callable[[str], None],
) -> tuple[str, str]:
    if name := clean(flag or ""):
        return name, "flag"
    if name := clean(env.get("TF_WORKSPACE", "")):
        return name, "environment"
    if name := clean((_read(file, warn) or b"").decode("utf-8", "replace")):
        return name, ".terraform/environment"
    if backend is not None and backend.workspace:
        return backend.workspace, "backend"
    return "default", "default"


def _backend(file: Path, warn: Callable[[str], None]) -> Backend | None:
    data = _read(file, warn)
    if data is None:
        return None
    try:
        return read_backend(msgspec.json.decode(data))
    except msgspec.DecodeError:
        warn(f"{file} was left out: it is not JSON.")
    except RecursionError:
        warn(f"{file} was left out: it is nested too deeply.")
    except ValueError as error:
        warn(f"{file} was left out: {error}.")
    return None


def _read(file: Path, warn: Callable[[str], None]) -> bytes | None:
    try:
        return read_small(file)
    except UnreadableError as error:
        warn(f"{file} was left out: {error}.")
        return None
