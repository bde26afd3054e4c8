"""``tfgate rules docs``: a page for each rule, an index for each ruleset, a controls matrix."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from tfgate.authoring.rule_tests import load_sources
from tfgate.command.output import write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.examples.run import run_example
from tfgate.exitcodes import ExitCode
from tfgate.gate.rules import describe_match
from tfgate.model.rule import Rule, RuleTest, default_on_unknown
from tfgate.opening import read_file
from tfgate.report.escape import console, fenced, link, markdown_code, visible
from tfgate.ruleset import CompiledRule, Ruleset, load_ruleset, shipped_names
from tfgate.ruleset.toml_text import toml_line
from tfgate.terraform.gitdir import GitDir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    FileOf = Callable[[Ruleset, Rule], str | None]
    """Returns the path of a rule's file in its repository, where it is in one."""

NOTE = "<!-- Made from the rules' own files: change those, and run tfgate rules docs again. -->\n"
"""First line of every generated page. A page with it whose rule is gone is removed."""
_LONGEST = 3_000
"""Characters of an example that are shown."""
_SHOWN = (("fail", "Fails"), ("pass", "Passes"), ("unknown", "Unknown before the apply"))
_DEFAULTS = {"mode": "managed", "name": "example"}
"""What an example has where nothing is written."""


def rule_pages() -> Iterator[tuple[str, str]]:
    """Yield ``(path below docs/rules, text)`` of every page of the shipped rulesets."""
    table = rule_functions()
    shipped = [load_ruleset(f"tfgate:{name}", functions=table) for name in shipped_names()]
    yield from pages_of(
        shipped,
        "Shipped rules",
        lambda ruleset, rule: rule.file.replace(ruleset.source, f"rulesets/{ruleset.id}", 1),
    )


def pages_of(rulesets: Sequence[Ruleset], title: str, file_of: FileOf) -> Iterator[tuple[str, str]]:
    """Yield ``(path, text)`` of every page of these rulesets, indexes and matrix included."""
    yield "index.md", _page(_index(rulesets, title))
    yield "controls.md", _page(_controls(rulesets))
    for ruleset in rulesets:
        yield f"{ruleset.id}/index.md", _page(_ruleset(ruleset))
        for compiled in ruleset.rules:
            text = _page(_rule(ruleset, compiled, file_of(ruleset, compiled.rule)))
            yield f"{ruleset.id}/{_slug(compiled.rule)}.md", text


def _page(lines: Iterable[str]) -> str:
    return "\n".join((NOTE, *lines)).rstrip() + "\n"


def _slug(rule: Rule) -> str:
    """Name a rule's page after its file, or after its id in a one-file ruleset."""
    return Path(rule.file).stem if "rules/" in rule.file else rule.id.lower()


def _sorted(ruleset: Ruleset) -> list[Rule]:
    return sorted((compiled.rule for compiled in ruleset.rules), key=lambda rule: rule.id)


def _index(rulesets: Sequence[Ruleset], title: str) -> Iterator[str]:
    yield from (f"# {title}", "", "| ruleset | rules | what it is for |", "| --- | --- | --- |")
    for ruleset in rulesets:
        name = f"[{markdown_code(ruleset.source)}]({ruleset.id}/index.md)"
        yield f"| {name} | {len(ruleset.rules)} | {_cell(ruleset.title)} |"
    yield from ("", "The [controls matrix](controls.md) maps them to frameworks.")


def _ruleset(ruleset: Ruleset) -> Iterator[str]:
    yield from (f"# {_cell(ruleset.title)}", "")
    yield from (f"{markdown_code(ruleset.source)}, version {ruleset.version}.", "")
    if ruleset.description:
        yield from (_prose(ruleset.description), "")
    yield from ("| rule | severity | level | title |", "| --- | --- | --- | --- |")
    for rule in _sorted(ruleset):
        page, facts = f"[{rule.id}]({_slug(rule)}.md)", f"{rule.severity} | {rule.enforcement}"
        yield f"| {page} | {facts} | {_cell(rule.title)} |"
    if ruleset.params:
        yield from ("", "## Parameters", "", "| name | type | default | what it is |")
        yield "| --- | --- | --- | --- |"
    for name, spec in ruleset.params.items():
        default = markdown_code(json.dumps(spec.default)).replace("|", "\\|")
        default = "required" if spec.required else default
        yield f"| `{name}` | `{spec.type}` | {default} | {_cell(spec.description)} |"


def _controls(rulesets: Sequence[Ruleset]) -> Iterator[str]:
    """Yield the matrix: framework, control, and the rules that name it."""
    found: dict[tuple[str, str], list[str]] = {}
    for ruleset in rulesets:
        for rule in _sorted(ruleset):
            page = f"[{rule.id}]({ruleset.id}/{_slug(rule)}.md)"
            for framework, controls in rule.controls.items():
                for control in controls:
                    found.setdefault((framework, control), []).append(page)
    yield from ("# Controls", "", "| framework | control | rules |", "| --- | --- | --- |")
    for (framework, control), pages in sorted(found.items()):
        yield f"| {_cell(framework)} | {_cell(control)} | {', '.join(pages)} |"


def _rule(ruleset: Ruleset, compiled: CompiledRule, file: str | None) -> Iterator[str]:
    rule = compiled.rule
    yield from (f"# {rule.id}: {_cell(rule.title)}", "")
    if rule.description:
        yield from (_prose(rule.description), "")
    yield from _facts(ruleset, rule)
    if rule.remediation:
        yield from ("## How to fix it", "", _prose(rule.remediation), "")
    yield from _expressions(rule)
    yield from _examples(ruleset, compiled)
    yield from ("## How to waive it", "", "```toml", "[[waivers]]", f'rule = "{rule.id}"')
    yield from ('address = "…"', 'reason = "…"', 'owner = "…"', "expires = 2027-01-31", "```", "")
    if rule.references:
        shown = (f"<{ref}>" if link(ref) else markdown_code(ref) for ref in rule.references)
        yield from ("## References", "", *(f"- {reference}" for reference in shown), "")
    if file is not None:
        yield from ("## History", "", "Who changed the rule, when and why:", "")
        yield from ("```text", f"git log --follow -- {_in_fence(file)}", "```", "")


def _facts(ruleset: Ruleset, rule: Rule) -> Iterator[str]:
    on_unknown = rule.on_unknown or default_on_unknown(rule.enforcement)
    yield from ("| | |", "| --- | --- |")
    yield f"| ruleset | [{markdown_code(ruleset.source)}](index.md) {ruleset.version} |"
    yield from (f"| severity | {rule.severity} |", f"| level | {rule.enforcement} |")
    yield f"| if unknown before the apply | {on_unknown} |"
    yield f"| selects | {rule.scope}: {_cell(describe_match(rule.match))} |"
    for framework, controls in rule.controls.items():
        yield f"| {_cell(framework)} | {', '.join(map(_cell, controls))} |"
    yield ""


def _expressions(rule: Rule) -> Iterator[str]:
    yield from ("## The rule", "", "```text")
    lets = ((f"let {name}", let) for name, let in rule.let.items())
    for key, text in (*lets, ("when", rule.when), ("deny", rule.deny), ("require", rule.require)):
        if text is not None:
            yield f"{key}: {_in_fence(' '.join(text.split()))}"
    yield from (f"message: {_in_fence(rule.message)}", "```", "")


def _examples(ruleset: Ruleset, compiled: CompiledRule) -> Iterator[str]:
    """Yield the shortest example of each outcome in full, and a table of all examples."""
    tests = compiled.rule.tests
    if not tests:
        return
    yield from ("## Examples", "")
    for outcome, heading in _SHOWN:
        found = [test for test in tests if test.expect == outcome]
        if found:
            test = min(found, key=lambda test: len("".join(_as_toml(test))))
            yield from (f"### {heading}: {_cell(test.name)}", "")
            yield from _example(ruleset, compiled, test)
    yield from ("### All examples", "", "| outcome | example |", "| --- | --- |")
    yield from (f"| {test.expect} | {_cell(test.name)} |" for test in tests)
    yield ""


def _example(ruleset: Ruleset, compiled: CompiledRule, test: RuleTest) -> Iterator[str]:
    text = "\n".join(_as_toml(test)) or "# a plan without anything in it"
    cut = text if len(text) <= _LONGEST else f"{text[:_LONGEST]} …"
    yield from ("```toml", _in_fence(cut), "```", "")
    message = run_example(ruleset, compiled, test).message
    if message:
        message = _in_fence(" ".join(message.split()))
        yield from ("tfgate reports:", "", "```text", message, "```", "")


def _as_toml(test: RuleTest) -> Iterator[str]:
    for key, value in test.subject.items():
        if value:
            yield toml_line(key, _written(value))
    for key, table in (
        ("params", test.params),
        ("context", test.context),
        ("data", test.data),
    ):
        if table:
            yield toml_line(key, table)


def _written(value: Any) -> Any:
    """Leave out what an example has by default."""
    if isinstance(value, list):
        return [_written(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {key: item for key, item in value.items() if _DEFAULTS.get(key) != item}


def _in_fence(text: str) -> str:
    """Escape a text so that nothing in it closes the fenced block."""
    return "\n".join(fenced(line) for line in text.split("\n"))


def _cell(text: str) -> str:
    """Escape a heading or a cell of a table: no element, link or image of its own."""
    shown = visible(" ".join(text.split()))
    return shown.replace("|", "\\|").replace("<", "&lt;").replace("[", "&#91;")


def _prose(text: str) -> str:
    """Keep the Markdown of the ruleset's author, and make invisible characters visible."""
    lines = text.strip().replace("\r\n", "\n").expandtabs(4).split("\n")
    return "\n".join(map(visible, lines))


class Drift(NamedTuple):
    """How a folder differs from what the rulesets make."""

    stale: tuple[str, ...]
    """Pages that are missing or differ, as paths below the folder."""
    left_over: tuple[str, ...]
    """Generated pages whose rules are gone."""


def write_docs(rulesets: Sequence[Ruleset], folder: Path, *, check: bool = False) -> Drift:
    """Write the pages below ``folder``, and remove generated pages whose rules are gone.

    With ``check`` nothing is written. Pages that somebody else wrote stay. Raises
    ``TfgateError`` where a page cannot be written.
    """
    pages = dict(pages_of(rulesets, "Rules", _file_in_checkout))
    stale = tuple(name for name, text in pages.items() if _text(folder / name) != text)
    found = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.md"))
    others = (name for name in found if name not in pages)
    left_over = tuple(n for n in others if (_text(folder / n) or "").startswith(NOTE))
    try:
        for name in () if check else stale:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(pages[name], encoding="utf-8", newline="\n")
        for name in () if check else left_over:
            (folder / name).unlink()
    except OSError as error:
        raise TfgateError(
            f"The pages cannot be written to {folder}: {error.strerror}.",
            hint="Name another folder with --out.",
        ) from None
    return Drift(stale, left_over)


def _text(path: Path) -> str | None:
    try:
        return read_file(path).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _file_in_checkout(ruleset: Ruleset, rule: Rule) -> str | None:
    """Return the rule's file as seen from the top of its checkout, where it is in one."""
    if ruleset.source.startswith(("tfgate:", "git::")):
        return None
    path = ruleset.path.absolute()
    in_folder = path.is_dir() and "rules/" in rule.file
    file = path / "rules" / Path(rule.file).name if in_folder else path
    checkout = GitDir.find(path.parent)
    if checkout is None or not file.is_relative_to(checkout.top):
        return None
    return file.relative_to(checkout.top).as_posix()


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
    return int(ExitCode.DENIED if check and any(drift) else ExitCode.ALLOWED)
