"""One page a rule, an index a ruleset, and the controls matrix: made from the rules' own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.app.rule_page import NOTE, cell, prose, rule_page
from tfgate.engine.functions import rule_functions
from tfgate.report.neutral import markdown_code
from tfgate.ruleset import load_ruleset, shipped_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tfgate.model.rule import Rule
    from tfgate.ruleset import Ruleset

    FileOf = Callable[[Ruleset, Rule], str | None]
    """Gives the path of a rule's file in its repository, where it is in one."""


def rule_pages() -> Iterator[tuple[str, str]]:
    """Give ``(path below docs/rules, text)`` of every page of the shipped rulesets."""
    rulesets = [
        load_ruleset(f"tfgate:{name}", functions=rule_functions()) for name in shipped_names()
    ]
    return pages_of(rulesets, "Shipped rules", _shipped_file)


def pages_of(rulesets: Sequence[Ruleset], title: str, file_of: FileOf) -> Iterator[tuple[str, str]]:
    """Give ``(path, text)`` of every page of these rulesets, indexes and matrix included."""
    yield "index.md", _index(rulesets, title)
    yield "controls.md", controls_page(rulesets)
    for ruleset in rulesets:
        yield f"{ruleset.id}/index.md", ruleset_page(ruleset)
        for compiled in ruleset.rules:
            text = rule_page(ruleset, compiled, file_of(ruleset, compiled.rule))
            yield f"{ruleset.id}/{slug(compiled.rule)}.md", text


def slug(rule: Rule) -> str:
    """Give the name of a rule's page: that of its file, or its id in one-file rulesets."""
    stem = Path(rule.file).stem
    return stem if "rules/" in rule.file else rule.id.lower()


def _shipped_file(ruleset: Ruleset, rule: Rule) -> str:
    return rule.file.replace(ruleset.source, f"rulesets/{ruleset.id}", 1)


def _rules(ruleset: Ruleset) -> list[Rule]:
    return sorted((compiled.rule for compiled in ruleset.rules), key=lambda rule: rule.id)


def _index(rulesets: Sequence[Ruleset], title: str) -> str:
    lines = [NOTE, f"# {title}", "", "| ruleset | rules | what it is for |"]
    lines += ["| --- | --- | --- |"]
    lines += [
        f"| [{markdown_code(ruleset.source)}]({ruleset.id}/index.md) | {len(ruleset.rules)} "
        f"| {cell(ruleset.title)} |"
        for ruleset in rulesets
    ]
    matrix = "The [controls matrix](controls.md) maps them to frameworks."
    return "\n".join([*lines, "", matrix, ""])


def ruleset_page(ruleset: Ruleset) -> str:
    """Give the index of one ruleset: its rules and its parameters."""
    lines = [NOTE, f"# {cell(ruleset.title)}", ""]
    lines += [f"{markdown_code(ruleset.source)}, version {ruleset.version}.", ""]
    if ruleset.description:
        lines += [prose(ruleset.description), ""]
    lines += ["| rule | severity | level | title |", "| --- | --- | --- | --- |"]
    lines += [
        f"| [{rule.id}]({slug(rule)}.md) | {rule.severity} | {rule.enforcement} "
        f"| {cell(rule.title)} |"
        for rule in _rules(ruleset)
    ]
    if ruleset.params:
        lines += ["", "## Parameters", "", "| name | type | default | what it is |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [
            f"| `{name}` | `{spec.type}` | {_default(spec.required, spec.default)} "
            f"| {cell(spec.description)} |"
            for name, spec in ruleset.params.items()
        ]
    return "\n".join([*lines, ""])


def controls_page(rulesets: Sequence[Ruleset]) -> str:
    """Give the matrix: framework, control, and the rules that say something about it."""
    found: dict[tuple[str, str], list[str]] = {}
    for ruleset in rulesets:
        for rule in _rules(ruleset):
            link = f"[{rule.id}]({ruleset.id}/{slug(rule)}.md)"
            for framework, controls in rule.controls.items():
                for control in controls:
                    found.setdefault((framework, control), []).append(link)
    lines = [NOTE, "# Controls", "", "| framework | control | rules |", "| --- | --- | --- |"]
    lines += [
        f"| {cell(framework)} | {cell(control)} | {', '.join(links)} |"
        for (framework, control), links in sorted(found.items())
    ]
    return "\n".join([*lines, ""])


def _default(required: bool, default: object) -> str:
    return "required" if required else markdown_code(json.dumps(default)).replace("|", "\\|")
