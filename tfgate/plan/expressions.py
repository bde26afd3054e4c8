"""The redacted view of ``expressions``: constants that may be secret are hidden.

A configuration has no marks. What tells a secret is the change's own marks, the sensitivity of
the variable that an argument is for, and the list of names (`tfgate.plan.secrets`).
"""

from __future__ import annotations

from typing import Any, Final

from tfgate.plan.secrets import names_secret, redact_named
from tfgate.query.values import SENSITIVE

_CONSTANT: Final = "constant_value"
_EXPRESSION: Final = frozenset({_CONSTANT, "references"})


def redact_block(document: dict[str, Any], marked: frozenset[str] | None) -> dict[str, Any]:
    """Redact fields of ``config``; ``marked`` names attributes with a mark, None for all."""
    hidden = dict(document)
    for name in ("count_expression", "for_each_expression", "provisioners"):
        if name in document:
            hidden[name] = redact_expression(document[name])
    if "expressions" in document:
        hidden["expressions"] = redact_expressions(document["expressions"], marked)
    return hidden


def redact_expressions(expressions: Any, marked: frozenset[str] | None = frozenset()) -> Any:
    """Redact a map of argument name → expression or nested blocks."""
    if type(expressions) is not dict:
        return redact_expression(expressions)
    return {
        name: redact_expression(part, secret=marked is None or name in marked or names_secret(name))
        for name, part in expressions.items()
    }


def redact_expression(part: Any, *, secret: bool = False) -> Any:
    """Redact one expression, block, list or map of blocks; ``secret`` hides every constant."""
    if type(part) is list:
        return [redact_expression(element, secret=secret) for element in part]
    if type(part) is not dict:
        return SENSITIVE if secret and part is not None else part
    if part.keys() <= _EXPRESSION:
        return _redact_leaf(part, secret)
    return {
        name: redact_expression(inner, secret=secret or names_secret(name))
        for name, inner in part.items()
    }


def _redact_leaf(expression: dict[str, Any], secret: bool) -> dict[str, Any]:
    if _CONSTANT not in expression:
        return expression
    value = expression[_CONSTANT]
    hidden = SENSITIVE if secret and value is not None else redact_named(value)
    return {**expression, _CONSTANT: hidden}
