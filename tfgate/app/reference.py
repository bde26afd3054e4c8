"""Reference pages that are made from the code they describe."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tfgate.engine.functions import SCOPE_FUNCTIONS, rule_functions
from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.query import Function

NOTE = "<!-- Made by scripts/generate: change the code it describes, and run it again. -->\n"


def functions_page() -> str:
    """Give docs/reference/functions.md: every function an expression may call."""
    table = sorted(rule_functions(), key=lambda function: function.name)
    scoped = {function.name for function in SCOPE_FUNCTIONS}
    groups = (
        ("Functions of rules", [f for f in table if f.name in scoped]),
        ("Pure functions", [f for f in table if f.name not in scoped and not f.standard]),
        ("The JMESPath standard", [f for f in table if f.standard]),
    )
    lines = [NOTE, "# Functions", "", _INTRODUCTION, ""]
    for title, functions in groups:
        lines += [f"## {title}", ""]
        for function in functions:
            lines += _function(function)
    return "\n".join(lines).rstrip() + "\n"


_INTRODUCTION = """\
Expressions are [JMESPath](https://jmespath.org/specification.html) as published, plus the functions
below. Each takes values that are known only after the apply: what does not depend on them is
settled now, what does is unknown. An argument of a wrong type is an error, and a rule that raises
an error denies. How many steps an expression may take, how long its strings may be, and what
regular expressions are, is told in [Bounds of expressions](bounds.md)."""


def _function(function: Function) -> Iterator[str]:
    yield f"### `{function.name}`"
    yield ""
    yield f"`{function.signature}`"
    yield ""
    yield function.doc if function.doc.endswith(".") else f"{function.doc}."
    if function.errors:
        yield ""
        yield function.errors if function.errors.endswith(".") else f"{function.errors}."
    yield ""
    yield f"Example: `{function.example}`" + _result(function)
    yield ""


def _result(function: Function) -> str:
    if function.scope and function.result is None:
        return ""
    return f" gives `{json.dumps(function.result, default=_special, ensure_ascii=False)}`"


def _special(value: Any) -> str:
    if isinstance(value, (Unknown, Maybe)):
        return repr(value)
    raise TypeError(f"{type(value).__name__} has no place in a reference page")
