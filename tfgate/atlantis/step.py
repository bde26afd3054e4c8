"""A step of an Atlantis workflow: what its variables mean, and what its author may not choose.

Atlantis runs steps in the pull request's checkout (``DIR``), with ``SHOWFILE``, ``PLANFILE``,
``WORKSPACE``, ``USER_NAME`` and more (runatlantis.io/docs/custom-workflows). Everything in the
checkout is the author's; so the configuration is taken from the server's side alone.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from msgspec.structs import replace

from tfgate.errors import PlanError, UsageError
from tfgate.gate.check import CheckResult, evaluate_and_record
from tfgate.gate.gather import load_config
from tfgate.gate.inputs import PLAN_FILE_MAGIC, PlanInput, read_file
from tfgate.gate.record import Recorder
from tfgate.gate.request import Request
from tfgate.opening import search_path
from tfgate.ruleset import GateConfig
from tfgate.ruleset.config import CONFIG_VARIABLE, find_config
from tfgate.ruleset.config_tables import SETTINGS
from tfgate.ruleset.settings import PathSetting, place

_APPLY_STAGE_SIGN = "ATLANTIS_PR_APPROVED"
"""Set in steps of the stages plan and apply, never in a policy check."""


def is_policy_check(env: Mapping[str, str]) -> bool:
    """Whether the verdict is read from the text; elsewhere the exit code is what counts."""
    return _APPLY_STAGE_SIGN not in env


def evaluate_step(request: Request) -> CheckResult:
    """Evaluate the plan of a policy check, and record the decision.

    Raises ``UsageError`` for a configuration that is not the server's, and as ``check`` does.
    """
    config = server_side_config(request)
    recorder = Recorder.of(config, request)
    return evaluate_and_record(request, config, recorder, lambda: read_step_plan(request)).result


def read_step_plan(request: Request) -> PlanInput:
    """Read what Atlantis's ``show`` step wrote, with the hash of the plan file it is of.

    Raises ``PlanError`` where there is none, or it is older than the plan file: an earlier plan's.
    """
    show, plan = request.env.get("SHOWFILE"), request.env.get("PLANFILE")
    if not show or not Path(show).is_file():
        raise PlanError(
            "There is no plan at $SHOWFILE.",
            hint="Put the step `show` before this one; it needs a plan that Terraform keeps in "
            "a file, which remote operations do not.",
        )
    if plan is None or not Path(plan).is_file():
        return PlanInput(read_file(show, what="plan"), "$SHOWFILE")
    if os.stat(show).st_mtime_ns < os.stat(plan).st_mtime_ns:
        raise PlanError(
            "$SHOWFILE is older than $PLANFILE, so it is of an earlier plan.",
            hint="Put the step `show` before this one.",
        )
    data, document = read_file(plan, what="plan"), read_file(show, what="plan")
    if not data.startswith(PLAN_FILE_MAGIC):
        return PlanInput(document, "$SHOWFILE")
    return PlanInput.of_plan_file(document, "$SHOWFILE", data)


def step_facts(env: Mapping[str, str], policy_set: str | None = None) -> list[str]:
    """Return what rules may ask of the pull request by ``context(name)``, as ``NAME=VALUE``."""
    names = {
        "pull": "PULL_NUM",
        "pull_author": "PULL_AUTHOR",
        "base_branch": "BASE_BRANCH_NAME",
        "head_branch": "HEAD_BRANCH_NAME",
        "project": "PROJECT_NAME",
        "directory": "REPO_REL_DIR",
    }
    facts = [f"{name}={env.get(variable, '')}" for name, variable in names.items()]
    return [*facts, f"policy_set={policy_set or ''}"]


def terraform_of(env: Mapping[str, str]) -> str | None:
    """Return the Terraform that Atlantis chose for the project, where it is on PATH.

    It keeps them as ``terraform1.9.8`` or ``tofu1.8.3`` (server/core/terraform, ``EnsureVersion``).
    """
    version = env.get("ATLANTIS_TERRAFORM_VERSION", "")
    kind = env.get("ATLANTIS_TERRAFORM_DISTRIBUTION") or "terraform"
    name = f"{kind}{version}"
    return search_path(name, env) if version and "/" not in name else None


def server_side_config(request: Request) -> GateConfig:
    """Read the configuration, once it is sure that the pull request has no hand in it.

    Raises ``UsageError`` where no configuration is named, or anything that decides (it, rulesets,
    waivers, signers, the trail) is in the checkout; ``ConfigError`` for mistakes in it.
    """
    checkouts = list(checkout_roots(request.env, request.cwd))
    if not (request.config or request.env.get(CONFIG_VARIABLE)):
        raise UsageError(
            "No configuration of the server is named, and that of the pull request does not count.",
            hint=f"Give --config FILE or set {CONFIG_VARIABLE} to a file outside of the checkout.",
        )
    found = find_config(request.cwd, request.env, request.config)
    assert found is not None, "one is named"
    _refuse_inside("The configuration", found[0], checkouts)
    config = load_config(request)
    for what, path in _deciding_files(config):
        _refuse_inside(what, path, checkouts)
    return config


def checkout_roots(env: Mapping[str, str], cwd: Path) -> Iterator[Path]:
    """Yield the folders whose contents a pull request decides, real and absolute.

    The working directory, the repository around it, and Atlantis's ``repos`` folder with the
    checkouts of every other pull request.
    """
    directory = Path(env.get("DIR") or cwd)
    below = [part for part in Path(env.get("REPO_REL_DIR", "")).parts if part not in (".", "/")]
    real = directory.resolve()
    roots = [cwd.resolve(), real, *real.parents[: len(below)]]
    roots += [top for top in (real, *real.parents) if (top / ".git").exists()]
    yield from roots
    # <data dir>/repos/<owner>/<name>/<pull>/<workspace> (server/events/working_dir.go)
    for root in roots:
        if root.parent.name and root.parent.name == env.get("PULL_NUM"):
            yield from (top for top in root.parents if top.name == "repos")


def _deciding_files(config: GateConfig) -> Iterator[tuple[str, Path]]:
    """Yield each local file or folder that the decision or its record depends on."""
    sources = [(source.text, source.base) for source in config.rulesets]
    sources += [(text, config.folder) for table in config.workspaces for text in table.rulesets]
    for text, base in sources:
        if not text.startswith(("tfgate:", "git::")):
            yield f"The ruleset {text}", base / text
    waivers = config.values["gate.waiver_files"]
    for name in waivers.value:
        yield f"The waiver file {name}", place(name, waivers.base, config.home)
    for key, named in config.data.items():
        files = {key: named} if isinstance(named, str) else named
        for name, text in files.items():
            yield f"The data file {name}", place(text, config.folder, config.home)
    for name, given in config.given_data.items():
        yield f"The data file {name}", given
    for setting in SETTINGS:
        if not isinstance(setting, PathSetting):
            continue
        path = setting.of(config.values[setting.name], config.home)
        if path is not None:
            yield f"The file of {setting.name}", path


def _refuse_inside(what: str, path: Path, checkouts: list[Path]) -> None:
    real = path.resolve()
    if any(real == root or root in real.parents for root in checkouts):
        raise UsageError(
            f"{what} is in the checkout, where the author of the pull request decides.",
            hint="Keep it on the server, outside of Atlantis's data directory.",
        )


def as_step(request: Request) -> Request:
    """Return the request with the Terraform that Atlantis chose."""
    terraform = terraform_of(request.env)
    if terraform is None or request.env.get("TFGATE_TERRAFORM"):
        return request
    return replace(request, env={**request.env, "TFGATE_TERRAFORM": terraform})
