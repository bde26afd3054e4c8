"""A rule as it stands in one evaluation: compiled, with the level and parameters in force."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any

from tfgate.engine.functions import rule_functions
from tfgate.model.action import Action
from tfgate.model.rule import Enforcement, OnUnknown, Rule, Scope, default_on_unknown
from tfgate.model.text import any_glob
from tfgate.plan import Reads
from tfgate.query.state import Meter
from tfgate.ruleset.facts import resolve_facts
from tfgate.ruleset.names import named_in, used_of
from tfgate.ruleset.template import ITEM

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tfgate.engine.context import Context
    from tfgate.engine.scope import Shared
    from tfgate.model.decision import Outcome, OutcomeKind
    from tfgate.model.rule import Match
    from tfgate.plan import Subject
    from tfgate.query import Expression
    from tfgate.ruleset import CompiledRule, Ruleset


# --- Which rules look at which subjects: an index, so that a rule costs nothing where it selects
# none.
#
# The index is keyed by what repeats (scope, type, action, mode, provider); what differs from
# subject to subject (module, address, name) is tested only for rules that say something about it.


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
        """Return the rules that look at ``subject``, in the order they were loaded in."""
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


def data_types(matches: Iterable[Match]) -> frozenset[str] | None:
    """Return the globs of the types of data sources that any of them selects; None for all."""
    globs: set[str] = set()
    for match in matches:
        types = match.data_types
        if types is None:
            return None
        globs.update(types)
    return frozenset(globs)


def _by_type(rules: Sequence[BoundRule]) -> tuple[dict[str, set[int]], list[int]]:
    """Return the positions of rules on types that are written out, by type; and of all others."""
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
    """Whether ``rule`` looks at subjects of this type, action, mode and provider."""
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
    """Return the actions a rule looks at, or ``None`` where it looks at all of them.

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
    """Return the test on module, address and name that ``match`` asks for, or ``None``."""
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


Path = tuple[str, ...]


class Ready:
    """What an evaluation asks of a rule for every subject."""

    __slots__ = ("decider", "is_settled_by_truth", "passes", "scoped", "when")

    def __init__(self, compiled: CompiledRule) -> None:
        decider = compiled.deny if compiled.deny is not None else compiled.require
        assert decider is not None, "a rule has deny or require: the loader saw to it"
        self.decider: Expression = decider
        self.when = compiled.when
        self.passes = compiled.deny is None
        """The truth of ``decider`` that is a pass."""
        self.is_settled_by_truth = self.passes or decider.node.is_atomic
        """Whether nothing is asked of the decider's value but its truth: no list of findings."""
        self.scoped = any(map(_is_scoped, compiled.deciding()))
        """Whether an expression asks for more than the document: a variable, or a function that
        needs more than its arguments."""


class Values:
    """What the rules of one ruleset have in common in one evaluation."""

    def __init__(
        self, params: Mapping[str, Any], data: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> None:
        self.objects: Mapping[str, Any] = {"params": params, "data": data, "context": facts}
        """The variables that are objects, by name."""
        self.constants: Shared = {}
        """Values of the ruleset's ``[let]`` that no subject has a part in."""


class BoundRule:
    """One compiled rule with what the configuration says of it."""

    def __init__(
        self,
        compiled: CompiledRule,
        ruleset: Ruleset,
        context: Context,
        values: Values,
    ) -> None:
        """Bind; rules of one ruleset have ``values`` in common."""
        rule: Rule = compiled.rule
        self.compiled = compiled
        self.rule = rule
        self.ruleset = ruleset
        self.values = values
        self.enforcement = context.levels.get(rule.id, rule.enforcement)
        self.on_unknown = _on_unknown(rule, self.enforcement)
        self.narrow = narrowing(rule.match)
        self.common: dict[OutcomeKind, Outcome] = {}
        """What outcomes of the rule have in common, by their kind."""
        self.ready: Ready | None = None

    def get_ready(self) -> Ready:
        """Return what an evaluation needs, made at the first call: unused rules need none.

        Afterwards it is in ``ready``, which costs no call.
        """
        if self.ready is None:
            self.ready = Ready(self.compiled)
        return self.ready

    @cached_property
    def objects(self) -> Mapping[str, Any]:
        """``$params``, ``$data`` and ``$context``, but one that lacks what the rule reads of it."""
        missing = {name for name, _ in self.missing}
        if not missing:
            return self.values.objects
        return {name: held for name, held in self.values.objects.items() if name not in missing}

    @cached_property
    def missing(self) -> tuple[tuple[str, str], ...]:
        """What its expressions read of these objects and nothing gives, as ``(object, name)``."""
        objects = self.values.objects
        return tuple(
            (path[0], path[1])
            for expression in self.compiled.deciding()
            for path in expression.variables
            if len(path) == 2 and path[0] in objects and path[1] not in objects[path[0]]
        )

    @cached_property
    def _let_keys(self) -> dict[str, object]:
        let = self.compiled.let
        whole = tuple(sorted((name, expression.text) for name, expression in let.items()))
        keys: dict[str, object] = {
            name: (
                id(self.values),
                expression.text,
                not let.keys().isdisjoint(named_in(expression)) and whole,
            )
            for name, expression in let.items()
        }
        return {**keys, **{name: (id(self.values), name) for name in self.compiled.shared}}

    def find_let(self, name: str) -> Expression | None:
        """Return an entry of its own ``let`` or of the ruleset's."""
        return self.compiled.let.get(name) or self.compiled.shared.get(name)

    def let_key(self, name: str) -> object:
        """Return what two rules have in common if a ``let`` of theirs is the same value.

        It is where text, the ruleset and, if it has others in it, all ``let`` of the rule are.
        """
        return self._let_keys[name]

    def is_constant(self, name: str) -> bool:
        """Whether a value of the ruleset's ``[let]`` is the same for every subject."""
        return name in self._constants

    @cached_property
    def _constants(self) -> frozenset[str]:
        shared = self.compiled.shared
        varying = {
            name
            for name, expression in shared.items()
            if expression.reads or _calls_scoped(expression)
        }
        return frozenset(
            name
            for name, expression in shared.items()
            if name not in varying and varying.isdisjoint(used_of(shared, [expression]))
        )

    @cached_property
    def reads(self) -> frozenset[Path]:
        """What its expressions read of a document."""
        return frozenset(_reads(self.compiled.deciding()))

    @cached_property
    def shows_variables(self) -> bool:
        """Whether its message or remediation asks for more than the document."""
        return any(map(_is_scoped, self.compiled.shown()))

    @cached_property
    def deciding_lets(self) -> Mapping[str, Expression]:
        """The values of ``let`` that what decides uses, directly or through others."""
        lets = {**self.compiled.shared, **self.compiled.let}
        return used_of(lets, [self.get_ready().decider])

    @cached_property
    def plain_remediation(self) -> str | None:
        """Its remediation where there is no subject to fill it in from."""
        template = self.compiled.remediation
        return None if template is None else template.render({})

    @cached_property
    def shown_reads(self) -> frozenset[Path]:
        """What its message and remediation read, variables included."""
        compiled = self.compiled
        lets = used_of({**compiled.shared, **compiled.let}, compiled.shown())
        found = frozenset(_reads([*compiled.shown(), *lets.values()]))
        return frozenset(path for path in found if path[:1] != (ITEM,))


class Tally:
    """What one rule came to in one evaluation, and what it took."""

    __slots__ = ("findings", "meter", "passed", "rule")

    def __init__(self, rule: BoundRule) -> None:
        self.rule = rule
        self.passed: list[Subject] = []
        self.findings = 0
        self.meter = Meter()

    @property
    def evaluated(self) -> bool:
        """Whether the rule had an outcome on anything."""
        return bool(self.findings or self.passed)


def _on_unknown(rule: Rule, level: Enforcement) -> OnUnknown:
    """No apply makes an expression in the sources known: there is nothing to verify."""
    chosen = rule.on_unknown or default_on_unknown(level)
    if rule.scope is Scope.SOURCE and chosen is OnUnknown.VERIFY:
        return OnUnknown.ALLOW
    return chosen


def bind(rulesets: Sequence[Ruleset], context: Context) -> list[BoundRule]:
    """Bind every rule of ``rulesets``, in their order."""
    bound: list[BoundRule] = []
    for ruleset in rulesets:
        values = Values(
            ruleset.resolve_params(context.params.get(ruleset.id, {})),
            {**_data(ruleset), **context.data.get(ruleset.id, {})},
            resolve_facts(ruleset.context, context.known_facts()),
        )
        bound += [BoundRule(compiled, ruleset, context, values) for compiled in ruleset.rules]
    return bound


def _data(ruleset: Ruleset) -> dict[str, Any]:
    """Return the data files of the ruleset itself."""
    return {name: file.value for name, file in ruleset.data.items() if file is not None}


def _is_scoped(expression: Expression) -> bool:
    return bool(expression.variables) or _calls_scoped(expression)


def _calls_scoped(expression: Expression) -> bool:
    table = rule_functions()
    found = (table.find(name) for name in expression.functions)
    return any(function is not None and function.scope for function in found)


def _reads(expressions: Iterable[Expression]) -> Iterable[Path]:
    for expression in expressions:
        yield from expression.reads
        for name, arguments in expression.calls:
            if name == "changed":
                yield from _changed_reads(arguments)


def _changed_reads(arguments: tuple[Any, ...] | None) -> Iterable[Path]:
    """``changed('tags.Owner')`` reads that path on both sides; an unknown one reads both whole."""
    path = arguments[0] if arguments and isinstance(arguments[0], str) else ""
    below = tuple(path.split(".")) if path else ()
    return (("before", *below), ("after", *below))


class ReadsCache:
    """One ``Reads`` for each combination of rules that look at the same subject."""

    def __init__(self) -> None:
        self._by_rules: dict[tuple[BoundRule, ...], Reads] = {}

    def of(self, rules: tuple[BoundRule, ...]) -> Reads:
        """Return what these rules together read."""
        reads = self._by_rules.get(rules)
        if reads is None:
            paths = {path for rule in rules for path in rule.reads}
            reads = self._by_rules[rules] = Reads.of(paths)
        return reads
