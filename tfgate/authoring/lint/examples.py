"""Checks against a rule's examples: their attributes, and nulls and unknowns that none shows."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tfgate.authoring.lint.findings import Reporter, did_you_mean
from tfgate.query.values import EMPTY_LIST, EMPTY_OBJECT, EMPTY_STRING, FALSE, NULL
from tfgate.ruleset.problems import nearest
from tfgate.schema.index import COMPUTED

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.authoring.lint.walk import Run
    from tfgate.model.rule import Rule
    from tfgate.query.shapes import Shape
    from tfgate.query.shapes.env import Compared
    from tfgate.ruleset import CompiledRule
    from tfgate.ruleset.problems import KeyPath
    from tfgate.schema import Block, Catalog

_LIKE_NULL = frozenset({FALSE, EMPTY_STRING, EMPTY_LIST, EMPTY_OBJECT})
_ORDERINGS = frozenset({"<", "<=", ">", ">="})


def check_nulls(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    """Report comparisons that null passes, and computed attributes that nothing considers."""
    _null_passes(rule, runs, report)
    _unconsidered(rule, runs, report)


def is_computed(shape: Shape) -> bool:
    """Return whether the provider gives the value where nobody else does."""
    return bool(shape.note is not None and shape.note.has(COMPUTED))


def _null_passes(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    of_deny = rule.deny is not None
    guarded = _null_is_asked_for(runs)
    for run in runs:
        for key, inference in run.found:
            if key == "when":
                continue
            for compared in inference.compared:
                if compared.path in guarded or not _is_blind(compared, of_deny=of_deny):
                    continue
                if _is_asked_for(rule, compared.path) or _example_shows_null(rule, compared.path):
                    continue
                message = (
                    f"where {compared.path} is left out, {compared.text} lets it pass; say what "
                    "holds then, and show it with an example without it"
                )
                report.at("null-passes", message, key, compared.position)


def _is_blind(compared: Compared, *, of_deny: bool) -> bool:
    shape = compared.shape
    if compared.polarity is None or not shape.why_null or is_computed(shape):
        return False
    fails_if_true = compared.polarity is of_deny
    if compared.sign in _ORDERINGS:
        return fails_if_true  # with null it is null, and so false
    if compared.sign not in {"==", "!="} or compared.other.mask not in _LIKE_NULL:
        return False
    # Null is mostly the same as false, "" or []: who fails these means null too.
    return fails_if_true is (compared.sign == "==")


def _null_is_asked_for(runs: list[Run]) -> set[str]:
    return {
        compared.path
        for run in runs
        for _, inference in run.found
        for compared in inference.compared
        if compared.other.mask == NULL
    }


def _is_asked_for(rule: CompiledRule, path: str) -> bool:
    """Return whether an expression of the rule asks for the block's silence, or for falsehood."""
    argument = re.sub(r"\[\d*\]", "", path).partition(".")[2]
    for _, expression in rule.expressions():
        for name, arguments in expression.calls:
            if name in {"left_to_provider", "configured"} and arguments == (argument,):
                return True
        if re.search(rf"!\(?{re.escape(path)}\b(?!\.|\[)", expression.text):
            return True
    return False


def _example_shows_null(rule: CompiledRule, path: str) -> bool:
    return any(_leaves_out(test.subject, path) for test in rule.rule.tests)


def _leaves_out(subject: dict[str, Any], path: str) -> bool:
    root = subject.get("change") or subject.get("drift") or {}
    if any(_plain(path) == _plain(f"after.{unknown}") for unknown in root.get("unknown", ())):
        return False
    return _is_absent(root, re.findall(r"[A-Za-z_][A-Za-z0-9_]*|\[\d*\]", path))


def _plain(path: str) -> str:
    return re.sub(r"\[\d*\]", "", path)


def _is_absent(value: Any, steps: list[str]) -> bool:
    if not steps:
        return value is None
    step, *rest = steps
    if step.startswith("["):
        if not isinstance(value, list):
            return value is None
        elements = value if step == "[]" else value[int(step[1:-1]) :][:1]
        return not elements or any(_is_absent(element, rest) for element in elements)
    if isinstance(value, list):
        return any(_is_absent(element, steps) for element in value)
    return not isinstance(value, dict) or _is_absent(value.get(step), rest)


def _unconsidered(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    if rule.rule.on_unknown is not None or _shows_unknown(rule):
        return
    for run in runs:
        for key, inference in run.found:
            for read in inference.reads:
                if not read.path.startswith("after") or not is_computed(read.shape):
                    continue
                if _is_asked_for(rule, read.path):
                    continue
                message = (
                    f"{read.path} is computed by the provider, and may be known only after the "
                    'apply: write on_unknown, or an example with expect = "unknown"'
                )
                report.at("unknown-unconsidered", message, key, read.part[0])
                return


def _shows_unknown(rule: CompiledRule) -> bool:
    for test in rule.rule.tests:
        subject = test.subject.get("change") or test.subject.get("drift") or {}
        marked = isinstance(subject, dict) and (
            subject.get("unknown") or subject.get("after_unknown") or subject.get("refers_to")
        )
        if test.expect == "unknown" or marked:
            return True
    return False


_KEYS = ("change", "drift")


def check_examples(rule: Rule, catalog: Catalog, report: Reporter) -> None:
    """Report attributes of examples that their type has not, and blocks that are no lists."""
    for number, test in enumerate(rule.tests):
        for at, table in _changes(test.subject, ("tests", number)):
            kind = table.get("type") or next(iter(rule.match.types), None)
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
            yield f"{kind} has no {here}{did_you_mean(nearest(name, block.names))}"
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
                hint = did_you_mean(nearest(name, block.names))
                yield f"{kind} has no {name}, which {key} names{hint}"
