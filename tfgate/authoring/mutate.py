"""Changes each rule a little, and says which changes none of its examples notices."""

from __future__ import annotations

import json
import multiprocessing
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click
import msgspec

from tfgate.authoring.rule_tests import chosen, load_sources, refuse_nothing
from tfgate.command.output import write_out
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.examples.run import Prepared, prepare
from tfgate.exitcodes import ExitCode
from tfgate.model.rule import Match
from tfgate.query import ExpressionError
from tfgate.query import compile as compile_expression
from tfgate.query.mutants import Mutants
from tfgate.report.escape import console
from tfgate.ruleset.names import given_to

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tfgate.query import Expression
    from tfgate.ruleset import CompiledRule, Ruleset


ROOM: Final = 2_000_000
"""Characters of changed expressions that are tried of one rule, which takes some ten seconds.

The changed expressions of a rule are as long as it is, and a few for each of its parts: their cost
grows with the square of its length. The longest shipped rule has 460,000.
"""

_WIDENED = ("types", "actions", "modes", "modules", "providers", "addresses", "names", "blocks")


class Survivor(msgspec.Struct, frozen=True):
    """A change that no example notices."""

    change: str
    """What was changed, as in ``deny: drop after.public``: unique in its rule."""
    text: str
    """The changed expression; empty where the match was widened."""
    reason: str | None = None
    """Why that is right, where the rule says so."""


class RuleMutation(msgspec.Struct, frozen=True):
    """What became of the mutants of one rule."""

    rule: str
    file: str
    tried: int
    survivors: tuple[Survivor, ...] = ()
    stale: tuple[str, ...] = ()
    """Changes that the rule writes down and that an example notices, or that do not exist."""
    contradicted: tuple[str, ...] = ()
    """Examples that do not hold for the rule as it is: nothing was tried."""
    left_out: int = 0
    """Changes that were not tried, since all of them would have been more than `ROOM`."""

    @property
    def unexplained(self) -> tuple[Survivor, ...]:
        """Survivors that nobody has given a reason for."""
        return tuple(survivor for survivor in self.survivors if survivor.reason is None)

    @property
    def passed(self) -> bool:
        """Whether every survivor has its reason, and every reason its survivor."""
        return not (self.unexplained or self.stale or self.contradicted)


def mutate_ruleset(
    ruleset: Ruleset, rules: Sequence[CompiledRule], *, jobs: int = 1
) -> Iterator[RuleMutation]:
    """Try the mutants of ``rules`` in their order, with ``jobs`` processes where they help.

    Then those of each value of the ruleset's ``[let]`` that one of them uses.
    """
    if jobs > 1 and len(rules) > jobs:
        yield from _in_parallel(ruleset, rules, jobs)
    else:
        for compiled in rules:
            yield mutate_rule(ruleset, compiled)
    for name in ruleset.let:
        if any(name in compiled.shared for compiled in rules):
            yield mutate_shared(ruleset, name)


_INHERITED: list[tuple[Ruleset, Sequence[CompiledRule]]] = []
"""What forked workers find in their memory: compiled rules cannot be sent."""


def _in_parallel(
    ruleset: Ruleset, rules: Sequence[CompiledRule], jobs: int
) -> Iterator[RuleMutation]:
    if "fork" not in multiprocessing.get_all_start_methods():
        yield from (mutate_rule(ruleset, compiled) for compiled in rules)
        return
    _INHERITED.append((ruleset, rules))
    try:
        with multiprocessing.get_context("fork").Pool(jobs) as pool:
            yield from pool.imap(_worker, range(len(rules)))
    finally:
        _INHERITED.pop()


def _worker(number: int) -> RuleMutation:
    ruleset, rules = _INHERITED[-1]
    return mutate_rule(ruleset, rules[number])


def mutate_rule(ruleset: Ruleset, compiled: CompiledRule) -> RuleMutation:
    """Try every mutant of one rule; its examples' plans are made once."""
    rule = compiled.rule
    try:
        examples = [prepare(ruleset, compiled, test) for test in rule.tests]
    except TfgateError as error:
        return RuleMutation(rule.id, rule.file, 0, contradicted=(str(error),))
    contradicted = _contradicted(ruleset, compiled, examples)
    if contradicted:
        return RuleMutation(rule.id, rule.file, 0, contradicted=contradicted)
    found = {key: Mutants(expression.text) for key, expression in compiled.expressions()}
    shares = _shares(compiled, found)
    variants = list(_variants(compiled, found, shares))
    shared = tuple(f"let.{name}: " for name in compiled.shared)
    reasons = {
        known.survives: known.reason
        for known in rule.mutants
        if not known.survives.startswith(shared)
    }
    survivors = [
        Survivor(change, text, reasons.get(change))
        for change, text, variant in variants
        if not _noticed(ruleset, variant, examples)
    ]
    left_out = sum(one.count - shares[key] for key, one in found.items())
    alive = {survivor.change for survivor in survivors}
    tried = {change for change, _, _ in variants} if left_out else reasons
    stale = tuple(change for change in reasons if change not in alive and change in tried)
    return RuleMutation(
        rule.id, rule.file, len(variants), tuple(survivors), stale, left_out=left_out
    )


def mutate_shared(ruleset: Ruleset, name: str) -> RuleMutation:
    """Try every mutant of a value of ``[let]`` on the examples of all rules that use it.

    One is noticed where one example of any of them notices it. The reason for one that is not
    stands in the file of any of them.
    """
    key = f"let.{name}"
    rules = [compiled for compiled in ruleset.rules if name in compiled.shared]
    file = ruleset.source
    try:
        prepared = [
            (one, [prepare(ruleset, one, test) for test in one.rule.tests]) for one in rules
        ]
    except TfgateError as error:
        return RuleMutation(key, file, 0, contradicted=(str(error),))
    contradicted = tuple(
        f"{one.id}: {example}"
        for one, examples in prepared
        for example in _contradicted(ruleset, one, examples)
    )
    if contradicted:
        return RuleMutation(key, file, 0, contradicted=contradicted)
    expression = ruleset.let[name]
    reasons = {
        known.survives: known.reason
        for compiled in rules
        for known in compiled.rule.mutants
        if known.survives.startswith(f"{key}: ")
    }
    mutants = Mutants(expression.text)
    share = min(mutants.count, ROOM // (len(expression.text) + 1) + 1)
    survivors, tried = [], 0
    for change, text in mutants.some(share):
        changed = _compiled(expression, text)
        if changed is None:
            continue
        tried += 1
        if not any(
            _noticed(ruleset, one.changed(shared={**one.shared, name: changed}), examples)
            for one, examples in prepared
        ):
            told = f"{key}: {change}"
            survivors.append(Survivor(told, text, reasons.get(told)))
    alive = {survivor.change for survivor in survivors}
    left_out = mutants.count - share
    stale = () if left_out else tuple(change for change in reasons if change not in alive)
    return RuleMutation(key, file, tried, tuple(survivors), stale, left_out=left_out)


def _shares(compiled: CompiledRule, found: Mapping[str, Mutants]) -> dict[str, int]:
    """Say how many changes of each expression are tried: all, or the same part of all."""
    lengths = {key: len(expression.text) for key, expression in compiled.expressions()}
    cost = sum(one.count * lengths[key] for key, one in found.items())
    if cost <= ROOM:
        return {key: one.count for key, one in found.items()}
    return {key: min(one.count, one.count * ROOM // cost + 1) for key, one in found.items()}


def _contradicted(
    ruleset: Ruleset, compiled: CompiledRule, examples: Iterable[Prepared]
) -> tuple[str, ...]:
    """Return the examples that a rule fails as it is: each would seem to notice any change."""
    return tuple(
        example.test.name for example in examples if not example.run(ruleset, compiled).passed
    )


def _noticed(ruleset: Ruleset, variant: CompiledRule, examples: Iterable[Prepared]) -> bool:
    return any(not example.run(ruleset, variant).passed for example in examples)


def _variants(
    compiled: CompiledRule, found: Mapping[str, Mutants], shares: Mapping[str, int]
) -> Iterator[tuple[str, str, CompiledRule]]:
    """Return the mutants: what was changed, the changed expression, and the rule with it."""
    for key, mutants in found.items():
        for change, text in mutants.some(shares[key]):
            variant = _with_expression(compiled, key, text)
            if variant is not None:
                yield f"{key}: {change}", text, variant
    if compiled.when is not None:
        yield "when: drop all of it", "", compiled.changed(when=None)
    yield from _widened(compiled)


def _with_expression(compiled: CompiledRule, key: str, text: str) -> CompiledRule | None:
    expression = _compiled(dict(compiled.expressions())[key], text)
    if expression is None:
        return None
    if key.startswith("let."):
        let = {**compiled.let, key.removeprefix("let."): expression}
        return compiled.changed(let=let)
    return compiled.changed(**{key: expression})


def _compiled(original: Expression, text: str) -> Expression | None:
    """Compile a changed expression with what the original is given; ``None`` for what is none."""
    try:
        return compile_expression(text, functions=rule_functions(), variables=given_to(original))
    except ExpressionError:
        return None


def _widened(compiled: CompiledRule) -> Iterator[tuple[str, str, CompiledRule]]:
    """Take away what the match says; what it says by default is not the rule's own."""
    rule, usual = compiled.rule, Match()
    for name in _WIDENED:
        if getattr(rule.match, name) in ((), getattr(usual, name)):
            continue
        match = msgspec.structs.replace(rule.match, **{name: ()})
        wider = msgspec.structs.replace(rule, match=match)
        yield f"match: drop {name}", "", compiled.changed(wider)


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
