"""tfgate: evaluates a Terraform plan, records the decision, and stops the apply.

The library's front door; everything is imported when it is asked for::

    plan = tfgate.load_plan("plan.json")
    rulesets = tfgate.load_rulesets(["tfgate:core", "./policy"])
    decision = tfgate.evaluate(plan, rulesets)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from tfgate._version import __version__

if TYPE_CHECKING:
    from tfgate.engine.context import Context as Context
    from tfgate.errors import TfgateError as TfgateError
    from tfgate.gate.api import evaluate as evaluate
    from tfgate.gate.api import load_plan as load_plan
    from tfgate.gate.api import load_rulesets as load_rulesets
    from tfgate.model.decision import Decision as Decision

_WHERE = {
    "load_plan": "tfgate.gate.api",
    "load_rulesets": "tfgate.gate.api",
    "evaluate": "tfgate.gate.api",
    "Context": "tfgate.engine.context",
    "Decision": "tfgate.model.decision",
    "TfgateError": "tfgate.errors",
}

__all__ = [
    "Context",
    "Decision",
    "TfgateError",
    "__version__",
    "evaluate",
    "load_plan",
    "load_rulesets",
]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'tfgate' has no attribute {name!r}")
    return getattr(import_module(_WHERE[name]), name)
