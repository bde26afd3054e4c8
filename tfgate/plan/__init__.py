"""Plan JSON → a typed, lazy `Plan`, and the documents that rules are evaluated on."""

from __future__ import annotations

from tfgate.plan.change import Change
from tfgate.plan.configuration import Configuration
from tfgate.plan.invocation import ActionInvocation
from tfgate.plan.modulecall import ModuleCall
from tfgate.plan.output import OutputChange
from tfgate.plan.plan import Plan
from tfgate.plan.provider import ProviderConfig
from tfgate.plan.reading import read_plan
from tfgate.plan.reads import EVERYTHING, Reads
from tfgate.plan.subject import Subject
from tfgate.plan.subjects import iter_subjects
from tfgate.plan.summary import plan_document, redacted_plan_document

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
