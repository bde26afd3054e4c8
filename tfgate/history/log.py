"""``tfgate rules log``: the history of rules, from git."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import click
import msgspec

from tfgate.audit.scratch import scratch
from tfgate.command.output import write_lines
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError, UsageError
from tfgate.gate.rule_origin import RulesOrigin, checkout_of, repository_of
from tfgate.gate.rules import READ, RulesPlace, write_tree
from tfgate.git import Git, GitError
from tfgate.history.changes import RuleDiff, diff_lines, diff_rulesets
from tfgate.provenance.approval import Landings
from tfgate.provenance.history import Commit, Touch, mainline, read_commits
from tfgate.report.escape import console, log_line
from tfgate.ruleset import GateConfig, Ruleset
from tfgate.ruleset.loader import inspect_ruleset
from tfgate.ruleset.sources import MANIFEST

F = TypeVar("F", bound="Callable[..., Any]")


def place_options(command: F) -> F:
    """Add the options that say which rules are meant: ``--ruleset`` and ``--config``."""
    command = click.option("--config", metavar="FILE", help="Configuration to use.")(command)
    return click.option(
        "--ruleset", "-r", "rulesets", multiple=True, metavar="SOURCE",
        help="A ruleset: a folder or a TOML file. Default: those of tfgate.toml, or the one here.",
    )(command)  # fmt: skip


class LogEntry(msgspec.Struct, frozen=True):
    """One change of a ruleset on the line of history in force."""

    ruleset: str
    commit: str
    """The commit by which it came to be in force: a merge, or the commit itself."""
    time: str
    """When that was: RFC 3339."""
    subject: str
    authors: tuple[str, ...]
    approvers: tuple[str, ...]
    """Who approved all of it, and wrote none of it."""
    diffs: tuple[RuleDiff, ...]
    """What changed; empty where the text alone did."""
    problem: str | None = None
    """Why a version could not be read in full, where one could not."""


def rule_log(
    ruleset: Ruleset,
    config: GateConfig,
    env: Mapping[str, str],
    *,
    rule: str | None = None,
    limit: int | None = None,
) -> Iterator[LogEntry]:
    """Return the history of a ruleset, or of one of its rules, newest first.

    Raises ``UsageError`` where it is in no checkout, and ``TfgateError`` where git does not answer.
    """
    checkout = checkout_of(ruleset)
    repository = None if checkout is None else repository_of(checkout, env)
    if checkout is None or repository is None:
        raise UsageError(
            f"The ruleset {ruleset.id} ({ruleset.source}) is in no git checkout here, so it has no "
            "history to show."
        )
    path = Path(os.path.realpath(ruleset.path))
    inside = path.relative_to(checkout.top.resolve()).as_posix()
    try:
        landings = RulesOrigin(config, env, None).landings(repository)
        log = _Log(repository, ruleset, "" if inside == "." else inside, landings)
        yield from log.entries(rule, limit)
    except GitError as error:
        raise TfgateError(f"The history of {ruleset.id} cannot be read: {error}.") from None


class _Versions(NamedTuple):
    before: Ruleset | None
    after: Ruleset | None
    problem: str | None


class _Log:
    def __init__(self, repository: Git, ruleset: Ruleset, inside: str, landings: Landings) -> None:
        self._repository = repository
        self._ruleset = ruleset
        self._inside = inside
        self._landings = landings
        self._is_folder = ruleset.path.is_dir()

    def entries(self, rule: str | None, limit: int | None) -> Iterator[LogEntry]:
        head = self._repository.commit_of("HEAD")
        if head is None:
            return
        paths = [self._inside] if self._inside else []
        per_commit: dict[str, list[Touch]] = {}
        for touch in mainline(self._repository, head, paths):
            if touch.path.endswith(".toml"):
                per_commit.setdefault(touch.commit, []).append(touch)
        given = 0
        for commit_id, touches in per_commit.items():
            commit = read_commits(self._repository, [commit_id])[commit_id]
            entry = self._entry(commit, touches, rule)
            if entry is not None:
                yield entry
                given += 1
            if given == limit:
                return

    def _entry(self, commit: Commit, touches: Sequence[Touch], rule: str | None) -> LogEntry | None:
        with scratch() as folder:
            versions = self._versions(commit, touches, folder)
            diffs = _diffs(versions)
        if rule is not None:
            diffs = tuple(diff for diff in diffs if diff.rule == rule)
            if not diffs:
                return None
        changes = [*self._landings.changes(commit, [touch.path for touch in touches]).values()]
        approvers = [who.shown for who in changes[0].approvers]
        return LogEntry(
            ruleset=self._ruleset.id,
            commit=commit.id,
            time=commit.time,
            subject=commit.subject,
            authors=tuple({who.shown: None for change in changes for who in change.authors}),
            approvers=tuple(
                who
                for who in approvers
                if all(who in [other.shown for other in change.approvers] for change in changes)
            ),
            diffs=diffs,
            problem=versions.problem,
        )

    def _versions(self, commit: Commit, touches: Sequence[Touch], folder: Path) -> _Versions:
        """Load what the commit touched, before and after it, with what rules may name."""
        before = commit.parents[0] if commit.parents else None
        old, old_problem = (
            (None, None) if before is None else self._load(before, touches, folder / "a")
        )
        new, new_problem = self._load(commit.id, touches, folder / "b")
        return _Versions(old, new, new_problem or old_problem)

    def _load(
        self, commit: str, touches: Sequence[Touch], folder: Path
    ) -> tuple[Ruleset | None, str | None]:
        tree = self._repository.tree(commit, [self._inside] if self._inside else [])
        touched = {touch.path for touch in touches}
        at = f"{self._inside}/" if self._inside else ""

        def wanted(path: str) -> bool:
            # Other rules are the same on both sides, and cost time.
            return path in touched or not path.startswith(f"{at}rules/")

        main = f"{at}{MANIFEST}" if self._is_folder else self._inside
        if main not in tree:
            return None, None
        if self._is_folder:
            write_tree(self._repository, tree, folder, wanted)
        else:
            beside = os.path.dirname(self._inside)
            tree = self._repository.tree(commit, [beside] if beside else [])
            write_tree(self._repository, tree, folder, lambda path: path.endswith(READ))
        source = str(folder / self._inside) if self._inside else str(folder)
        inspection = inspect_ruleset(source, functions=rule_functions())
        problems = [p for p in inspection.problems if not p.message.startswith("has no rules")]
        return inspection.ruleset, problems[0].message if problems else None


def _diffs(versions: _Versions) -> tuple[RuleDiff, ...]:
    before, after = versions.before, versions.after
    if before is not None and after is not None:
        return diff_rulesets(before, after)
    some = after or before
    if some is None:
        return ()
    none = msgspec.structs.replace(some, rules=())
    return diff_rulesets(none, some) if before is None else diff_rulesets(some, none)


def logs_of(place: RulesPlace, rule: str | None, limit: int | None) -> Iterator[LogEntry]:
    """Return the history of each ruleset in a checkout, newest first; of ``rule`` alone, if given.

    A rule that is there no more is looked for in the history of all of them. Raises
    ``UsageError`` where no ruleset has a history, or none a rule of that name.
    """
    config = place.gate_config()
    rulesets = [one for one in place.effective().rulesets if checkout_of(one) is not None]
    if not rulesets:
        raise UsageError(
            "None of the rulesets in force is in a git checkout, so there is no history to show.",
            hint="Run this in the checkout of the rules, or name one: -r DIR.",
        )
    having = [one for one in rulesets if rule in {compiled.id for compiled in one.rules}]
    found = False
    for ruleset in having or rulesets:
        for entry in rule_log(ruleset, config, place.env, rule=rule, limit=limit):
            found = True
            yield entry
    if rule is not None and not found:
        raise UsageError(f"No ruleset in a checkout has, or had, a rule {rule}.")


@click.command("log", epilog="Example: tfgate rules log ACME-EC2-003")
@click.argument("rule", required=False)
@click.option("--limit", "-n", type=click.IntRange(1), default=20, show_default=True,
              help="How many changes of each ruleset to show.")  # fmt: skip
@place_options
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def log(
    rule: str | None, limit: int, rulesets: tuple[str, ...], config: str | None, as_json: bool
) -> None:
    """Show the history of RULE, or of whole rulesets: when, who, approved by whom, what.

    What is shown is the difference in what the rules do (expressions, level, match, parameters),
    not of their text.
    """
    entries = logs_of(RulesPlace(Path.cwd(), os.environ, config, rulesets), rule, limit)
    if as_json:
        write_lines(json.dumps(msgspec.to_builtins(entry)) for entry in entries)
    else:
        lines = (line for entry in entries for line in _entry_lines(entry))
        write_lines(log_line(console(line)) for line in lines)


def _entry_lines(entry: LogEntry) -> Iterator[str]:
    approved = ", ".join(entry.approvers) or "nobody else"
    yield f"{entry.time}  {entry.commit[:12]}  {entry.ruleset}"
    yield f"  by {', '.join(entry.authors)}; approved by {approved}"
    yield f"  {entry.subject}"
    for diff in entry.diffs:
        yield from diff_lines(diff)
    if not entry.diffs:
        yield "  nothing but the text of the files changed"
    if entry.problem is not None:
        yield f"  (a version cannot be read in full: {entry.problem})"
    yield ""
