"""The variables that expressions of a ruleset may name, and the expressions compiled with them.

``$params``, ``$data`` and ``$context`` are objects, and each name below them must be declared. Any
other variable is an entry of the rule's ``let``, or of the ruleset's ``[let]``, which every rule
sees. (A ``let $x = … in …`` inside an expression binds others; these are the expression's own.)
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tfgate.model import Frozen
from tfgate.query import Expression, ExpressionError
from tfgate.query import compile as compile_expression
from tfgate.query import tree as ast
from tfgate.query.mistakes import mistakes
from tfgate.ruleset.facts import known_facts
from tfgate.ruleset.files import show_excerpt
from tfgate.ruleset.problems import show_name, suggest
from tfgate.ruleset.retired import retired_calls

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    from tfgate.query import FunctionTable
    from tfgate.query.tree import Tree
    from tfgate.ruleset.params import ParamSpec
    from tfgate.ruleset.problems import KeyPath, Problems

OBJECTS: Final = ("params", "data", "context")
"""Variables that are there in every rule."""
_WHAT: Final = {
    "params": "parameter of [params]",
    "data": "data file of [data]",
    "context": "fact of the run: declare it under [context]",
}
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Names(Frozen, frozen=True):
    """What the expressions of a ruleset may name."""

    params: Mapping[str, ParamSpec]
    data: Mapping[str, Any]
    """Of each data file its `DataFile`, ``None`` where the configuration has yet to name it."""
    context: Mapping[str, ParamSpec] = {}
    let: Mapping[str, Expression] = {}
    """Of the ruleset's own ``[let]``."""
    functions: FunctionTable | None = None

    def of(self, name: str) -> Collection[str]:
        """Return what is below ``$params``, ``$data`` or ``$context``."""
        if name == "context":
            return known_facts(self.context)
        return self.params if name == "params" else self.data

    def compile(
        self, text: str, let: Collection[str], at: KeyPath, problems: Problems
    ) -> Expression | None:
        """Compile an expression that may name the variables ``let`` as well.

        Each mistake is recorded. ``None`` where there is no expression to go on with.
        """
        try:
            variables = {*OBJECTS, *self.let, *let}
            expression = compile_expression(text, functions=self.functions, variables=variables)
        except ExpressionError as error:
            retired = list(retired_calls(text))
            for call in retired:
                add_at(call.message, text, call.start, at, problems)
            if not retired:
                add_error(error, text, at, problems)
            return None
        for mistake in mistakes(expression):
            add_error(mistake, text, at, problems)
        self._check_members(expression, at, problems)
        return expression

    def _check_members(self, expression: Expression, at: KeyPath, problems: Problems) -> None:
        text = expression.text
        for path, column in expression.variables.items():
            name, *below = path
            if name not in OBJECTS or len(below) != 1 or below[0] in self.of(name):
                continue
            member = below[0]
            message = f"${name}.{show_name(member)} is no {_WHAT[name]}"
            add_at(message + suggest(member, self.of(name)), text, column or 0, at, problems)
        for name, column in _bare(expression.node.tree):
            message = f"${name} needs a name behind it, as in ${name}.limit"
            add_at(message, text, column or 0, at, problems)

    def compile_let(
        self, texts: Mapping[str, str], problems: Problems, prefix: KeyPath = ("let",)
    ) -> dict[str, Expression]:
        """Compile a ``let`` table, whose entries may name each other but not in a circle."""
        compiled = {}
        for name, text in texts.items():
            self._check_name(name, (*prefix, name), problems)
            expression = self.compile(text, texts, (*prefix, name), problems)
            if expression is not None:
                compiled[name] = expression
        cycle = _find_cycle({name: set(named_in(e)) for name, e in compiled.items()})
        if cycle:
            chain = " → ".join(f"${name}" for name in cycle)
            problems.add(f"refers to itself: {chain}", (*prefix, cycle[0]))
        return compiled

    def _check_name(self, name: str, at: KeyPath, problems: Problems) -> None:
        if name in OBJECTS:
            problems.add(f"${name} is tfgate's own: give this value another name", at)
        elif name in self.let:
            problems.add(f"${name} is in the ruleset's [let] already: use another name", at)
        elif not _VARIABLE.fullmatch(name):
            problems.add("the name of a variable has letters, digits and _, no -", at)


def _bare(tree: Tree) -> Iterator[tuple[str, int | None]]:
    """Yield where one of the objects stands without a field behind it."""
    if isinstance(tree, ast.Variable) and tree.name in OBJECTS:
        yield tree.name, tree.column
    parts = ast.children(tree)
    if isinstance(tree, ast.Subexpression) and isinstance(_first_of(parts[1]), ast.Field):
        parts = parts[1:] if isinstance(parts[0], ast.Variable) else parts
    for part in parts:
        yield from _bare(part)


def _first_of(tree: Tree) -> Tree:
    """Return what a part begins with: ``a`` of ``a[0].b``."""
    match tree:
        case ast.Indexed() | ast.Projection() | ast.FilterProjection() | ast.ValueProjection():
            return _first_of(tree.base)
        case ast.Flatten():
            return _first_of(tree.base)
        case ast.Subexpression():
            return _first_of(tree.parts[0])
    return tree


def given_to(expression: Expression) -> set[str]:
    """Return the variables that an expression was compiled with and names."""
    return {path[0] for path in expression.variables}


def named_in(expression: Expression) -> Iterator[str]:
    """Yield the entries of ``let`` tables that an expression names."""
    for path in expression.variables:
        if len(path) == 1 and path[0] not in OBJECTS:
            yield path[0]


def used_of(
    let: Mapping[str, Expression], expressions: Iterable[Expression]
) -> dict[str, Expression]:
    """Return the entries that expressions name, and those that these name."""
    used: dict[str, Expression] = {}
    pending = [name for expression in expressions for name in named_in(expression)]
    while pending:
        name = pending.pop()
        if name in let and name not in used:
            used[name] = let[name]
            pending += named_in(let[name])
    return used


def add_error(error: ExpressionError, text: str, at: KeyPath, problems: Problems) -> None:
    """Record what is wrong with an expression, at its place in the text."""
    message = f"{error.message} ({error.hint})" if error.hint else error.message
    if not 0 <= error.position <= len(text):
        problems.add(message, at)
        return
    add_at(message, text, error.position, at, problems)


def add_at(message: str, text: str, position: int, at: KeyPath, problems: Problems) -> None:
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
