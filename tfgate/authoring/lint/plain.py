"""Checks that need no schema: what nothing uses, and rules that say the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.authoring.lint.walk import near
from tfgate.query.parsing import flattened
from tfgate.query.unparse import unparse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.authoring.lint.findings import Reporter
    from tfgate.model.rule import Rule
    from tfgate.query import Expression
    from tfgate.ruleset import CompiledRule, Ruleset
    from tfgate.ruleset.problems import KeyPath
    from tfgate.schema import Block, Catalog


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
    """Return what a rule selects and asks, the same for rules that say the same in other words."""
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


_KEYS = ("change", "drift")


def check_examples(rule: Rule, catalog: Catalog, report: Reporter) -> None:
    """Report attributes of examples that their type has not, and blocks that are no lists."""
    for number, test in enumerate(rule.tests):
        for at, table in _changes(test.subject, ("tests", number)):
            kind = table.get("type") or _only_type(rule)
            data = table.get("mode") == "data"
            block = catalog.get(kind, data=data) if isinstance(kind, str) else None
            if block is None or not isinstance(kind, str):
                continue
            for side in ("before", "after"):
                values = table.get(side)
                if isinstance(values, dict):
                    for message in _odd(values, block, kind, ""):
                        report.add("example-attribute", message, (*at, side))
            for message in _odd_paths(table, block, kind):
                report.add("example-attribute", message, at)


def _only_type(rule: Rule) -> str | None:
    return rule.match.types[0] if rule.match.types else None


def _changes(subject: dict[str, Any], at: KeyPath) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    for key in _KEYS:
        table = subject.get(key)
        if isinstance(table, dict):
            yield (*at, key), table
    others = subject.get("changes")
    for number, table in enumerate(others if isinstance(others, list) else []):
        if isinstance(table, dict) and table.get("type"):
            yield (*at, "changes", number), table


def _odd(values: dict[str, Any], block: Block, kind: str, path: str) -> Iterator[str]:
    for name, value in values.items():
        here = f"{path}.{name}" if path else name
        nested = block.blocks.get(name)
        if name not in block.names:
            yield f"{kind} has no {here}{near(name, block)}"
        elif nested is not None and nested.mode in {"list", "set"}:
            if isinstance(value, dict):
                yield f"{here} of {kind} is a list of blocks: write [{{ … }}]"
            elif isinstance(value, list):
                for part in value:
                    if isinstance(part, dict):
                        yield from _odd(part, nested.block, kind, f"{here}[]")
        elif nested is not None and isinstance(value, dict) and nested.mode != "map":
            yield from _odd(value, nested.block, kind, here)


def _odd_paths(table: dict[str, Any], block: Block, kind: str) -> Iterator[str]:
    """Check the beginnings of the paths in ``unknown``, ``null`` and ``sensitive``."""
    for key in ("unknown", "null", "sensitive", "before_null"):
        for path in table.get(key, ()):
            name = str(path).partition(".")[0].partition("[")[0].strip('"')
            if name not in block.names:
                yield f"{kind} has no {name}, which {key} names{near(name, block)}"
