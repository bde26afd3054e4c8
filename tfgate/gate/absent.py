"""Rules that are alike on every plan: all they read are attributes that none of their types has.

A misspelt name is null, so such a rule passes on every plan, or fails on every plan. Lint says
so; a gate does not load it, where the schema of each type that the rule matches is at hand.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from tfgate.errors import RulesetError
from tfgate.model.rule import Scope
from tfgate.model.text import any_glob
from tfgate.ruleset.files import Unreadable, read_toml
from tfgate.ruleset.problems import Problems, suggest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tfgate.errors import Problem
    from tfgate.ruleset import CompiledRule, Ruleset
    from tfgate.schema import Catalog

_SIDES: Final = ("after", "before")
_ELSEWHERE: Final = frozenset({"references", "referenced_by", "configured", "changed"})
"""Functions by which a rule reads more than the paths of its expressions say."""
_OF_A_RUN: Final = ("context", "data")
"""Variables whose values differ from run to run: what reads one is not alike on every plan."""


def refuse_absent(
    rulesets: Iterable[Ruleset], allowed: Sequence[str], env: Mapping[str, str]
) -> None:
    """Refuse rules that read nothing which a matched type has; ``allowed`` are globs of ids.

    Every command that loads rules to evaluate or to prove them asks, and the server for its
    policies; rules of an older commit, which are only compared with, may be as they were.

    Shipped rules were checked before. Raises ``RulesetError``, and ``UsageError`` for an index of
    a schema that cannot be read.
    """
    is_allowed = any_glob(tuple(allowed)) if allowed else None
    suspects = [
        (ruleset, number, names)
        for ruleset in rulesets
        if not ruleset.source.startswith("tfgate:")
        for number, compiled in enumerate(ruleset.rules)
        if not (is_allowed and is_allowed(compiled.id)) and (names := _names(compiled))
    ]
    if not suspects:
        return
    from tfgate.schema import Catalog  # asked for by rules of one's own alone: 3 ms
    from tfgate.schema.sources import load_indexes

    catalog = Catalog(load_indexes(env))
    found = [
        problem
        for ruleset, number, names in suspects
        if (problem := _problem(ruleset, number, names, catalog)) is not None
    ]
    if found:
        raise RulesetError(found)


def _names(compiled: CompiledRule) -> frozenset[str]:
    """Return the attributes that a rule reads; none where it reads anything else as well."""
    rule = compiled.rule
    if rule.scope is not Scope.RESOURCE or not rule.match.types or "data" in rule.match.modes:
        return frozenset()
    names = set()
    for expression in compiled.deciding():
        if not _ELSEWHERE.isdisjoint(expression.functions) or any(
            path[0] in _OF_A_RUN for path in expression.variables
        ):
            return frozenset()
        for path in expression.reads:
            if len(path) < 2 or path[0] not in _SIDES:
                return frozenset()
            names.add(path[1])
    return frozenset(names)


def _problem(
    ruleset: Ruleset, number: int, names: frozenset[str], catalog: Catalog
) -> Problem | None:
    compiled = ruleset.rules[number]
    match = compiled.rule.match
    known: set[str] = set()
    for glob in match.types:
        prefix = glob.partition("_")[0]
        types = catalog.matching((glob,), match.providers)
        if not types or "*" in prefix or "?" in prefix:
            return None  # of a provider, or of any, whose schema is not at hand
        for kind in types:
            block = catalog.get(kind)
            if block is None or not names.isdisjoint(block.names):
                return None
            known |= block.names
    name = min(names)
    who = f"{match.types[0]} does not have"
    if len(match.types) > 1:
        who = f"none of the {len(match.types)} types that it matches has"
    return _at(
        ruleset,
        number,
        f"{compiled.id} is alike on every plan: all that it reads is {', '.join(sorted(names))}, "
        f"which {who}{suggest(name, known)}; correct the name, or allow the rule with --allow "
        f"{compiled.id} (or gate.allow)",
    )


def _at(ruleset: Ruleset, number: int, message: str) -> Problem:
    """Return the problem with the line of the rule's ``deny`` or ``require``."""
    compiled = ruleset.rules[number]
    file = compiled.rule.file
    text = None
    with suppress(Unreadable):
        text = read_toml(ruleset.path_of(file), file).text
    problems = Problems(file, text)
    key = "deny" if compiled.deny is not None else "require"
    problems.add(message, (key,) if ruleset.path.is_dir() else ("rules", number, key))
    return problems.found[0]
