"""What a rule of each scope sees, and what its ``match`` may name."""

from __future__ import annotations

from tfgate.model.rule import Scope
from tfgate.model.subjects import FIELDS

ROOTS: dict[Scope, frozenset[str]] = {scope: frozenset(fields) for scope, fields in FIELDS.items()}
"""Fields of the root document: what expressions and placeholders may begin with."""

MATCH_KEYS: dict[Scope, frozenset[str]] = {
    Scope.RESOURCE: frozenset(
        {"types", "actions", "modes", "modules", "providers", "addresses", "names"}
    ),
    Scope.DRIFT: frozenset(
        {"types", "actions", "modes", "modules", "providers", "addresses", "names"}
    ),
    Scope.OUTPUT: frozenset({"actions", "addresses", "names"}),
    Scope.PLAN: frozenset(),
    Scope.MODULE: frozenset({"modules", "addresses", "names"}),
    Scope.PROVIDER: frozenset({"providers", "modules", "addresses", "names"}),
    Scope.ACTION: frozenset({"types", "modules", "providers", "addresses", "names"}),
    Scope.SOURCE: frozenset({"blocks", "types", "modules", "addresses", "names"}),
}
"""Keys of ``match`` that select something in a scope; any other is a mistake there."""
