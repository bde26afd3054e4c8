"""What can go wrong with an expression: while it is compiled, and while it is evaluated.

::

    TfgateError
    ├── ExpressionError      the text is wrong; found by `compile`, before any plan is read
    └── EvaluationError      the text is right and does not fit this document
        └── BudgetError      evaluation was stopped: too many steps or too large a value

``kind`` names the sort of mistake with the words of the JMESPath compliance suite. No text holds a
value of a document: types and function names only, since a value may be secret.
"""

from __future__ import annotations

from typing import Literal

from tfgate.errors import TfgateError
from tfgate.exitcodes import ExitCode

ErrorKind = Literal[
    "syntax",
    "unknown-function",
    "undefined-variable",
    "invalid-arity",
    "invalid-type",
    "invalid-value",
    "not-a-number",
    "budget",
]


class ExpressionError(TfgateError):
    """An expression that cannot be compiled; ``position`` is the 0-based column of the mistake."""

    exit_code = ExitCode.USAGE

    def __init__(
        self,
        message: str,
        *,
        expression: str,
        position: int = 0,
        kind: ErrorKind = "syntax",
        hint: str | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.expression = expression
        self.position = position
        self.kind: ErrorKind = kind


class EvaluationError(TfgateError):
    """An expression that certainly fails on a document, whatever its unknowns become.

    ``function`` is the function that refused its arguments, if one did; ``position`` its 0-based
    column in the expression, where known.
    """

    def __init__(
        self,
        message: str,
        *,
        kind: ErrorKind = "invalid-type",
        function: str | None = None,
        position: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind: ErrorKind = kind
        self.function = function
        self.position = position


class BudgetError(EvaluationError):
    """Evaluation was stopped: it took too many steps, or made too large a value."""

    def __init__(self, message: str) -> None:
        super().__init__(message, kind="budget")
