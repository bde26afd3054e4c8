"""Plan JSON → a typed, lazy `Plan`, and the documents that rules are evaluated on."""

from tfgate.plan.change import Change
from tfgate.plan.configuration import Configuration
from tfgate.plan.invocation import Invocation as ActionInvocation
from tfgate.plan.output import OutputChange
from tfgate.plan.plan import Plan
from tfgate.plan.reading import read_plan
from tfgate.plan.reads import EVERYTHING, Reads
from tfgate.plan.subject import Subject

__all__ = [
    "read_plan",
    "Plan",
    "Change",
    "OutputChange",
    "ActionInvocation",
    "Configuration",
    "Subject",
    "Reads",
    "EVERYTHING",
]
