"""Errors for a name that no subject has: what the author meant by it, and which names there are."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from tfgate.model.rule import Scope
from tfgate.ruleset.problems import nearest, show_name
from tfgate.ruleset.scopes import ROOTS

if TYPE_CHECKING:
    from collections.abc import Mapping

_OF_CHANGES: Final = frozenset({Scope.RESOURCE, Scope.DRIFT})
CONSTANTS: Final = {
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE"), "false"),
    **dict.fromkeys(("None", "nil", "NULL", "Null", "undefined"), "null"),
}
"""Constants of other languages, with what JSON calls them."""
_AFTER: Final = "the values of the resource are in after: {after}"
_ELSEWHERE: Final[Mapping[str, str]] = {
    "var": "a parameter of the ruleset is $params{path}",
    "params": "a parameter of the ruleset is $params{path}",
    "param": "a parameter of the ruleset is $params{path}",
    "context": "a fact of the run is $context{path}",
    "env": "a fact of the run is $context{path}, given with --context",
    "local": "a plan has no local values: a name of your own is a key of the rule's let, $name",
    "locals": "a plan has no local values: a name of your own is a key of the rule's let, $name",
    "each": "an instance's key is index, and its values are in after",
    "count": "an instance's number is index",
    "self": _AFTER,
    "this": _AFTER,
    "resource": _AFTER,
    "values": _AFTER,
    "rc": _AFTER,
    "change": "a change's own fields stand at the root: {plain}",
    "data": "a data file is $data{path}; for data sources write match.modes = [\"data\"]",
    "module": "the module's address is module_address",
    "input": "the subject is the root itself: {plain}",
    "tfplan": "the subject is the root itself: {plain}",
    "plan": "the subject is the root itself: {plain}",
    "resource_changes": "all changes are in changes, in a rule with scope = \"plan\"",
    "planned_values": "all changes are in changes, in a rule with scope = \"plan\"",
    "prior_state": "what there was is in before",
    "configuration": "the resource's own block is config",
}  # fmt: skip
"""Words of Terraform and of other gates; ``{path}`` is what follows the word."""


def unknown_field(name: str, scope: Scope, text: str, position: int) -> str:
    """Say that a rule's subject has no field of that name, what is there, and what was meant."""
    sentence = f"{show_name(name)} is no field of a subject of scope {scope}"
    meant = _meant(name, scope, text, position)
    return f"{sentence}{meant}; it has {', '.join(sorted(ROOTS[scope]))}"


def _meant(name: str, scope: Scope, text: str, position: int) -> str:
    if text[position : position + 1] == '"':
        if "${" in name:
            return ": an expression has no ${…}, and a value stands without quotes"
        return f": a string stands in single quotes, '{name}'"
    path = re.compile(r"(?:\.[A-Za-z_]\w*)*", re.ASCII).match(text, position + len(name))
    steps = path[0] if path is not None else ""
    key = _hyphenated(name, text, position)
    if key is not None:
        return f": a key with such a sign in it stands in double quotes, {json.dumps(key)}"
    word = _ELSEWHERE.get(name)
    if word is not None:
        below = re.sub(r"^(?:\.change)?\.(?:after|values)(?=\.)", "", steps)
        plain = steps.lstrip(".").replace("resource_changes", "changes") or "after"
        return ": " + word.format(path=steps or ".name", after=f"after{below}", plain=plain)
    if scope in _OF_CHANGES and "_" in name and steps.count(".") >= 2:
        return f': a rule names its types in match, match.types = ["{name}"], and reads after'
    if scope is Scope.PLAN and name in ROOTS[Scope.RESOURCE]:
        return f": a change has it, changes[].{name}"
    near = nearest(name, ROOTS[scope])
    if near is not None:
        return f' (did you mean "{near}"?)'
    if scope in _OF_CHANGES and name.islower():
        return f": an argument of the resource is after.{name}"
    return ""


def _hyphenated(name: str, text: str, position: int) -> str | None:
    """Return the key that the name is a part of, as in ``tags.cost-center``."""
    before = re.search(r"\.([A-Za-z_]\w*[-/:])+$", text[:position], re.ASCII)
    return None if before is None else f"{before[0][1:]}{name}"
