"""Loads rulesets: finds the files, reads all of them, reports every mistake at once."""

from __future__ import annotations

import hashlib
import os
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from msgspec.structs import replace

from tfgate.errors import Problem, RulesetError
from tfgate.model import Frozen
from tfgate.model.rule import Rule
from tfgate.ruleset.compiled import CompiledRule, compile_later, compile_rule
from tfgate.ruleset.data import DataFile, DataSchema, read_data, read_schema
from tfgate.ruleset.facts import check_declared
from tfgate.ruleset.files import MAX_TOML_BYTES, Unreadable, is_inside, read_bytes, toml_file
from tfgate.ruleset.header import build_header, build_params, header_lines, is_overridable
from tfgate.ruleset.names import Names
from tfgate.ruleset.problems import show_name
from tfgate.ruleset.rule_tables import RULE, RULESET
from tfgate.ruleset.rules import build_rule
from tfgate.ruleset.ruleset import Ruleset, RulesetFile, digest, repeated_rules
from tfgate.ruleset.sources import MANIFEST, Located, locate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tfgate.query import FunctionTable
    from tfgate.ruleset.files import TomlFile
    from tfgate.ruleset.header import Header
    from tfgate.ruleset.problems import Problems
    from tfgate.ruleset.remote.remote import Remote

_Read = TypeVar("_Read", DataFile, DataSchema)


# --- The shipped rules as they were checked, kept so that an evaluation need not read their TOML.
#
# One JSON file a ruleset, made by ``scripts/generate``, lies in the package. It stands in for a
# rule's file only while that file, and the ruleset's manifest, are byte for byte what they were:
# the loader takes the digest of every file, and reads what has another one as it reads anybody's
# rules. Only what comes in the package is believed: nothing of the kind is looked for beside other
# rules.


class CheckedRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was read from a rule's file."""

    sha256: str
    """Hex digest of the file."""
    rule: Rule
    """Without examples and mutants."""
    overridable: bool = False
    """Whether the configuration may lower the level, the manifest's word included."""

    def is_of(self, data: bytes) -> bool:
        """Whether a file is still what it was."""
        return hashlib.sha256(data).hexdigest() == self.sha256


class _Checked(msgspec.Struct, frozen=True):
    manifest: str
    """Hex digest of ``ruleset.toml``: what a rule may name, and whether it is lowered, is there."""
    rules: dict[str, CheckedRule]
    """By the name of the rule's file."""


def checked_rules(name: str, manifest: str) -> Mapping[str, CheckedRule]:
    """Return the checked rules of a shipped ruleset by file; none where its manifest is another."""
    try:
        checked = msgspec.json.decode(checked_path(name).read_bytes(), type=_Checked)
    except (OSError, msgspec.DecodeError):
        return {}
    return checked.rules if checked.manifest == manifest else {}


def checked_path(name: str) -> Path:
    """Return the path of a ruleset's file in the package."""
    return Path(__file__).parent / "shipped" / f"{name}.json"


def checked_text(ruleset: Ruleset) -> str:
    """Return what the file has to hold, of a shipped ruleset that was loaded with its examples."""
    digests = {file.path: file.sha256 for file in ruleset.files}
    lines = []
    for compiled in ruleset.rules:
        path = compiled.rule.file.removeprefix(f"{ruleset.source}/")
        rule = replace(compiled.rule, tests=(), mutants=())
        checked = CheckedRule(digests[path], rule, compiled.overridable)
        name = path.removeprefix("rules/")
        lines.append(f'"{name}": {msgspec.json.encode(checked).decode()}')
    rules = ",\n".join(lines)
    return f'{{"manifest": "{digests[MANIFEST]}", "rules": {{\n{rules}\n}}}}\n'


MAX_RULE_FILES = 5_000


def load_ruleset(
    source: str,
    *,
    base: Path | None = None,
    functions: FunctionTable | None = None,
    shipped_examples: bool = True,
    remote: Remote | None = None,
) -> Ruleset:
    """Load one ruleset: ``tfgate:core``, a folder with ``ruleset.toml``, a TOML file, ``git::…``.

    Relative paths are relative to ``base`` (the working directory). ``functions`` is what
    expressions may call. Without ``shipped_examples``, rules that come with tfgate, and are still
    as they were checked, have no examples and are compiled when they are used: that is for an
    evaluation. ``remote`` finds rulesets in git. Raises ``RulesetError`` with every mistake of
    every file.
    """
    located = locate(source, base, remote)
    return load_located(source, located, functions, shipped_examples=shipped_examples)


def load_located(
    source: str,
    located: Located,
    functions: FunctionTable | None = None,
    *,
    shipped_examples: bool = True,
) -> Ruleset:
    """Load a ruleset whose place is known already. Raises ``RulesetError``."""
    return _Loader(source, located, functions, shipped_examples=shipped_examples).load()


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
        shipped_examples: bool = True,
        drafts: Mapping[str, str] | None = None,
    ) -> None:
        self.drafts = drafts or {}
        self.source = source
        self.located = located
        self.functions = functions
        self.shipped_examples = shipped_examples
        self.found: list[Problem] = []
        self.files: list[RulesetFile] = []
        self.is_folder = os.path.isdir(located.path)

    def load(self) -> Ruleset:
        """Return the ruleset, if there is nothing wrong with it."""
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
        schemas = self._read_schemas(read["data"], problems)
        data = self._read_data(read["data"], schemas, problems)
        context = build_params(read["context"], manifest.table.get("context"), problems, "context")
        check_declared(context, problems)
        names = Names(params, data, context, functions=self.functions)
        let = names.compile_let(read["let"], problems)
        names = replace(names, let=let)
        rules = self._own_rules(manifest, read["rules"], header, names, problems)
        self.found += problems.done()
        rules += self._rules_of_folder(header, names, self._checked(manifest))
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
            context,
            let,
            schemas,
        )

    def _read_manifest(self) -> TomlFile:
        path, shown = self.located.path, self.located.shown
        if not self.is_folder:
            return self._read(path, path.name, shown)
        if not os.path.lexists(path / MANIFEST):
            message = f"is a folder without {MANIFEST}, so it is no ruleset"
            raise RulesetError([Problem(shown, message)])
        return self._read(path / MANIFEST, MANIFEST, f"{shown}/{MANIFEST}")

    def _bytes(self, path: str | Path, shown: str) -> bytes:
        draft = self.drafts.get(os.path.realpath(path)) if self.drafts else None
        return read_bytes(path, shown, MAX_TOML_BYTES) if draft is None else draft.encode()

    def _read(self, path: Path, relative: str, shown: str) -> TomlFile:
        try:
            file = toml_file(self._bytes(path, shown), shown)
        except Unreadable as error:
            raise RulesetError([error.problem]) from None
        self.files.append(RulesetFile(relative, file.sha256))
        return file

    def _read_schemas(self, declared: dict[str, Any], problems: Problems) -> dict[str, DataSchema]:
        return {
            name: schema
            for name, entry in declared.items()
            if entry["schema"]
            and (schema := self._beside(name, "schema", entry["schema"], read_schema, problems))
        }

    def _read_data(
        self, declared: dict[str, Any], schemas: dict[str, DataSchema], problems: Problems
    ) -> dict[str, DataFile | None]:
        found: dict[str, DataFile | None] = dict.fromkeys(declared)
        for name, entry in declared.items():
            if entry["file"]:
                read = partial(read_data, name, schema=schemas.get(name))
                found[name] = self._beside(name, "file", entry["file"], read, problems)
        return found

    def _beside(
        self, name: str, key: str, file: str, read: Callable[[Path, str], _Read], problems: Problems
    ) -> _Read | None:
        """Read a file inside the ruleset's folder: it is a part of the ruleset's digest."""
        folder = self.located.path if self.is_folder else self.located.path.parent
        if not is_inside(folder, file):
            message = "a data file is given by a path inside the ruleset's folder"
            problems.add(message, ("data", name, key))
            return None
        shown = self.located.shown if self.is_folder else os.path.dirname(self.located.shown)
        try:
            found = read(folder / file, os.path.join(shown, file))
        except Unreadable as error:
            self.found.append(error.problem)
            return None
        self.files.append(RulesetFile(os.path.normpath(file).replace(os.sep, "/"), found.sha256))
        return found

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

    def _checked(self, manifest: TomlFile) -> Mapping[str, CheckedRule]:
        """Return the rules that were read and checked before, by the names of their files."""
        if self.shipped_examples or self.located.shipped is None:
            return {}
        return checked_rules(self.located.shipped, manifest.sha256)

    def _rules_of_folder(
        self, header: Header, names: Names, checked: Mapping[str, CheckedRule]
    ) -> list[CompiledRule]:
        rules = []
        for path, name in self._rule_files():
            relative = f"rules/{name}"
            shown = f"{self.located.shown}/{relative}"
            try:
                data = self._bytes(path, shown)
                known = checked.get(name)
                if known is not None and known.is_of(data):
                    self.files.append(RulesetFile(relative, known.sha256))
                    rules.append(compile_later(known.rule, names, overridable=known.overridable))
                else:
                    file = toml_file(data, shown)
                    self.files.append(RulesetFile(relative, file.sha256))
                    rules.append(self._rule(file, header, names))
            except Unreadable as error:
                self.found.append(error.problem)
        return rules

    def _rule(self, file: TomlFile, header: Header, names: Names) -> CompiledRule:
        problems = file.problems()
        read = RULE.read(file.table, (), problems)
        rule = _build(read, file.table, header, names, problems)
        self.found += problems.done()
        return rule

    def _rule_files(self) -> Iterator[tuple[str, str]]:
        """Return path and name of each file in ``rules/``, by name."""
        folder = self.located.path / "rules"
        if not self.is_folder or not os.path.lexists(folder):
            return
        try:
            with os.scandir(folder) as listed:
                entries = [entry for entry in listed if not _is_aside(entry.name)]
        except OSError:
            message = "cannot be listed as a folder"
            self.found.append(Problem(f"{self.located.shown}/rules", message))
            return
        if len(entries) > MAX_RULE_FILES:
            message = f"has more than {MAX_RULE_FILES:,} files"
            self.found.append(Problem(f"{self.located.shown}/rules", message))
            return
        for entry in sorted(entries, key=lambda entry: entry.name):
            problem = _file_problem(entry)
            if problem is None:
                yield entry.path, entry.name
            else:
                name = entry.name if entry.name.isprintable() else show_name(entry.name)
                self.found.append(Problem(f"{self.located.shown}/rules/{name}", problem))

    def _check_rules(self, rules: Sequence[CompiledRule]) -> None:
        self.found += repeated_rules(rules)
        if not rules and not self.found:
            message = "has no rules: put one in each rules/*.toml, or write [[rules]]"
            self.found.append(Problem(self.located.shown, message))


def _file_problem(entry: os.DirEntry[str]) -> str | None:
    """Say why a file in ``rules/`` is no rule file; ``None`` where it is one."""
    if not entry.name.isprintable():
        return "has an unprintable name"
    if entry.name.endswith(".toml") and not entry.is_dir():
        return None
    return "is not a rule file: rules/ holds one *.toml file a rule, and no folders"


def _build(
    read: dict[str, Any],
    table: dict[str, Any],
    header: Header,
    names: Names,
    problems: Problems,
    line: int | None = 1,
) -> CompiledRule:
    rule = build_rule(read, table, problems, line)
    may_lower = is_overridable(header, rule, read["overridable"])
    return compile_rule(rule, names, problems, overridable=may_lower)


def _is_aside(name: str) -> bool:
    """Whether a name is of a file that nobody takes for a rule."""
    return name.startswith(".") or name.endswith((".md", "~"))
