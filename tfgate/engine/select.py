"""Which rules look at which subjects: an index, so that a rule costs nothing where it selects none.

The index is keyed by what repeats (scope, type, action, mode, provider); what differs from subject
to subject (module, address, name) is tested only for rules that say something about it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.model.action import Action
from tfgate.model.glob import any_glob
from tfgate.model.rule import Scope

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tfgate.engine.bound import BoundRule
    from tfgate.model.rule import Match
    from tfgate.plan import Subject

_EXISTING = frozenset({Action.CREATE, Action.UPDATE})


class RuleIndex:
    """Rules of one scope, found by the facts of a subject."""

    def __init__(self, rules: Sequence[BoundRule], scope: Scope, *, evaluate_all: bool) -> None:
        self._rules = rules
        self._scope = scope
        self._evaluate_all = evaluate_all
        self._of_type, self._open = _by_type(rules)
        self._by_key: dict[tuple[Any, ...], tuple[tuple[BoundRule, ...], bool]] = {}

    def select(self, subject: Subject) -> tuple[BoundRule, ...]:
        """Give the rules that look at ``subject``, in the order they were loaded in."""
        key = (subject.type, subject.action, subject.mode, subject.provider_name)
        found = self._by_key.get(key)
        if found is None:
            found = self._by_key[key] = self._look_up(subject)
        rules, narrow = found
        if subject.deposed is not None and subject.action not in _ENDING:
            return ()
        if not narrow:
            return rules
        return tuple(rule for rule in rules if rule.narrow is None or rule.narrow(subject))

    def _look_up(self, subject: Subject) -> tuple[tuple[BoundRule, ...], bool]:
        near = sorted([*self._of_type.get(subject.type, ()), *self._open])
        rules = tuple(
            rule
            for rule in map(self._rules.__getitem__, near)
            if _could_select(rule, _actions(rule, self._scope, self._evaluate_all), subject)
        )
        return rules, any(rule.narrow is not None for rule in rules)


def _by_type(rules: Sequence[BoundRule]) -> tuple[dict[str, set[int]], list[int]]:
    """Give the positions of rules on types that are written out, by type; and of all others."""
    of_type: dict[str, set[int]] = {}
    others: list[int] = []
    for position, rule in enumerate(rules):
        types = rule.rule.match.types
        if not types or any("*" in name or "?" in name for name in types):
            others.append(position)
            continue
        for name in types:
            of_type.setdefault(name, set()).add(position)
    return of_type, others


def _could_select(rule: BoundRule, actions: frozenset[Action] | None, subject: Subject) -> bool:
    """Say whether ``rule`` looks at subjects of this type, action, mode and provider."""
    match = rule.rule.match
    if actions is not None and subject.action is not None and subject.action not in actions:
        return False
    if match.modes and subject.mode not in match.modes:
        return False
    if match.types and not any_glob(match.types)(subject.type):
        return False
    return not match.providers or _provider_matches(match.providers, subject.provider_name)


_ENDING = frozenset({Action.DELETE, Action.FORGET})
"""A deposed object is no live one: only rules on its end look at it."""


def _actions(rule: BoundRule, scope: Scope, evaluate_all: bool) -> frozenset[Action] | None:
    """Give the actions a rule looks at, or ``None`` where it looks at all of them.

    ``evaluate_all`` widens rules on what exists to what exists unchanged; a rule on deletions alone
    would otherwise deny every plan that leaves its subject in peace.
    """
    actions = frozenset(rule.rule.match.actions)
    if not actions:
        return None
    if evaluate_all and scope in (Scope.RESOURCE, Scope.OUTPUT) and actions & _EXISTING:
        return actions | {Action.NO_OP}
    return actions


def narrowing(match: Match) -> Callable[[Subject], bool] | None:
    """Give the test on module, address and name that ``match`` asks for, or ``None``."""
    if not (match.modules or match.addresses or match.names):
        return None
    modules = any_glob(match.modules)
    addresses = any_glob(match.addresses)
    names = any_glob(match.names)
    return lambda subject: (
        modules(subject.module_address) and addresses(subject.address) and names(subject.name)
    )


def _provider_matches(globs: tuple[str, ...], provider: str) -> bool:
    matches = any_glob(globs)
    return matches(provider) or matches(provider.rsplit("/", 1)[-1])
