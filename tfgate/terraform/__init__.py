"""Run ``terraform`` or ``tofu``, and find out who asks, in which workspace, from which commit."""

from __future__ import annotations

from tfgate.terraform.find import find_terraform
from tfgate.terraform.planfile import (
    PlanFile,
    PlanFileKind,
    plan_file_kind,
    read_plan_file,
    read_snapshot,
)
from tfgate.terraform.run import PendingRun, begin_run, detect_authors, detect_operator
from tfgate.terraform.runner import Terraform
from tfgate.terraform.workspace import detect_workspace, planned_workspace

__all__ = [
    "PendingRun",
    "PlanFile",
    "PlanFileKind",
    "Terraform",
    "begin_run",
    "detect_authors",
    "detect_operator",
    "detect_workspace",
    "find_terraform",
    "plan_file_kind",
    "planned_workspace",
    "read_plan_file",
    "read_snapshot",
]
