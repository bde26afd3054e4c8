"""What a rule of each scope sees, and what its ``match`` may name."""

from __future__ import annotations

from tfgate.model.rule import Scope

_RESOURCE = frozenset(
    {
        "address", "previous_address", "module_address", "mode", "type", "name", "index",
        "provider_name", "deposed", "action", "actions", "action_reason", "replace_paths",
        "importing", "before", "after", "config", "source",
    }
)  # fmt: skip
_COMMON = frozenset({"address", "type", "name", "module_address", "provider_name", "source"})

ROOTS: dict[Scope, frozenset[str]] = {
    Scope.RESOURCE: _RESOURCE,
    Scope.DRIFT: _RESOURCE,
    Scope.OUTPUT: _COMMON
    | {"action", "actions", "before", "after", "value", "sensitive", "config", "description"},
    Scope.PLAN: frozenset(
        {
            "counts", "counts_by_type", "changes", "drift", "outputs", "variables", "checks",
            "deferred", "actions", "providers", "modules", "complete", "applyable", "errored",
            "terraform_version", "format_version", "timestamp", "workspace",
        }
    ),
    Scope.MODULE: _COMMON
    | {"call", "version", "inputs", "expressions", "count_expression", "for_each_expression",
       "depends_on", "config", "resources"},
    Scope.PROVIDER: _COMMON
    | {"full_name", "alias", "version", "version_constraint", "expressions", "config"},
    Scope.ACTION: _COMMON | {"config", "config_values", "values", "lifecycle", "trigger", "mode"},
    Scope.SOURCE: _COMMON | {"block", "kind", "labels", "attributes", "blocks", "file", "line"},
}  # fmt: skip
"""Fields of the root document: what a message placeholder may begin with."""

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
