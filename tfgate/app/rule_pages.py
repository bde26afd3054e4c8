"""One page a rule, an index a ruleset, and the controls matrix: made from the rules' own files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.app.reference import NOTE
from tfgate.app.rules import describe_match
from tfgate.engine.functions import rule_functions
from tfgate.model.rule import default_on_unknown
from tfgate.ruleset import load_ruleset, shipped_names

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.model.rule import Rule, RuleTest
    from tfgate.ruleset import Ruleset


def rule_pages() -> Iterator[tuple[str, str]]:
    """Give ``(path below docs/rules, text)`` of every page of the shipped rulesets."""
    rulesets = [
        load_ruleset(f"tfgate:{name}", functions=rule_functions()) for name in shipped_names()
    ]
    yield "index.md", _index(rulesets)
    yield "controls.md", controls_page(rulesets)
    for ruleset in rulesets:
        yield f"{ruleset.id}/index.md", ruleset_page(ruleset)
        for rule in _rules(ruleset):
            yield f"{ruleset.id}/{slug(rule)}.md", rule_page(ruleset, rule)


def slug(rule: Rule) -> str:
    """Give the name of a rule's page: that of its file, or its id in one-file rulesets."""
    stem = Path(rule.file).stem
    return stem if "rules/" in rule.file else rule.id.lower()


def _rules(ruleset: Ruleset) -> list[Rule]:
    return sorted((compiled.rule for compiled in ruleset.rules), key=lambda rule: rule.id)


def _index(rulesets: Sequence[Ruleset]) -> str:
    lines = [NOTE, "# Shipped rules", "", "| ruleset | rules | what it is for |"]
    lines += ["| --- | --- | --- |"]
    lines += [
        f"| [`tfgate:{ruleset.id}`]({ruleset.id}/index.md) | {len(ruleset.rules)} "
        f"| {_cell(ruleset.title)} |"
        for ruleset in rulesets
    ]
    matrix = "The [controls matrix](controls.md) maps them to frameworks."
    return "\n".join([*lines, "", matrix, ""])


def ruleset_page(ruleset: Ruleset) -> str:
    """Give the index of one ruleset: its rules and its parameters."""
    lines = [NOTE, f"# {ruleset.title}", ""]
    lines += [f"`tfgate:{ruleset.id}`, version {ruleset.version}.", ""]
    if ruleset.description:
        lines += [ruleset.description.strip(), ""]
    lines += ["| rule | severity | level | title |", "| --- | --- | --- | --- |"]
    lines += [
        f"| [{rule.id}]({slug(rule)}.md) | {rule.severity} | {rule.enforcement} "
        f"| {_cell(rule.title)} |"
        for rule in _rules(ruleset)
    ]
    if ruleset.params:
        lines += ["", "## Parameters", "", "| name | type | default | what it is |"]
        lines += ["| --- | --- | --- | --- |"]
        lines += [
            f"| `{name}` | `{spec.type}` | {_default(spec.required, spec.default)} "
            f"| {_cell(spec.description)} |"
            for name, spec in ruleset.params.items()
        ]
    return "\n".join([*lines, ""])


def rule_page(ruleset: Ruleset, rule: Rule) -> str:
    """Give the page of one rule."""
    return "\n".join(_rule_lines(ruleset, rule)).rstrip() + "\n"


def _rule_lines(ruleset: Ruleset, rule: Rule) -> Iterator[str]:
    yield NOTE
    yield f"# {rule.id}: {rule.title}"
    yield ""
    if rule.description:
        yield from (rule.description.strip(), "")
    yield from _facts(ruleset, rule)
    if rule.remediation:
        yield from ("## How to mend it", "", rule.remediation.strip(), "")
    yield from ("## The rule", "", "```text")
    parts = (("when", rule.when), ("deny", rule.deny), ("require", rule.require))
    for key, text in (*((f"let {name}", let) for name, let in rule.let.items()), *parts):
        if text is not None:
            yield f"{key}: {' '.join(text.split())}"
    yield from (f"message: {rule.message}", "```", "")
    yield from _examples(rule.tests)
    yield from ("## How to waive it", "", "```toml", "[[waivers]]", f'rule = "{rule.id}"')
    yield from ('address = "…"', 'reason = "…"', 'owner = "…"', "expires = 2027-01-31", "```", "")
    if rule.references:
        yield from ("## References", "", *(f"- <{link}>" for link in rule.references), "")


def _facts(ruleset: Ruleset, rule: Rule) -> Iterator[str]:
    on_unknown = rule.on_unknown or default_on_unknown(rule.enforcement)
    yield from ("| | |", "| --- | --- |")
    yield f"| ruleset | [`tfgate:{ruleset.id}`](index.md) {ruleset.version} |"
    yield f"| severity | {rule.severity} |"
    yield f"| level | {rule.enforcement} |"
    yield f"| where unknown until the apply | {on_unknown} |"
    yield f"| looks at | {rule.scope}: {_cell(describe_match(rule.match))} |"
    for framework, controls in rule.controls.items():
        yield f"| {_cell(framework)} | {', '.join(map(_cell, controls))} |"
    yield ""


def _examples(tests: Sequence[RuleTest]) -> Iterator[str]:
    if tests:
        yield from ("## Examples", "", "| outcome | example |", "| --- | --- |")
        yield from (f"| {test.expect} | {_cell(test.name)} |" for test in tests)
        yield ""


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
        f"| {_cell(framework)} | {_cell(control)} | {', '.join(links)} |"
        for (framework, control), links in sorted(found.items())
    ]
    return "\n".join([*lines, ""])


def _default(required: bool, default: object) -> str:
    return "required" if required else f"`{_cell(json.dumps(default, ensure_ascii=False))}`"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")
