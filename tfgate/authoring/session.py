"""What expressions are tried on: a plan, a subject of it, the rule whose names are in scope.

Every value out of the plan is the redacted one: nothing that is computed here may not be shown.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.authoring.explain import near
from tfgate.engine.bound import RuleIndex, bind
from tfgate.engine.evaluate import source_document
from tfgate.engine.functions import rule_functions
from tfgate.engine.scope import SubjectScope
from tfgate.errors import ConfigError, Problem, TfgateError, UsageError
from tfgate.model.rule import Scope
from tfgate.plan import EVERYTHING, iter_subjects
from tfgate.query import Expression, ExpressionError, Step
from tfgate.query import compile as compile_expression
from tfgate.query.mistakes import mistakes, place_of
from tfgate.query.values import Maybe, Unknown
from tfgate.ruleset.fields import unknown_field
from tfgate.ruleset.problems import suggest

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from tfgate.engine.bound import BoundRule
    from tfgate.gate.request import Gathered
    from tfgate.plan import Subject

_ANY_SCOPE: Final = (
    Scope.RESOURCE, Scope.OUTPUT, Scope.MODULE, Scope.PROVIDER, Scope.ACTION, Scope.DRIFT,
)  # fmt: skip
"""Where a subject is looked for that no rule says the scope of."""
_CONSTANTS: Final = frozenset({"null", "true", "false"})
_LISTED: Final = 10
"""Addresses that a sentence lists."""
_PATH: Final = re.compile(r"[$@A-Za-z_][\w$]*(?:\.(?:\w+|\"[^\"]*\")|\[\d*\]|\[\*\])*\Z", re.ASCII)


class Offer(NamedTuple):
    """One way to complete what is written."""

    start: int
    """Where the text that it replaces begins."""
    text: str
    what: str
    """Type of a field, signature of a function."""


class Session:
    """Evaluates expressions; `at` moves to another subject or rule."""

    def __init__(self, gathered: Gathered, address: str | None, rule_id: str | None) -> None:
        self._gathered = gathered
        self._rules = bind(gathered.effective.rulesets, gathered.context)
        self.rule: BoundRule | None = None
        self.scope = Scope.PLAN
        self.address: str | None = None
        self.at(address, rule_id)

    def at(self, address: str | None, rule_id: str | None) -> None:
        """Move to a subject and the names of a rule. Raises ``UsageError``."""
        rule = None if rule_id is None else self._rule(rule_id)
        scope, subject = self._subject(address, rule)
        self.rule, self.scope = rule, scope
        self.address = None if scope is Scope.PLAN else subject.address
        context = self._gathered.context
        self.document = subject.redacted(EVERYTHING)
        if scope is not Scope.SOURCE and "source" in self.document and context.locate is not None:
            self.document["source"] = source_document(subject, context)
        plan = None if scope is Scope.SOURCE else self._gathered.plan
        self._names = SubjectScope(plan, rule, subject, self.document, context, redacted=True)
        self._names.objects = self._objects()

    def _objects(self) -> dict[str, Any]:
        """Return ``$params``, ``$data`` and ``$context``: the rule's, or those of all rulesets."""
        rules = self._rules if self.rule is None else [self.rule]
        found: dict[str, dict[str, Any]] = {"params": {}, "data": {}, "context": {}}
        found["context"].update(self._gathered.context.known_facts())
        for rule in rules:
            for name, held in rule.values.objects.items():
                found[name].update(held)
        return dict(found)

    def _rule(self, rule_id: str) -> BoundRule:
        for rule in self._rules:
            if rule.rule.id == rule_id:
                return rule
        known = [rule.rule.id for rule in self._rules]
        raise UsageError(f"No ruleset in force has a rule {rule_id}.{near(rule_id, known)}")

    def _subjects(self, scope: Scope) -> Iterable[Subject]:
        if scope is Scope.SOURCE:
            blocks = self._gathered.context.blocks((), ()) or ()
            return [block for block in blocks if block.error is None]
        workspace = self._gathered.workspace.name
        return iter_subjects(self._gathered.plan, scope, workspace=workspace, data_types=None)

    def _subject(self, address: str | None, rule: BoundRule | None) -> tuple[Scope, Subject]:
        scopes = _ANY_SCOPE if rule is None else (rule.rule.scope,)
        if rule is None and address is None:
            scopes = (Scope.PLAN,)
        if scopes == (Scope.PLAN,):
            return Scope.PLAN, next(iter(self._subjects(Scope.PLAN)))
        if address is None:
            return scopes[0], self._selected(rule, scopes[0])
        for scope in scopes:
            for subject in self._subjects(scope):
                if subject.address == address:
                    return scope, subject
        known = [subject.address for scope in scopes for subject in self._subjects(scope)]
        raise UsageError(f"The plan has nothing with the address {address}.{near(address, known)}")

    def _selected(self, rule: BoundRule | None, scope: Scope) -> Subject:
        """Return the one subject that a rule selects."""
        assert rule is not None, "without a rule, no address is the plan"
        every = list(self._subjects(scope))
        context = self._gathered.context
        index = RuleIndex([rule], scope, evaluate_all=context.evaluate_all)
        found = every if scope is Scope.SOURCE else [s for s in every if index.select(s)]
        if len(found) == 1:
            return found[0]
        some = ", ".join(subject.address for subject in found[:_LISTED])
        raise UsageError(
            f"{rule.rule.id} is on one subject at a time: give --address."
            + (f" It selects {some}{' …' if len(found) > _LISTED else ''}." if found else "")
        )

    def addresses(self) -> list[str]:
        """Return the addresses of the subjects there are."""
        scopes = _ANY_SCOPE if self.rule is None else (self.rule.rule.scope,)
        found = [subject.address for scope in scopes for subject in self._subjects(scope)]
        return list(dict.fromkeys(found))

    @property
    def rule_ids(self) -> list[str]:
        """Ids of the rules in force."""
        return [rule.rule.id for rule in self._rules]

    @property
    def variables(self) -> list[str]:
        """Names that stand behind ``$`` here."""
        compiled = None if self.rule is None else self.rule.compiled
        lets: Collection[str] = () if compiled is None else {**compiled.shared, **compiled.let}
        return [*self._names.objects, *lets]

    def compile(self, text: str) -> Expression:
        """Compile an expression with the names that are in scope. Raises ``ConfigError``."""
        try:
            functions, variables = rule_functions(), self.variables
            expression = compile_expression(text, functions=functions, variables=variables)
        except ExpressionError as error:
            raise _refused(text, error.position, f"{error.message} {error.hint or ''}") from None
        for mistake in mistakes(expression):
            raise _refused(text, mistake.position, f"{mistake.message} {mistake.hint or ''}")
        known = {*self.document, *_CONSTANTS}
        for name in sorted({path[0] for path in expression.reads if path} - known):
            place = place_of(expression, name)
            raise _refused(text, place, f"{unknown_field(name, self.scope, text, place)}.")
        for path, column in expression.variables.items():
            held = self._names.objects.get(path[0])
            if len(path) > 1 and isinstance(held, dict) and path[1] not in held:
                what = f"${path[0]} has no {path[1]}{suggest(path[1], held)}."
                raise _refused(text, column or 0, what)
        return expression

    def evaluate(self, text: str) -> Any:
        """Return the value: what is not known ``UNKNOWN``, what must not be shown ``SENSITIVE``."""
        return self.compile(text).search(self.document, self._names)

    def why(self, text: str) -> list[Step]:
        """Return each part of an expression with its value."""
        return self.compile(text).trace(self.document, self._names)

    def complete(self, text: str) -> list[Offer]:
        """Return what may stand at the end of a text: fields, functions, variables."""
        word = re.search(r'(?:\w|[$"])*\Z', text, re.ASCII)
        start = word.start() if word else len(text)
        written = text[start:].strip('"')
        if written.startswith("$"):
            names = ((f"${name}", "") for name in self.variables)
            return [Offer(start, name, what) for name, what in names if name.startswith(written)]
        if text[:start].endswith("."):
            base = _PATH.search(text[: start - 1])
            value = self._value(text, base[0], base.start()) if base else None
            return list(_fields(value, written, start))
        inner = self._element(text[:start])
        fields = _fields(self.document if inner is None else inner, written, start)
        functions = (
            Offer(start, f"{function.name}(", function.signature)
            for function in sorted(rule_functions(), key=lambda function: function.name)
            if function.name.startswith(written)
        )
        return [*fields, *functions]

    def _value(self, text: str, path: str, start: int) -> Any:
        """Return what a path comes to: in a filter, of an element of its list."""
        holder = None if path.startswith("$") else self._element(text[:start])
        document = self.document if holder is None else holder
        try:
            variables = self.variables
            expression = compile_expression(path, functions=rule_functions(), variables=variables)
            return expression.search(document, self._names)
        except TfgateError:
            return None

    def _element(self, before: str) -> Any:
        """Return an element of the list whose filter is open at the end of a text."""
        opened = _open_filter(before)
        path = None if opened is None else _PATH.search(before[:opened])
        if opened is None or path is None:
            return None
        return _first(self._value(before, path[0], path.start()))


def _open_filter(text: str) -> int | None:
    """Return where the innermost ``[?`` stands that is not closed."""
    depth = 0
    for index in range(len(text) - 1, -1, -1):
        if text[index] == "]":
            depth += 1
        elif text[index] == "[":
            if not depth and text[index + 1 : index + 2] == "?":
                return index
            depth -= bool(depth)
    return None


def _first(value: Any) -> Any:
    while isinstance(value, (Maybe, list)):
        value = value.value if isinstance(value, Maybe) else value[0] if value else {}
    return value


def _fields(value: Any, written: str, start: int) -> Iterator[Offer]:
    value = _first(value)
    if isinstance(value, dict):
        for name in sorted(value):
            if name.startswith(written):
                plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
                yield Offer(start, name if plain else json.dumps(name), type_of(value[name]))


_TYPES: Final = {bool: "boolean", int: "number", float: "number", str: "string",
                 type(None): "null"}  # fmt: skip


def type_of(value: Any) -> str:
    """Return the type of a value: ``list of 3 objects``, ``object with 2 fields``, ``string``."""
    if isinstance(value, Maybe):
        return type_of(value.value)
    if isinstance(value, Unknown):
        return "sensitive" if value.sensitive else "known after apply"
    if isinstance(value, dict):
        return f"object with {len(value)} field{'' if len(value) == 1 else 's'}"
    if isinstance(value, list):
        kinds = {type_of(part).split(" with ")[0] for part in value}
        of = f"{kinds.pop()}" if len(kinds) == 1 else "value"
        of = of if of.startswith("list of") else f"{of}{'' if len(value) == 1 else 's'}"
        return f"list of {len(value)} {of}" if value else "empty list"
    return _TYPES.get(type(value), "value")


def _refused(text: str, position: int, message: str) -> ConfigError:
    column = min(position, len(text)) + 1
    return ConfigError([Problem("expression", message.rstrip(), column=column, excerpt=text)])
