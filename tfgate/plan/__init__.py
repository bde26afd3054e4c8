"""Plan JSON → a typed, lazy `Plan`, and the documents that rules are evaluated on.

Everything is imported when it is asked for: most rules look at resources alone.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tfgate.plan.change import Change as Change
    from tfgate.plan.configuration import Configuration as Configuration
    from tfgate.plan.invocation import ActionInvocation as ActionInvocation
    from tfgate.plan.modulecall import ModuleCall as ModuleCall
    from tfgate.plan.output import OutputChange as OutputChange
    from tfgate.plan.plan import Plan as Plan
    from tfgate.plan.provider import ProviderConfig as ProviderConfig
    from tfgate.plan.reading import read_plan as read_plan
    from tfgate.plan.reads import EVERYTHING as EVERYTHING
    from tfgate.plan.reads import Reads as Reads
    from tfgate.plan.subject import Subject as Subject
    from tfgate.plan.subjects import iter_subjects as iter_subjects
    from tfgate.plan.summary import plan_document as plan_document
    from tfgate.plan.summary import redacted_plan_document as redacted_plan_document

_WHERE = {
    "ActionInvocation": "invocation",
    "Change": "change",
    "Configuration": "configuration",
    "EVERYTHING": "reads",
    "ModuleCall": "modulecall",
    "OutputChange": "output",
    "Plan": "plan",
    "ProviderConfig": "provider",
    "Reads": "reads",
    "Subject": "subject",
    "iter_subjects": "subjects",
    "plan_document": "summary",
    "read_plan": "reading",
    "redacted_plan_document": "summary",
}

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


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tfgate.plan' has no attribute {name!r}")
    return getattr(import_module(f"tfgate.plan.{_WHERE[name]}"), name)
