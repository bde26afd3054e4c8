"""JMESPath with three truth values: compiled once, sound on documents with unknowns in them.

`compile` an expression, then `search` it for a value or ask for a `verdict`. A document is JSON as
Python reads it, with `UNKNOWN` wherever a value is not known yet; it stands for every document that
the unknowns may turn it into. Importing this package is cheap: jmespath comes in with `compile`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.errors import BudgetError, EvaluationError, ExpressionError
from tfgate.query.state import Scope
from tfgate.query.values import SENSITIVE, UNKNOWN, Maybe, Unknown

if TYPE_CHECKING:
    from tfgate.query.expression import Expression, Judgement
    from tfgate.query.functions.registry import Function, FunctionTable, MayRaise, Parameter
    from tfgate.query.trace import Step

__all__ = [
    "UNKNOWN",
    "SENSITIVE",
    "Unknown",
    "Maybe",
    "compile",
    "search",
    "Expression",
    "Judgement",
    "Step",
    "Scope",
    "Function",
    "FunctionTable",
    "Parameter",
    "MayRaise",
    "ExpressionError",
    "EvaluationError",
    "BudgetError",
]

_LATE = {
    "Expression": "tfgate.query.expression",
    "Judgement": "tfgate.query.expression",
    "Step": "tfgate.query.trace",
    "Function": "tfgate.query.functions.registry",
    "FunctionTable": "tfgate.query.functions.registry",
    "Parameter": "tfgate.query.functions.registry",
    "MayRaise": "tfgate.query.functions.registry",
}


def __getattr__(name: str) -> Any:
    """Load what needs the compiler only when it is asked for."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(_LATE[name]), name)


def compile(expression: str, *, functions: FunctionTable | None = None) -> Expression:  # noqa: A001 - the name re and jmespath use
    """Compile an expression; ExpressionError if it is malformed or calls what does not exist.

    ``functions`` is the table of the functions it may call, by default those that need nothing but
    their arguments: the JMESPath standard's and tfgate's pure ones.
    """
    from tfgate.query.expression import Expression

    return Expression(expression, functions)


def search(expression: str, document: Any, scope: Scope | None = None) -> Any:
    """Compile an expression and give its value on a document, as ``jmespath.search`` does."""
    return compile(expression).search(document, scope)
