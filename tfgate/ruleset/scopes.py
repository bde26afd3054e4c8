"""What a rule of each scope sees, and what its ``match`` may name."""

from __future__ import annotations

from tfgate.model.rule import Scope

_RESOURCE = frozenset(
    {
        "address", "previous_address", "module_address", "mode", "type", "name", "index",
        "provider_name", "deposed", "action", "actions", "action_reason", "replace_paths",
        "importing", "deferred_reason", "before", "after", "before_identity", "after_identity",
        "config", "source",
    }
)  # fmt: skip

ROOTS: dict[Scope, frozenset[str]] = {
    Scope.RESOURCE: _RESOURCE,
    Scope.DRIFT: _RESOURCE,
    Scope.OUTPUT: frozenset(
        {
            "address", "name", "action", "actions", "before", "after", "sensitive", "type",
            "config", "source",
        }
    ),
    Scope.PLAN: frozenset(
        {
            "counts", "counts_by_type", "changes", "drift", "outputs", "variables", "checks",
            "deferred", "actions", "providers", "modules", "complete", "applyable", "errored",
            "terraform_version", "format_version", "timestamp", "workspace", "source",
        }
    ),
    Scope.MODULE: frozenset(
        {
            "address", "name", "module_address", "source", "version_constraint", "expressions",
            "count_expression", "for_each_expression", "depends_on",
        }
    ),
    Scope.PROVIDER: frozenset(
        {
            "address", "name", "full_name", "alias", "version_constraint", "module_address",
            "expressions", "source",
        }
    ),
    Scope.ACTION: frozenset(
        {
            "address", "module_address", "type", "name", "provider_name", "config_values",
            "lifecycle_action_trigger", "invoke_action_trigger", "deferred_reason", "source",
        }
    ),
    Scope.SOURCE: frozenset(
        {
            "kind", "type", "name", "labels", "address", "file", "line", "end_line", "module",
            "body", "written", "blocks", "providers",
        }
    ),
}  # fmt: skip
"""Fields of the root document: what a message placeholder may begin with. (The plan room, which
this one may not import, makes these documents; a test compares.)"""

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
