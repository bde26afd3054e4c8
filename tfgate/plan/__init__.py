"""Plan JSON → a typed, lazy `Plan`, and the documents that rules are evaluated on."""

from __future__ import annotations

from tfgate.plan.change import Change
from tfgate.plan.configuration import Configuration
from tfgate.plan.configured import ModuleCall, ProviderConfig, plan_document, redacted_plan_document
from tfgate.plan.other_changes import ActionInvocation, OutputChange
from tfgate.plan.plan import Plan
from tfgate.plan.reading import read_plan
from tfgate.plan.reads import EVERYTHING, Reads
from tfgate.plan.subjects import Subject, iter_subjects

__all__ = [
    "read_plan",
    "Plan",
    "iter_subjects",
    "Subject",
    "Change",
    "OutputChange",
    "ActionInvocation",
    "ModuleCall",
    "ProviderConfig",
    "Configuration",
    "Reads",
    "EVERYTHING",
    "plan_document",
    "redacted_plan_document",
]
