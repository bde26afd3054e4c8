"""Loads rulesets: finds the files, reads all of them, reports every mistake at once."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from tfgate.errors import Problem, RulesetError
from tfgate.ruleset.compiled import CompiledRule, Names, compile_later, compile_rule
from tfgate.ruleset.data import DataFile, read_data
from tfgate.ruleset.files import TomlFile, Unreadable, draft_toml, read_toml
from tfgate.ruleset.frozen import Frozen
from tfgate.ruleset.header import build_header, build_params, is_overridable
from tfgate.ruleset.headers import header_lines
from tfgate.ruleset.problems import show_name
from tfgate.ruleset.rule_tables import RULE, RULESET
from tfgate.ruleset.rules import build_rule
from tfgate.ruleset.ruleset import Ruleset, RulesetFile, digest, repeated_rules
from tfgate.ruleset.sources import Located, locate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from tfgate.query import FunctionTable
    from tfgate.ruleset.header import Header
    from tfgate.ruleset.problems import Problems
    from tfgate.ruleset.remote.remote import Remote

MANIFEST = "ruleset.toml"
MAX_RULE_FILES = 5_000


def load_ruleset(
    source: str,
    *,
    base: Path | None = None,
    functions: FunctionTable | None = None,
    examples: bool = True,
    remote: Remote | None = None,
) -> Ruleset:
    """Load one ruleset: ``tfgate:core``, a folder with ``ruleset.toml``, a TOML file, ``git::…``.

    Relative paths are relative to ``base`` (the working directory). ``functions`` is what
    expressions may call. Without ``examples`` the rules of a folder come without theirs, and are
    compiled when they are used: that is for an evaluation by rules that were checked before.
    ``remote`` finds rulesets in git. Raises ``RulesetError`` with
    every mistake of every file.
    """
    return load_located(source, locate(source, base, remote), functions, examples=examples)


def load_located(
    source: str, located: Located, functions: FunctionTable | None = None, *, examples: bool = True
) -> Ruleset:
    """Load a ruleset whose place is known already. Raises ``RulesetError``."""
    return _Loader(source, located, functions, examples=examples).load()


class Inspection(Frozen, frozen=True):
    """A ruleset as far as it can be read, and what keeps it from being used."""

    ruleset: Ruleset | None
    """What there is: rules without the parts that are wrong. ``None`` where nothing can be read."""
    problems: tuple[Problem, ...]


def inspect_ruleset(
    source: str,
    *,
    base: Path | None = None,
    functions: FunctionTable | None = None,
    remote: Remote | None = None,
    drafts: Mapping[str, str] | None = None,
) -> Inspection:
    """Read a ruleset as `load_ruleset` does, and give what is right in one that is not.

    ``drafts`` are texts that stand in for files, by their real paths: what an editor has not saved.
    """
    try:
        loader = _Loader(source, locate(source, base, remote), functions, drafts=drafts)
        return Inspection(loader.gather(), tuple(loader.found))
    except RulesetError as error:
        return Inspection(None, error.problems)


class _Loader:
    """Loads one ruleset; gathers mistakes and goes on."""

    def __init__(
        self,
        source: str,
        located: Located,
        functions: FunctionTable | None,
        *,
        examples: bool = True,
        drafts: Mapping[str, str] | None = None,
    ) -> None:
        self.drafts = drafts or {}
        self.source = source
        self.located = located
        self.functions = functions
        self.examples = examples
        self.found: list[Problem] = []
        self.files: list[RulesetFile] = []
        self.is_folder = os.path.isdir(located.path)

    def load(self) -> Ruleset:
        """Give the ruleset, if there is nothing wrong with it."""
        ruleset = self.gather()
        if self.found:
            raise RulesetError(self.found)
        return ruleset

    def gather(self) -> Ruleset:
        """Read everything there is; mistakes are in ``found``."""
        manifest = self._read_manifest()
        problems = manifest.problems()
        read = RULESET.read(manifest.table, (), problems)
        header = build_header(read["ruleset"], problems)
        params = build_params(read["params"], manifest.table.get("params"), problems)
        data = self._read_data(read["data"], problems)
        names = Names(params, data, self.functions)
        rules = self._own_rules(manifest, read["rules"], header, names, problems)
        self.found += problems.done()
        rules += self._rules_of_folder(header, names)
        self._check_rules(rules)
        files = tuple(sorted(self.files, key=lambda file: file.path))
        return Ruleset(
            header,
            params,
            data,
            tuple(rules),
            self.source,
            self.located.path,
            files,
            digest(files),
            self.located.commit,
        )

    def _read_manifest(self) -> TomlFile:
        path, shown = self.located.path, self.located.shown
        if not self.is_folder:
            return self._read(path, path.name, shown)
        if not os.path.lexists(path / MANIFEST):
            message = f"is a folder without {MANIFEST}, so it is no ruleset"
            raise RulesetError([Problem(shown, message)])
        return self._read(path / MANIFEST, MANIFEST, f"{shown}/{MANIFEST}")

    def _toml(self, path: Path, shown: str, *, until: str | None = None) -> TomlFile:
        draft = self.drafts.get(os.path.realpath(path)) if self.drafts else None
        return read_toml(path, shown, until=until) if draft is None else draft_toml(draft, shown)

    def _read(self, path: Path, relative: str, shown: str) -> TomlFile:
        try:
            file = self._toml(path, shown)
        except Unreadable as error:
            raise RulesetError([error.problem]) from None
        self.files.append(RulesetFile(relative, file.sha256))
        return file

    def _read_data(
        self, declared: dict[str, Any], problems: Problems
    ) -> dict[str, DataFile | None]:
        return {
            name: self._read_data_file(name, entry["file"], problems) if entry["file"] else None
            for name, entry in declared.items()
        }

    def _read_data_file(self, name: str, file: str, problems: Problems) -> DataFile | None:
        folder = self.located.path if self.is_folder else self.located.path.parent
        if not _is_inside(folder, file):
            message = "a data file is given by a path inside the ruleset's folder"
            problems.add(message, ("data", name, "file"))
            return None
        shown = self.located.shown if self.is_folder else os.path.dirname(self.located.shown)
        try:
            data = read_data(name, folder / file, os.path.join(shown, file))
        except Unreadable as error:
            self.found.append(error.problem)
            return None
        self.files.append(RulesetFile(os.path.normpath(file).replace(os.sep, "/"), data.sha256))
        return data

    def _own_rules(
        self,
        manifest: TomlFile,
        read: Sequence[dict[str, Any]],
        header: Header,
        names: Names,
        problems: Problems,
    ) -> list[CompiledRule]:
        written = manifest.table.get("rules")
        raw = (
            [table for table in written if isinstance(table, dict)]
            if isinstance(written, list)
            else []
        )
        rules = []
        lines = header_lines(manifest.text, "rules") if raw else []
        are_known = len(lines) == len(raw)
        for number, (rule, table) in enumerate(zip(read, raw, strict=False)):
            problems.prefix = ("rules", number)
            line = lines[number] if are_known else problems.line_of(problems.prefix)
            rules.append(_build(rule, table, header, names, problems, line))
        problems.prefix = ()
        return rules

    def _rules_of_folder(self, header: Header, names: Names) -> list[CompiledRule]:
        rules = []
        for path, relative in self._rule_files():
            shown = f"{self.located.shown}/{relative}"
            try:
                # Shipped rules end with their examples, which are two thirds of the text.
                file = self._toml(path, shown, until=None if self.examples else "[[tests]]")
            except Unreadable as error:
                self.found.append(error.problem)
                continue
            self.files.append(RulesetFile(relative, file.sha256))
            problems = file.problems()
            table = file.table if self.examples else _without_examples(file.table)
            read = RULE.read(table, (), problems)
            rules.append(_build(read, table, header, names, problems, later=not self.examples))
            self.found += problems.done()
        return rules

    def _rule_files(self) -> Iterator[tuple[Path, str]]:
        folder = self.located.path / "rules"
        if not self.is_folder or not os.path.lexists(folder):
            return
        try:
            entries = sorted(name for name in os.listdir(folder) if not _is_aside(name))
        except OSError:
            message = "cannot be listed as a folder"
            self.found.append(Problem(f"{self.located.shown}/rules", message))
            return
        if len(entries) > MAX_RULE_FILES:
            message = f"has more than {MAX_RULE_FILES:,} files"
            self.found.append(Problem(f"{self.located.shown}/rules", message))
            return
        for name in entries:
            problem = _file_problem(folder / name, name)
            relative = f"rules/{name if name.isprintable() else show_name(name)}"
            if problem is None:
                yield folder / name, relative
            else:
                self.found.append(Problem(f"{self.located.shown}/{relative}", problem))

    def _check_rules(self, rules: Sequence[CompiledRule]) -> None:
        self.found += repeated_rules(rules)
        if not rules and not self.found:
            message = "has no rules: put one in each rules/*.toml, or write [[rules]]"
            self.found.append(Problem(self.located.shown, message))


def _file_problem(path: Path, name: str) -> str | None:
    """Say why a file in ``rules/`` is no rule file; ``None`` where it is one."""
    if not name.isprintable():
        return "has an unprintable name"
    if name.endswith(".toml") and not os.path.isdir(path):
        return None
    return "is not a rule file: rules/ holds one *.toml file a rule, and no folders"


def _without_examples(table: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in table.items() if key != "tests"}


def _build(
    read: dict[str, Any],
    table: dict[str, Any],
    header: Header,
    names: Names,
    problems: Problems,
    line: int | None = 1,
    *,
    later: bool = False,
) -> CompiledRule:
    rule = build_rule(read, table, problems, line)
    may_lower = is_overridable(header, rule, read["overridable"])
    compiled = compile_later if later else compile_rule
    return compiled(rule, names, problems, overridable=may_lower)


def _is_inside(folder: Path, file: str) -> bool:
    """Tell whether a relative path stays in the folder, symbolic links followed."""
    if os.path.isabs(file) or "\\" in file or "\0" in file:
        return False
    real = os.path.realpath(folder)
    return os.path.realpath(os.path.join(real, file)).startswith(real + os.sep)


def _is_aside(name: str) -> bool:
    """Tell whether a name is of a file that nobody takes for a rule."""
    return name.startswith(".") or name.endswith((".md", "~"))
