"""Checks that need no schema: what nothing uses, and rules that say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.query.parsing import flattened
from tfgate.query.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.app.lint.report import Reporter
    from tfgate.query import Expression
    from tfgate.ruleset import CompiledRule, Ruleset

_SIGNS = {"eq": "eq", "ne": "ne", "lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte"}
_OPPOSITE = {"eq": "ne", "ne": "eq"}


def check_unused(ruleset: Ruleset, report: Reporter) -> None:
    """Report parameters and data files that no rule uses."""
    used = {
        (name, arguments[0])
        for rule in ruleset.rules
        for _, expression in rule.expressions()
        for name, arguments in expression.calls
        if arguments
    }
    for function, key, declared in (
        ("param", "params", ruleset.params),
        ("data", "data", ruleset.data),
    ):
        for name in declared:
            if (function, name) not in used:
                report.add("unused", f"no rule calls {function}('{name}')", (key, name), rule="")


def check_unused_let(rule: CompiledRule, report: Reporter) -> None:
    """Report let values that nothing asks for, directly or through others."""
    wanted = set(_variables(e for key, e in rule.expressions() if not key.startswith("let.")))
    while True:
        more = wanted | set(_variables(rule.let[name] for name in wanted if name in rule.let))
        if more == wanted:
            break
        wanted = more
    for name in rule.rule.let:
        if name not in wanted:
            report.add("unused", f"nothing calls var('{name}')", ("let", name))


def _variables(expressions: Iterable[Expression]) -> Iterator[Any]:
    for expression in expressions:
        for name, arguments in expression.calls:
            if name == "var" and arguments:
                yield arguments[0]


def signature(rule: CompiledRule) -> tuple[Any, ...] | None:
    """Give what a rule selects and asks, the same for rules that say the same in other words."""
    expression = rule.deny or rule.require
    if expression is None:
        return None
    match = rule.rule.match
    selects = tuple(
        tuple(sorted(map(str, values)))
        for values in (
            match.types, match.actions, match.modes, match.modules, match.providers,
            match.addresses, match.names, match.blocks,
        )
    )  # fmt: skip
    asks = _canonical(expression.node.ast, negated=rule.deny is None)
    when = _canonical(rule.when.node.ast, negated=False) if rule.when else ""
    lets = tuple(sorted((name, unparse(e.node.ast)) for name, e in rule.let.items()))
    return (rule.rule.scope, selects, when, asks, lets)


def _canonical(node: Any, *, negated: bool) -> str:
    kind = node["type"]
    if kind == "not_expression":
        return _canonical(node["children"][0], negated=not negated)
    if kind in {"and_expression", "or_expression"}:
        parts = sorted({_canonical(part, negated=negated) for part in flattened(node)})
        together = (kind == "and_expression") is not negated
        return f"({(' && ' if together else ' || ').join(parts)})"
    if kind == "comparator":
        return _comparison(node, negated=negated)
    return f"{'!' if negated else ''}{unparse(node)}"


def _comparison(node: Any, *, negated: bool) -> str:
    sign = node["value"]
    left, right = (unparse(part) for part in node["children"])
    if negated and sign in _OPPOSITE:
        sign, negated = _OPPOSITE[sign], False
    if left > right:
        left, right, sign = right, left, _SIGNS[sign]
    return f"{'!' if negated else ''}{left} {sign} {right}"


def check_overlaps(rules: list[tuple[CompiledRule, Reporter, Any]]) -> None:
    """Report a rule that selects and asks what a rule before it does."""
    first: dict[Any, CompiledRule] = {}
    for rule, report, prefix in rules:
        said = signature(rule)
        if said is None:
            continue
        before = first.setdefault(said, rule)
        if before is not rule:
            report.start(rule.id, prefix, {})
            where = f"{before.rule.file}:{before.rule.line}"
            message = f"selects and asks the same as {before.id} ({where})"
            report.add("overlapping-rules", message)
