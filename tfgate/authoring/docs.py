"""The page of one rule, with what it prints about its own examples."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tfgate.authoring.rule_tests import load_sources
from tfgate.command.output import write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.examples.run import run_example
from tfgate.exitcodes import ExitCode
from tfgate.gate.rules import describe_match
from tfgate.model.rule import default_on_unknown
from tfgate.opening import read_file
from tfgate.report.escape import console, fenced, link, markdown_code, visible
from tfgate.ruleset import load_ruleset, shipped_names
from tfgate.ruleset.toml_text import toml_line
from tfgate.terraform.gitdir import GitDir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tfgate.model.rule import Rule, RuleTest
    from tfgate.ruleset import CompiledRule, Ruleset

    FileOf = Callable[[Ruleset, Rule], str | None]
    """Gives the path of a rule's file in its repository, where it is in one."""


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


# --- One page a rule, an index a ruleset, and the controls matrix: made from the rules' own files.


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


# --- ``tfgate rules docs``: pages of any ruleset, written or compared with what is there.


@dataclass(frozen=True)
class Drift:
    """How a folder differs from what the rulesets make."""

    stale: tuple[str, ...]
    """Pages that are missing or differ, as paths below the folder."""
    left_over: tuple[str, ...]
    """Generated pages of rules that are no more."""

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(self.stale or self.left_over)


def write_docs(rulesets: Sequence[Ruleset], folder: Path, *, check: bool = False) -> Drift:
    """Write the pages below ``folder``, and remove generated ones of rules that are no more.

    With ``check`` nothing is written. Pages that somebody else wrote are left alone. Raises
    ``TfgateError`` where a page cannot be written.
    """
    pages = dict(pages_of(rulesets, "Rules", _file_in_checkout))
    stale = tuple(name for name, text in pages.items() if _text(folder / name) != text)
    left_over = tuple(_left_over(folder, pages))
    if not check:
        try:
            _write(folder, {name: pages[name] for name in stale}, left_over)
        except OSError as error:
            raise TfgateError(
                f"The pages cannot be written to {folder}: {error.strerror}.",
                hint="Name another folder with --out.",
            ) from None
    return Drift(stale, left_over)


def _write(folder: Path, pages: dict[str, str], left_over: Sequence[str]) -> None:
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    for name in left_over:
        (folder / name).unlink()


def _left_over(folder: Path, pages: dict[str, str]) -> list[str]:
    if not folder.is_dir():
        return []
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*.md"))
    return sorted(
        name
        for name in found
        if name not in pages and (_text(folder / name) or "").startswith(NOTE)
    )


def _text(path: Path) -> str | None:
    try:
        return read_file(path).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _file_in_checkout(ruleset: Ruleset, rule: Rule) -> str | None:
    """Give the rule's file as seen from the top of its checkout, where it is in one."""
    if ruleset.source.startswith(("tfgate:", "git::")):
        return None
    path = ruleset.path.absolute()
    file = (
        path / "rules" / Path(rule.file).name if path.is_dir() and "rules/" in rule.file else path
    )
    checkout = GitDir.find(path.parent)
    if checkout is None or not file.is_relative_to(checkout.top):
        return None
    return file.relative_to(checkout.top).as_posix()


# --- ``tfgate rules docs``.


@click.command(epilog="Example: tfgate rules docs ./policy --out docs/rules")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--out", required=True, metavar="DIR", help="Folder that the pages are written to.")
@click.option("--check", is_flag=True, help="Write nothing; exit code 1 where a page is stale.")
@click.option("--config", metavar="FILE", help="Configuration to use.")
def docs(sources: tuple[str, ...], out: str, check: bool, config: str | None) -> int:
    """Write a page for each rule, an index for each ruleset, and a matrix of controls.

    SOURCE is as in tfgate rules test.
    """
    rulesets = load_sources(sources, Path.cwd(), os.environ, config=config)
    drift = write_docs(rulesets, Path(out), check=check)
    for name in drift.stale:
        write_out(f"{console(f'{out}/{name}')}{' is out of date' if check else ''}\n")
    for name in drift.left_over:
        removed = "" if check else ", and is removed"
        write_out(f"{console(f'{out}/{name}')} is of no rule{removed}\n")
    return int(ExitCode.DENIED if check and drift else ExitCode.ALLOWED)
