"""Which workspace an apply changes, and where its state is kept.

A plan file says it itself, and Terraform writes the state that the plan file says. Around it, the
environment, ``.terraform`` and flags claim it. Plan JSON has nothing but those claims; where they
contradict a plan file, somebody is wrong about what will be written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from tfgate.errors import PlanError
from tfgate.model.decision import Workspace
from tfgate.model.text import clean
from tfgate.terraform.backend import Backend, read_backend, with_cloud_environment
from tfgate.terraform.gitdir import UnreadableError, read_small
from tfgate.terraform.planfile import PlanFile, PlanFileKind

PLAN_FILE = "plan file"
_HCP_HOST = "app.terraform.io"
_AGAIN = "Run init and select the workspace as for the plan, or plan again here."


def _ignore(_warning: str) -> None:
    """Warnings go nowhere unless the caller takes them."""


def detect_workspace(
    env: Mapping[str, str],
    flag: str | None,
    cwd: str | Path,
    *,
    warn: Callable[[str], None] = _ignore,
) -> Workspace:
    """Return which workspace is selected in ``cwd``, and what its state's place is called.

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
    name = _own_name(name, backend)
    if backend is None:
        return Workspace(name=name, source=source)
    return _workspace(name, source, backend)


def planned_workspace(
    plan: PlanFile, claimed: Workspace, env: Mapping[str, str], *, name: str = "plan file"
) -> Workspace:
    """Return the workspace and the state that a plan file will be applied to.

    Raises ``PlanError`` where the plan file does not say, or ``claimed`` (as
    ``detect_workspace`` gives it) is another one: it would be evaluated, approved and recorded as
    something else than what Terraform writes.
    """
    if plan.kind is PlanFileKind.CLOUD:
        return _kept_elsewhere(plan, claimed, name)
    if plan.kind is PlanFileKind.ENCRYPTED:
        raise PlanError(
            f"{name} is encrypted by OpenTofu: which state it will be applied to cannot be read.",
            hint="Take `plan` out of the `encryption` block where plans are gated.",
        )
    if plan.backend is None or plan.workspace is None:
        raise PlanError(
            f"{name} does not say which state and workspace it is for.",
            hint="Plan again with Terraform 0.12 or later, or OpenTofu.",
        )
    backend = plan.backend
    if backend.type == "cloud":
        backend = with_cloud_environment(backend, env)
    here = _workspace(_own_name(plan.workspace, backend), PLAN_FILE, backend)
    _check_claims(here, claimed, name)
    return here


def _workspace(name: str, source: str, backend: Backend) -> Workspace:
    return Workspace(
        name=name,
        source=source,
        backend=backend.type,
        identity=backend.identity,
        config_sha256=backend.config_sha256,
    )


def _own_name(name: str, backend: Backend | None) -> str:
    """Return the name; ``default`` stands for the one workspace that a ``remote`` block names."""
    if name == "default" and backend is not None and backend.workspace:
        return backend.workspace
    return name


def _check_claims(here: Workspace, claimed: Workspace, name: str) -> None:
    """Raise ``PlanError`` where what is claimed is not what the plan file says."""
    if claimed.backend is not None and (here.backend, here.identity, here.config_sha256) != (
        claimed.backend,
        claimed.identity,
        claimed.config_sha256,
    ):
        raise PlanError(
            f"{name} is for the state {_state(here)}, and .terraform is set up for "
            f"{_state(claimed, here)}.",
            hint=_AGAIN,
        )
    if claimed.name != here.name:
        raise PlanError(
            f"The plan file is for the workspace {here.name}, and {claimed.name} is the one in use "
            f"(from {claimed.source}).",
            hint="Select the plan's workspace, or plan again in this one.",
        )


def _state(place: Workspace, other: Workspace | None = None) -> str:
    """Name a state as messages do; one that reads like ``other`` differs in what is not shown."""
    shown = " ".join([place.backend or "", "/".join(place.identity.values())]).strip()
    is_alike = other is not None and shown == _state(other)
    return f"another {shown} (other settings of the backend)" if is_alike else shown


def _kept_elsewhere(plan: PlanFile, claimed: Workspace, name: str) -> Workspace:
    """Check a bookmark: it names a run, whose workspace HCP Terraform knows and the file does not.

    It can be applied through a ``cloud`` block alone, on the host that keeps it.
    """
    host = claimed.identity.get("hostname") or _HCP_HOST
    if claimed.backend != "cloud":
        raise PlanError(
            f"{name} is a bookmark of a plan that HCP Terraform keeps, and .terraform is set up "
            f"for {_state(claimed) or 'no backend'}.",
            hint="Run init where the configuration has its cloud block.",
        )
    if plan.hostname != host:
        raise PlanError(
            f"{name} is a bookmark of a plan that is kept on {plan.hostname or 'no host'}, and "
            f".terraform is set up for {host}.",
            hint=_AGAIN,
        )
    return claimed


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
