"""JMESPath with three truth values: compiled once, sound on documents with unknowns in them.

`compile` an expression, then `search` it for a value or ask for a `verdict`. A document is JSON as
Python reads it, with `UNKNOWN` wherever a value is not known yet; it stands for every document that
the unknowns may turn it into.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.errors import BudgetError, EvaluationError, ExpressionError
from tfgate.query.expression import Expression, Judgement
from tfgate.query.functions.registry import Function, FunctionTable, MayRaise, Parameter
from tfgate.query.state import Scope
from tfgate.query.trace import Step
from tfgate.query.values import SENSITIVE, UNKNOWN, Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Collection

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


def compile(  # noqa: A001 - the name re and jmespath use
    expression: str, *, functions: FunctionTable | None = None, variables: Collection[str] = ()
) -> Expression:
    """Compile an expression; ExpressionError if it is malformed or names what does not exist.

    ``functions`` is the table of the functions it may call, by default those that need nothing but
    their arguments: the JMESPath standard's and tfgate's pure ones. ``variables`` are the names of
    those that are given from outside (``params`` for ``$params``): `Scope` says how.
    """
    return Expression(expression, functions, variables=variables)


def search(expression: str, document: Any, scope: Scope | None = None) -> Any:
    """Compile an expression and give its value on a document, as ``jmespath.search`` does."""
    return compile(expression).search(document, scope)
