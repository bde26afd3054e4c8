"""The page of one rule, with what it prints about its own examples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.app.examples import run_example
from tfgate.app.rules import describe_match
from tfgate.app.toml_text import toml_line
from tfgate.model.rule import default_on_unknown
from tfgate.report.neutral import fenced, link, markdown_code, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.model.rule import Rule, RuleTest
    from tfgate.ruleset import CompiledRule, Ruleset

NOTE = "<!-- Made from the rules' own files: change those, and run tfgate rules docs again. -->\n"
"""First line of every page, by which a page of a rule that is no more is known."""

_LONGEST = 3_000
"""Characters of an example that are shown."""
_SHOWN = (("fail", "Blocked"), ("pass", "Let through"), ("unknown", "Not known before the apply"))


def rule_page(ruleset: Ruleset, compiled: CompiledRule, file: str | None = None) -> str:
    """Give the page; ``file`` is the path of the rule's file in its repository."""
    return "\n".join(_lines(ruleset, compiled, file)).rstrip() + "\n"


def _lines(ruleset: Ruleset, compiled: CompiledRule, file: str | None) -> Iterator[str]:
    rule = compiled.rule
    yield from (NOTE, f"# {rule.id}: {cell(rule.title)}", "")
    if rule.description:
        yield from (prose(rule.description), "")
    yield from _facts(ruleset, rule)
    if rule.remediation:
        yield from ("## How to mend it", "", prose(rule.remediation), "")
    yield from _expressions(rule)
    yield from _examples(ruleset, compiled)
    yield from ("## How to waive it", "", "```toml", "[[waivers]]", f'rule = "{rule.id}"')
    yield from ('address = "…"', 'reason = "…"', 'owner = "…"', "expires = 2027-01-31", "```", "")
    if rule.references:
        yield from ("## References", "", *map(_reference, rule.references), "")
    if file is not None:
        yield from ("## History", "", "Who changed the rule, when and why:", "")
        yield from ("```text", f"git log --follow -- {_in_fence(file)}", "```", "")


def _reference(text: str) -> str:
    return f"- <{text}>" if link(text) else f"- {markdown_code(text)}"


def _facts(ruleset: Ruleset, rule: Rule) -> Iterator[str]:
    on_unknown = rule.on_unknown or default_on_unknown(rule.enforcement)
    yield from ("| | |", "| --- | --- |")
    yield f"| ruleset | [{markdown_code(ruleset.source)}](index.md) {ruleset.version} |"
    yield f"| severity | {rule.severity} |"
    yield f"| level | {rule.enforcement} |"
    yield f"| where unknown until the apply | {on_unknown} |"
    yield f"| looks at | {rule.scope}: {cell(describe_match(rule.match))} |"
    for framework, controls in rule.controls.items():
        yield f"| {cell(framework)} | {', '.join(map(cell, controls))} |"
    yield ""


def _expressions(rule: Rule) -> Iterator[str]:
    yield from ("## The rule", "", "```text")
    parts = (("when", rule.when), ("deny", rule.deny), ("require", rule.require))
    for key, text in (*((f"let {name}", let) for name, let in rule.let.items()), *parts):
        if text is not None:
            yield f"{key}: {_in_fence(' '.join(text.split()))}"
    yield from (f"message: {_in_fence(rule.message)}", "```", "")


def _examples(ruleset: Ruleset, compiled: CompiledRule) -> Iterator[str]:
    tests = compiled.rule.tests
    if not tests:
        return
    yield from ("## Examples", "")
    for outcome, heading in _SHOWN:
        test = _shortest(tests, outcome)
        if test is not None:
            yield from (f"### {heading}: {cell(test.name)}", "")
            yield from _example(ruleset, compiled, test)
    yield from ("### All of them", "", "| outcome | example |", "| --- | --- |")
    yield from (f"| {test.expect} | {cell(test.name)} |" for test in tests)
    yield ""


def _shortest(tests: Sequence[RuleTest], outcome: str) -> RuleTest | None:
    """Give the example that is read soonest; of equals, the first."""
    found = [test for test in tests if test.expect == outcome]
    return min(found, key=lambda test: len("".join(_as_toml(test))), default=None)


def _example(ruleset: Ruleset, compiled: CompiledRule, test: RuleTest) -> Iterator[str]:
    text = "\n".join(_as_toml(test)) or "# a plan without anything in it"
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    yield from ("```toml", _in_fence(cut), "```", "")
    result = run_example(ruleset, compiled, test)
    if result.message:
        message = _in_fence(" ".join(result.message.split()))
        yield from ("tfgate says:", "", "```text", message, "```", "")


def _as_toml(test: RuleTest) -> Iterator[str]:
    for key, value in test.subject.items():
        if value:
            yield toml_line(key, _written(value))
    for key, table in (("params", test.params), ("context", test.context)):
        if table:
            yield toml_line(key, table)


def _written(value: Any) -> Any:
    """Leave out what the reader of examples adds where nothing is written."""
    if isinstance(value, list):
        return [_written(item) for item in value]
    if not isinstance(value, dict):
        return value
    usual = {"mode": "managed", "name": "example"}
    return {key: item for key, item in value.items() if usual.get(key) != item}


def _in_fence(text: str) -> str:
    """Nothing in a fenced block may close it."""
    return "\n".join(fenced(line) for line in text.split("\n"))


def cell(text: str) -> str:
    """Write a text as a heading or a cell of a table: no element, link or image of its own."""
    shown = visible(" ".join(text.split()))
    return shown.replace("|", "\\|").replace("<", "&lt;").replace("[", "&#91;")


def prose(text: str) -> str:
    """Write what is Markdown of the ruleset's author: theirs, but for what nobody would see."""
    lines = text.strip().replace("\r\n", "\n").expandtabs(4).split("\n")
    return "\n".join(map(visible, lines))
