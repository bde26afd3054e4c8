"""A rule with its expressions compiled and its message parsed, every name in them checked."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tfgate.errors import RulesetError
from tfgate.model import Frozen
from tfgate.model.text import late
from tfgate.query.mistakes import mistakes, place_of
from tfgate.query.traps import misplaced_fields
from tfgate.ruleset.facts import check_example_context
from tfgate.ruleset.fields import CONSTANTS, unknown_field
from tfgate.ruleset.names import Names, add_at, add_error, used_of
from tfgate.ruleset.params import check_known, check_params
from tfgate.ruleset.problems import Problems
from tfgate.ruleset.scopes import ROOTS
from tfgate.ruleset.template import ITEM, Template, TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from tfgate.model.rule import Rule
    from tfgate.query import Expression
    from tfgate.ruleset.given import Given
    from tfgate.ruleset.problems import KeyPath


class Parts(Frozen, frozen=True):
    """What of a rule is evaluated."""

    deny: Expression | None
    require: Expression | None
    when: Expression | None
    let: Mapping[str, Expression]
    shared: Mapping[str, Expression]
    """Entries of the ruleset's own ``[let]`` that the rule uses."""
    message: Template
    remediation: Template | None


class CompiledRule:
    """A rule as the engine evaluates it.

    ``parts`` may be what makes them: then that is called when one of them is first asked for. Of a
    large ruleset, most rules are on types that a plan has none of.
    """

    def __init__(
        self, rule: Rule, parts: Parts | Callable[[], Parts], *, overridable: bool = False
    ) -> None:
        self.rule = rule
        self.overridable = overridable
        """Whether the configuration may lower the enforcement level."""
        self._made = parts

    @property
    def id(self) -> str:
        """The rule's id."""
        return self.rule.id

    @property
    def parts(self) -> Parts:
        """Expressions and message."""
        made = self._made
        if not isinstance(made, Parts):
            made = self._made = made()
        return made

    @property
    def deny(self) -> Expression | None:
        """What must not be true."""
        return self.parts.deny

    @property
    def require(self) -> Expression | None:
        """What must be true."""
        return self.parts.require

    @property
    def when(self) -> Expression | None:
        """What must be true for the rule to apply."""
        return self.parts.when

    @property
    def let(self) -> Mapping[str, Expression]:
        """Values by name."""
        return self.parts.let

    @property
    def shared(self) -> Mapping[str, Expression]:
        """Values by name that the ruleset gives all its rules, those that this one uses."""
        return self.parts.shared

    @property
    def message(self) -> Template:
        """What a finding says."""
        return self.parts.message

    @property
    def remediation(self) -> Template | None:
        """How to fix it."""
        return self.parts.remediation

    def changed(self, rule: Rule | None = None, /, **parts: Any) -> CompiledRule:
        """Return the same with another rule, or other parts."""
        made = replace(self.parts, **parts) if parts else self.parts
        return CompiledRule(rule or self.rule, made, overridable=self.overridable)

    def expressions(self) -> Iterator[tuple[str, Expression]]:
        """Return every expression of its own that decides, with its key: ``deny``, ``let.x``."""
        for key, expression in (
            ("when", self.when),
            ("deny", self.deny),
            ("require", self.require),
        ):
            if expression is not None:
                yield key, expression
        for name, expression in self.let.items():
            yield f"let.{name}", expression

    def deciding(self) -> Iterator[Expression]:
        """Return every expression that decides, those of the ruleset included."""
        yield from (expression for _, expression in self.expressions())
        yield from self.shared.values()

    def shown(self) -> Iterator[Expression]:
        """Return every expression of its message and remediation."""
        for template in (self.message, self.remediation):
            if template is not None:
                yield from (placeholder.expression for placeholder in template.placeholders)


def compile_rule(
    rule: Rule, names: Names, problems: Problems, *, overridable: bool
) -> CompiledRule:
    """Compile a rule; each mistake is recorded, and what is wrong is left out of the result."""
    for number, test in enumerate(rule.tests):
        check_params(names.params, test.params, ("tests", number, "params"), problems)
        at = ("tests", number, "context")
        check_example_context(names.context, test.context, at, problems)
        check_known(names.data, test.data, ("tests", number, "data"), problems)
    return CompiledRule(rule, _compile(rule, names, problems), overridable=overridable)


def compile_later(rule: Rule, names: Names, *, overridable: bool) -> CompiledRule:
    """Return a rule that is compiled when it is used, for rules that were checked before.

    Using it raises ``RulesetError`` where there is a mistake in it after all.
    """

    def compile_now() -> Parts:
        found = Problems(rule.file)
        parts = _compile(rule, names, found, checked=True)
        if found:
            raise RulesetError(found.done())
        return parts

    return CompiledRule(rule, compile_now, overridable=overridable)


def _compile(rule: Rule, names: Names, problems: Problems, *, checked: bool = False) -> Parts:
    """Compile what a rule has; of one that was ``checked`` before, elements are no question."""
    builder = _Builder(names, rule, problems, checked=checked)
    let = builder.let = names.compile_let(rule.let, problems)
    deny, require, when = (
        builder.expression(getattr(rule, key), (key,)) for key in ("deny", "require", "when")
    )
    for name, expression in let.items():
        builder.check_words(expression, ("let", name))
    message = builder.template(rule.message, ("message",))
    remediation = rule.remediation and builder.template(rule.remediation, ("remediation",))
    deciding = [each for each in (deny, require, when, *let.values()) if each is not None]
    shown = [each.expression for each in message.placeholders]
    shown += [each.expression for each in (remediation.placeholders if remediation else ())]
    shared = used_of(names.let, [*deciding, *shown])
    for name, expression in shared.items():
        builder.check_shared(name, expression)
    return Parts(deny, require, when, let, shared, message, remediation or None)


class _Builder:
    """Compiles the texts of one rule."""

    def __init__(self, names: Names, rule: Rule, problems: Problems, *, checked: bool) -> None:
        self._names = names
        self._checked = checked
        self._rule = rule
        self._problems = problems
        self.let: Mapping[str, Expression] = {}

    def expression(self, text: str | None, at: KeyPath) -> Expression | None:
        if text is None:
            return None
        expression = self._names.compile(text, self._rule.let, at, self._problems)
        if expression is not None:
            self.check_words(expression, at)
        return expression

    def check_words(self, expression: Expression, at: KeyPath) -> None:
        """A field that no subject has is null always: a rule on it would never fire."""
        text = expression.text
        reported = {mistake.position for mistake in mistakes(expression)}
        for place, message in self._strange(expression):
            if place not in reported:
                add_at(message, text, place, at, self._problems)
        for match in _BARE_BOOLEAN.finditer(text):
            if match["word"] is not None:
                word = match["word"]
                message = f"{word} is a field here: write the literal `{CONSTANTS.get(word, word)}`"
                add_at(message, text, match.start(), at, self._problems)

        if not self._checked:
            self._check_elements(expression, at)

    def _check_elements(self, expression: Expression, at: KeyPath) -> None:
        """A field of the subject is null where it is asked of a string or a number."""
        fields = ROOTS[self._rule.scope]
        for mistake in misplaced_fields(expression, fields, self._given, self._names.functions):
            add_error(mistake, expression.text, at, self._problems)

    def _given(self) -> Given:
        from tfgate.ruleset.given import Given  # 5 ms: docs/performance.md

        names = self._names
        return Given({**names.let, **self.let}, names.params, names.context, names.data)

    def _strange(
        self, expression: Expression, besides: Collection[str] = ()
    ) -> Iterator[tuple[int, str]]:
        """Yield where a name stands that is no field of the subject, and what is wrong."""
        scope = self._rule.scope
        known = ROOTS[scope] | {*_WORKS_AS_LITERAL, *_NO_LITERAL, *besides}
        for name in sorted({path[0] for path in expression.reads if path} - known):
            place = place_of(expression, name)
            yield place, unknown_field(name, scope, expression.text, place)

    def check_shared(self, name: str, expression: Expression) -> None:
        """An entry of the ruleset's ``[let]`` reads what the subject of this rule has."""
        for _, message in self._strange(expression):
            self._problems.add(f"${name}, which the rule uses: {message}")

    def template(self, text: str, at: KeyPath) -> Template:
        """Parse a message or remediation."""
        try:
            return Template.parse(
                text, partial(self._placeholder, text, at), prose=at[0] != "message"
            )
        except TemplateError as error:
            add_at(str(error), text, error.position, at, self._problems)
            return Template("", ())

    def _placeholder(
        self, text: str, at: KeyPath, written: str, position: int
    ) -> tuple[Expression, frozenset[tuple[str, ...]]] | None:
        found = Problems(self._problems.file)
        expression = self._names.compile(written, self._rule.let, at, found)
        mistakes = [(problem.message, (problem.column or 1) - 1) for problem in found.found]
        if expression is not None:
            mistakes += self._unfit(expression)
        for message, column in mistakes:
            add_at(message, text, position + column, at, self._problems)
        if expression is None:
            return None
        used = used_of({**self._names.let, **self.let}, [expression])
        return expression, expression.reads.union(*[each.reads for each in used.values()])

    def _unfit(self, expression: Expression) -> Iterator[tuple[str, int]]:
        """Yield what keeps an expression out of a message, with its column."""
        fields = {path[0] for path in expression.reads if path}
        if ITEM in fields and self._rule.deny is None and self._rule.require is not None:
            yield "{@item} is an element of a deny list, and this rule has none", 0
        for place, message in self._strange(expression, (ITEM,)):
            is_item = self._rule.deny is not None and "did you mean" not in message
            yield message + (_ITEM_MEANT if is_item else ""), place
        for function in sorted(expression.functions & JOINS):
            message = f"{function}() looks through the whole plan: give its result a name in let"
            yield message, expression.text.find(function)


JOINS = frozenset(
    {"references", "referenced_by", "configured", "left_to_provider", "literal_secrets"}
)
"""Functions that a message does not call: each finding would look through the plan once more. What
a ``let`` found is found once for a subject."""
_ITEM_MEANT = " ({@item} is the element of the deny list)"
_WORKS_AS_LITERAL = {"null"}
"""JMESPath has no keyword null: it is a field that no subject has, so it is null all the same."""
_NO_LITERAL = {"true", "false", *CONSTANTS}
"""No keywords either: what is compared with such a field is compared with null."""
_BARE_BOOLEAN = late(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`"""
    r"""|(?<![\w.$])(?P<word>true|false|True|TRUE|False|FALSE|None|nil|NULL|Null|undefined)"""
    r"""(?![\w(]|\s*:)""",
    re.DOTALL,
)
"""Skips what is quoted; ``word`` is a bare ``true`` or ``false`` that is no step or key."""
