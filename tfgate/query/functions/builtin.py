"""The functions every expression has: the standard ones and tfgate's pure ones, by name.

A function's module is imported when an expression calls it: most rules call two or three of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tfgate.query.functions.registry import Function

HOMES: Final[dict[str, str]] = {
    name: module
    for module, names in {
        # The 26 of the JMESPath specification.
        "numbers": ("abs", "avg", "ceil", "floor", "sum"),
        "strings": ("starts_with", "ends_with", "join"),
        "arrays": ("contains", "length", "map", "reverse"),
        "ordering": ("max", "min", "sort", "max_by", "min_by", "sort_by"),
        "objects": ("keys", "values", "merge"),
        "types": ("not_null", "to_array", "to_number", "to_string", "type"),
        # What tfgate adds and what needs nothing but its arguments (and the clock it is given).
        "text": ("matches", "glob", "lower", "upper", "split"),
        "documents": ("parse_json",),
        "collections": ("any", "all", "none", "unique", "count_by"),
        "network": ("cidr_contains", "cidr_is_public"),
        "versions": ("semver_satisfies",),
        "times": ("age_days",),
    }.items()
    for name in names
}
"""Name → the module below ``tfgate.query.functions`` that has the function."""


def functions_of(module: str) -> tuple[Function, ...]:
    """Give the functions of one of those modules."""
    functions: tuple[Function, ...] = import_module(f"tfgate.query.functions.{module}").FUNCTIONS
    return functions
