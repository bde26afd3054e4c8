"""Checks of a rule's examples: a misspelt rule may have a misspelt example to go with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.app.lint.names import near

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.lint.report import Reporter
    from tfgate.model.rule import Rule
    from tfgate.ruleset.problems import KeyPath
    from tfgate.schema import Block, Catalog

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
