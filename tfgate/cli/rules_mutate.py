"""``tfgate rules mutate``."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tfgate.app.rule_mutants import ROOM, mutate_ruleset
from tfgate.app.rule_sources import load_sources
from tfgate.app.rule_tests import chosen, refuse_nothing
from tfgate.cli.output import write_out
from tfgate.exitcodes import ExitCode
from tfgate.report.neutral import console

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.app.rule_mutants import RuleMutation, Survivor

_JOBS = 2


@click.command(epilog="Example: tfgate rules mutate ./policy")
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--config", metavar="FILE", help="Configuration to use.")
@click.option("--only", metavar="RULE", help="Only rules whose id fits this glob.")
@click.option("--toml", is_flag=True, help="Print survivors as TOML, to be given a reason.")
@click.option("--jobs", type=click.IntRange(1, 64), default=_JOBS, metavar="N",
              help="Processes that work at the same time.")  # fmt: skip
def mutate(
    sources: tuple[str, ...], config: str | None, only: str | None, toml: bool, jobs: int
) -> int:
    """Change each rule a little, and report the changes that none of its examples notices.

    SOURCE is as in tfgate rules test. A survivor means: add an example, or write it down in the
    rule's file with the reason why no example can notice it ([[mutants]]). Exit code 1 says that
    there is a survivor without a reason, or a reason without its survivor.
    """
    rulesets = load_sources(sources, Path.cwd(), os.environ, config=config)
    refuse_nothing(rulesets, only)
    code = ExitCode.ALLOWED
    for ruleset in rulesets:
        found = []
        for mutation in mutate_ruleset(ruleset, chosen(ruleset, only), jobs=jobs):
            found.append(mutation)
            _write(_toml_lines(mutation) if toml else _lines(mutation))
        if not all(mutation.passed for mutation in found):
            code = ExitCode.DENIED
        if not toml:
            write_out(_summary(f"{ruleset.id} {ruleset.version} ({ruleset.source})", found))
    return int(code)


def _write(lines: Iterator[str]) -> None:
    text = "".join(f"{console(line)}\n" for line in lines)
    if text:
        write_out(text)


def _lines(mutation: RuleMutation) -> Iterator[str]:
    if mutation.passed and not mutation.left_out:
        return
    yield f"{mutation.rule} ({mutation.file})"
    if mutation.left_out:
        yield f"    LEFT OUT  {_left_out(mutation)}"
    for name in mutation.contradicted:
        yield f"    CONTRADICTED  the example does not hold, so nothing was tried: {name}"
    for survivor in mutation.unexplained:
        yield f"    SURVIVED  {survivor.change}"
        if survivor.text:
            yield f"              {survivor.text}"
    for change in mutation.stale:
        yield f"    STALE  an example notices it, or there is no such change: {change}"


def _left_out(mutation: RuleMutation) -> str:
    return (
        f"{mutation.left_out:,} changes were not tried, since all of them would be more than "
        f"{ROOM:,} characters of expressions: give parts of the rule names in let, or split it."
    )


def _toml_lines(mutation: RuleMutation) -> Iterator[str]:
    if mutation.unexplained or mutation.left_out:
        yield f"# {mutation.rule} ({mutation.file})"
    if mutation.left_out:
        yield f"# {_left_out(mutation)}"
    for survivor in mutation.unexplained:
        yield "[[mutants]]"
        yield f"survives = {_quoted(survivor)}"
        yield 'reason = ""'


def _quoted(survivor: Survivor) -> str:
    """Write a TOML string: a literal one where it can be, which reads better."""
    if "'" not in survivor.change and survivor.change.isprintable():
        return f"'{survivor.change}'"
    return json.dumps(survivor.change, ensure_ascii=False)


def _summary(head: str, found: list[RuleMutation]) -> str:
    tried = sum(mutation.tried for mutation in found)
    survived = sum(len(mutation.survivors) for mutation in found)
    unexplained = sum(len(mutation.unexplained) for mutation in found)
    noted = f"{survived - unexplained} survive with a reason" if survived > unexplained else ""
    bad = (
        f"{unexplained} survive"
        if unexplained
        else "no other survives"
        if noted
        else "none survives"
    )
    left_out = sum(mutation.left_out for mutation in found)
    more = f"{left_out} not tried" if left_out else ""
    said = ", ".join(part for part in (noted, bad, more) if part)
    return f"{head}: {tried} changes tried; {said}\n"
