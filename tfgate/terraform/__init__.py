"""Run ``terraform`` or ``tofu``, and tell who asks, in which workspace, from which commit."""

from tfgate.terraform.find import find_terraform
from tfgate.terraform.operator import detect_operator
from tfgate.terraform.planfile import (
    PlanFile,
    PlanFileKind,
    is_plan_file,
    plan_file_kind,
    read_plan_file,
)
from tfgate.terraform.run import PendingRun, begin_run, detect_run
from tfgate.terraform.runner import Terraform
from tfgate.terraform.workspace import detect_workspace

__all__ = [
    "find_terraform",
    "Terraform",
    "PlanFile",
    "PlanFileKind",
    "is_plan_file",
    "plan_file_kind",
    "read_plan_file",
    "detect_operator",
    "detect_workspace",
    "detect_run",
    "begin_run",
    "PendingRun",
]
