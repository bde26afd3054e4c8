"""A rule with its expressions compiled and its message parsed, every name in them checked."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tfgate.errors import RulesetError
from tfgate.model import Frozen
from tfgate.model.rule import Scope
from tfgate.model.text import late
from tfgate.query import ExpressionError
from tfgate.query import compile as compile_expression
from tfgate.query.mistakes import mistakes, place_of
from tfgate.ruleset.facts import check_example_context, known_facts
from tfgate.ruleset.fields import CONSTANTS, unknown_field
from tfgate.ruleset.files import show_excerpt
from tfgate.ruleset.params import check_known, check_params
from tfgate.ruleset.problems import Problems, show_name, suggest
from tfgate.ruleset.scopes import ROOTS
from tfgate.ruleset.template import Template, TemplateError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from tfgate.model.rule import Rule
    from tfgate.query import Expression, FunctionTable
    from tfgate.ruleset.params import ParamSpec
    from tfgate.ruleset.problems import KeyPath


class Parts(Frozen, frozen=True):
    """What of a rule is evaluated."""

    deny: Expression | None
    require: Expression | None
    when: Expression | None
    let: Mapping[str, Expression]
    message: Template


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
    def message(self) -> Template:
        """What a finding says."""
        return self.parts.message

    def changed(self, rule: Rule | None = None, /, **parts: Any) -> CompiledRule:
        """Return the same with another rule, or other parts."""
        made = replace(self.parts, **parts) if parts else self.parts
        return CompiledRule(rule or self.rule, made, overridable=self.overridable)

    def expressions(self) -> Iterator[tuple[str, Expression]]:
        """Return every expression with the key it stands under: ``deny``, ``when``, ``let.x``."""
        for key, expression in (
            ("when", self.when),
            ("deny", self.deny),
            ("require", self.require),
        ):
            if expression is not None:
                yield key, expression
        for name, expression in self.let.items():
            yield f"let.{name}", expression


class Names(Frozen, frozen=True):
    """What the functions of an expression may name."""

    params: Mapping[str, ParamSpec]
    data: Collection[str]
    context: Mapping[str, ParamSpec] = {}
    functions: FunctionTable | None = None


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
        parts = _compile(rule, names, found)
        if found:
            raise RulesetError(found.done())
        return parts

    return CompiledRule(rule, compile_now, overridable=overridable)


def _compile(rule: Rule, names: Names, problems: Problems) -> Parts:
    builder = _Builder(names, rule, problems)
    return Parts(
        deny=builder.expression(rule.deny, ("deny",)),
        require=builder.expression(rule.require, ("require",)),
        when=builder.expression(rule.when, ("when",)),
        let=builder.let(),
        message=_template(rule, problems),
    )


class _Builder:
    def __init__(self, names: Names, rule: Rule, problems: Problems) -> None:
        self._known: dict[str, Collection[str]] = {
            "param": names.params,
            "data": names.data,
            "var": rule.let,
            "context": known_facts(names.context),
        }
        self._functions = names.functions
        self._rule = rule
        self._problems = problems
        self._uses: dict[str, set[str]] = {}
        """For each ``let`` name, the names that its expression uses."""

    def let(self) -> dict[str, Expression]:
        compiled = {}
        for name, text in self._rule.let.items():
            expression = self.expression(text, ("let", name))
            if expression is not None:
                compiled[name] = expression
                self._uses[name] = {
                    arg for call, arg in _named(expression) if call == "var" and arg
                }
        cycle = _find_cycle(self._uses)
        if cycle:
            chain = " → ".join(show_name(name) for name in cycle)
            self._problems.add(f"refers to itself: {chain}", ("let", cycle[0]))
        return compiled

    def expression(self, text: str | None, at: KeyPath) -> Expression | None:
        if text is None:
            return None
        try:
            expression = compile_expression(text, functions=self._functions)
        except ExpressionError as error:
            _add_expression_error(error, text, at, self._problems)
            return None
        found = mistakes(expression)
        for mistake in found:
            _add_expression_error(mistake, text, at, self._problems)
        for function, name in _named(expression):
            self._check_name(function, name, at)
        self._check_words(expression, at, {mistake.position for mistake in found})
        return expression

    def _check_words(self, expression: Expression, at: KeyPath, reported: set[int]) -> None:
        """A field that no subject has is null always: a rule on it would never fire."""
        scope, text = self._rule.scope, expression.text
        known = ROOTS[scope] | {*_WORKS_AS_LITERAL, *_NO_LITERAL}
        for name in sorted({path[0] for path in expression.reads if path} - known):
            place = place_of(expression, name)
            if place not in reported:
                _add_at(unknown_field(name, scope, text, place), text, place, at, self._problems)
        for match in _BARE_BOOLEAN.finditer(text):
            if match["word"] is not None:
                word = match["word"]
                message = f"{word} is a field here: write the literal `{CONSTANTS.get(word, word)}`"
                _add_at(message, text, match.start(), at, self._problems)

    def _check_name(self, function: str, name: str | None, at: KeyPath) -> None:
        known = self._known[function]
        what = _WHAT[function]
        if name is None:
            self._problems.add(
                f"{function}() needs its name written out, as in {function}('name')", at
            )
        elif name not in known:
            self._problems.add(
                f"{function}({show_name(name)}) names no {what}{suggest(name, known)}", at
            )


_WORKS_AS_LITERAL = {"null"}
"""JMESPath has no keyword null: it is a field that no subject has, so it is null all the same."""
_NO_LITERAL = {"true", "false", *CONSTANTS}
"""No keywords either: what is compared with such a field is compared with null."""
_BARE_BOOLEAN = late(
    r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`"""
    r"""|(?<![\w.])(?P<word>true|false|True|TRUE|False|FALSE|None|nil|NULL|Null|undefined)(?![\w(]|\s*:)""",
    re.DOTALL,
)
"""Skips what is quoted; ``word`` is a bare ``true`` or ``false`` that is no step or key."""
_WHAT = {
    "param": "parameter of [params]",
    "data": "data file of [data]",
    "var": "expression of the rule's let",
    "context": "fact of the run: declare it under [context]",
}


def _named(expression: Expression) -> Iterator[tuple[str, str | None]]:
    """Return each call of a function that takes a declared name, with the name if it is literal."""
    for function, args in expression.calls:
        if function in _WHAT:
            name = args[0] if args else None
            yield function, name if isinstance(name, str) else None


def _add_expression_error(error: Exception, text: str, at: KeyPath, problems: Problems) -> None:
    position = getattr(error, "position", None)
    message = str(getattr(error, "message", error))
    hint = getattr(error, "hint", None)
    message = f"{message} ({hint})" if hint else message
    if not isinstance(position, int) or not 0 <= position <= len(text):
        problems.add(message, at)
        return
    _add_at(message, text, position, at, problems)


def _add_at(message: str, text: str, position: int, at: KeyPath, problems: Problems) -> None:
    """Record a mistake at a place in a string; of a string of several lines, that line is shown."""
    before = text[:position]
    number = before.count("\n")
    column = position - (before.rfind("\n") + 1) + 1
    if number:
        message += f" (line {number + 1} of the text)"
    excerpt = show_excerpt(text.split("\n")[number], column)
    problems.add(message, at, column=column, excerpt=excerpt)


def _find_cycle(uses: Mapping[str, Collection[str]]) -> list[str] | None:
    """Return one cycle of names, first name repeated at the end; ``None`` where there is none."""
    done: set[str] = set()
    for start in uses:
        path: list[str] = []
        pending = [(start, 0)]
        while pending:
            name, depth = pending.pop()
            del path[depth:]
            if name in path:
                return [*path[path.index(name) :], name]
            if name in done:
                continue
            path.append(name)
            successors = sorted(used for used in uses.get(name, ()) if used in uses)
            pending += [(used, depth + 1) for used in successors]
            if not successors:
                done.add(name)
        done.update(path)
    return None


def _template(rule: Rule, problems: Problems) -> Template:
    try:
        template = Template.parse(rule.message, ROOTS[rule.scope])
    except TemplateError as error:
        hint = "" if rule.scope is Scope.RESOURCE else f" in scope {rule.scope}"
        _add_at(f"{error}{hint}", rule.message, error.position, ("message",), problems)
        return Template("", ())
    if template.reads_item and rule.deny is None and rule.require is not None:
        problems.add("{@item} is an element of a deny list, and this rule has none", ("message",))
    return template
