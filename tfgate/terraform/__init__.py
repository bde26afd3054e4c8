"""Run ``terraform`` or ``tofu``, and tell who asks, in which workspace, from which commit.

Everything is imported when it is asked for: a check of plan JSON runs no Terraform.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgate.terraform.author import detect_authors as detect_authors
    from tfgate.terraform.find import find_terraform as find_terraform
    from tfgate.terraform.operator import detect_operator as detect_operator
    from tfgate.terraform.planfile import PlanFile as PlanFile
    from tfgate.terraform.planfile import PlanFileKind as PlanFileKind
    from tfgate.terraform.planfile import is_plan_file as is_plan_file
    from tfgate.terraform.planfile import plan_file_kind as plan_file_kind
    from tfgate.terraform.planfile import read_plan_file as read_plan_file
    from tfgate.terraform.planfile import read_snapshot as read_snapshot
    from tfgate.terraform.run import PendingRun as PendingRun
    from tfgate.terraform.run import begin_run as begin_run
    from tfgate.terraform.run import detect_run as detect_run
    from tfgate.terraform.runner import Terraform as Terraform
    from tfgate.terraform.workspace import detect_workspace as detect_workspace
    from tfgate.terraform.workspace import planned_workspace as planned_workspace

_WHERE = {
    "PendingRun": "run",
    "PlanFile": "planfile",
    "PlanFileKind": "planfile",
    "Terraform": "runner",
    "begin_run": "run",
    "detect_authors": "author",
    "detect_operator": "operator",
    "detect_run": "run",
    "detect_workspace": "workspace",
    "find_terraform": "find",
    "is_plan_file": "planfile",
    "plan_file_kind": "planfile",
    "planned_workspace": "workspace",
    "read_plan_file": "planfile",
    "read_snapshot": "planfile",
}

__all__ = [
    "PendingRun",
    "PlanFile",
    "PlanFileKind",
    "Terraform",
    "begin_run",
    "detect_authors",
    "detect_operator",
    "detect_run",
    "detect_workspace",
    "find_terraform",
    "is_plan_file",
    "plan_file_kind",
    "planned_workspace",
    "read_plan_file",
    "read_snapshot",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tfgate.terraform' has no attribute {name!r}")
    return getattr(import_module(f"tfgate.terraform.{_WHERE[name]}"), name)
