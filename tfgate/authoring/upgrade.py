"""``tfgate rules upgrade``: rulesets whose expressions call retired functions, rewritten.

Only what has to change is changed: the calls themselves, inside the strings as they are written,
and a ``[context.NAME]`` table for each fact that the rules read and nothing declares. What comes
out is read again, and must be the old file with the new expressions: comments, order, quotes and
line ends stay.
"""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import click

from tfgate.command.output import write_err, write_lines
from tfgate.errors import ConfigError, Problem, TfgateError, UsageError
from tfgate.report.escape import console
from tfgate.ruleset.facts import BY_HOST, IN_EVERY_RUN
from tfgate.ruleset.files import Unreadable, parse_toml, read_toml
from tfgate.ruleset.header import header_lines
from tfgate.ruleset.problems import KeyPath, Problems, show_name, string_tokens
from tfgate.ruleset.retired import retired_calls
from tfgate.ruleset.sources import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tfgate.ruleset.files import TomlFile

_EXPRESSIONS: Final = ("when", "deny", "require")
_MOST_FILES: Final = 10_000


class Upgrade(NamedTuple):
    """A file with its old and its new text; both without a byte order mark."""

    path: Path
    name: str
    old: str
    new: str

    def diff(self) -> Iterator[str]:
        """Return the lines of a unified diff."""
        for line in difflib.unified_diff(_lines(self.old), _lines(self.new), self.name, self.name):
            yield line.rstrip("\r\n")
            if not line.endswith("\n"):
                yield "\\ No newline at end of file"


def _lines(text: str) -> list[str]:
    return [line for line in re.split(r"(?<=\n)", text) if line]


def upgrade(paths: Iterable[Path]) -> list[Upgrade]:
    """Rewrite the rulesets and rules in files, and in folders with all that is below them.

    Returns the files that change. Raises ``ConfigError`` with every place that cannot be rewritten,
    and ``UsageError`` where there is nothing to look at.
    """
    problems: list[Problem] = []
    named = [found for path in paths for found in _files(path, problems)]
    files = list({path: (path, file) for path, file in named}.values())
    if not files and not problems:
        raise UsageError(
            "There is no ruleset to upgrade here.",
            hint="Name files or folders: tfgate rules upgrade ./policy",
        )
    texts = {path: _rewritten(file, problems) for path, file in files}
    read = dict(files)
    for path, file in files:
        if "ruleset" in file.table:
            own = [file, *(read[rule] for rule in sorted(_rules_of(path)) if rule in read)]
            texts[path] = _declared(texts[path], file, own)
    if problems:
        raise ConfigError(problems)
    return [
        Upgrade(path, file.name, file.text, texts[path])
        for path, file in files
        if texts[path] != file.text
    ]


def _files(path: Path, problems: list[Problem]) -> Iterator[tuple[Path, TomlFile]]:
    """Yield the files that hold a ruleset or a rule; a single rule comes with its manifest."""
    if not path.is_dir():
        found = [path, *([path.parent.parent / MANIFEST] if path.parent.name == "rules" else [])]
        found = [path, *(each for each in found[1:] if each.is_file())]
    else:
        below = (each.relative_to(path) for each in sorted(path.rglob("*.toml")))
        found = [path / each for each in below if not any(p.startswith(".") for p in each.parts)]
    if len(found) > _MOST_FILES:
        problems.append(Problem(str(path), f"has more than {_MOST_FILES:,} files"))
        return
    for each in found:
        try:
            file = read_toml(each, str(each))
        except Unreadable as error:
            if each == path or _may_call(each):
                problems.append(error.problem)
            continue
        if _holds_rules(file.table):
            yield each, file
        elif each == path:
            problems.append(Problem(str(path), "is neither a ruleset nor a rule"))


def _may_call(path: Path) -> bool:
    """Whether a file that cannot be read as TOML may be one to upgrade: templates are none."""
    try:
        return any(retired_calls(path.read_text("utf-8", "replace")))
    except OSError:
        return True


def _holds_rules(table: dict[str, Any]) -> bool:
    return "ruleset" in table or ("id" in table and bool({*_EXPRESSIONS} & {*table}))


def _rules_of(manifest: Path) -> Iterable[Path]:
    return (manifest.parent / "rules").glob("*.toml") if manifest.name == MANIFEST else ()


def _edits(path: KeyPath, text: str, found: Problems) -> Iterator[tuple[int, int, str]]:
    """Yield what changes in the string at a path: from where to where, and to what."""
    match path[2:] if path[:1] == ("rules",) else path:
        case ("when" | "deny" | "require",) | ("let", str()) | ("mutants", int(), "survives"):
            for call in retired_calls(text):
                if call.written is None:
                    found.add(f"{call.function}() cannot be rewritten: {call.message}", path)
                else:
                    yield call.start, call.end, call.written
        case ("message",):
            for placeholder in _PATH.finditer(text):
                for name in _DASHED.finditer(text, *placeholder.span("path")):
                    if name["name"]:
                        yield *name.span("name"), f'"{name["name"]}"'


_PATH: Final = re.compile(
    r"""(?<!\{)\{(?P<path>(?:@item|[A-Za-z_]\w*)"""
    r"""(?:\.[A-Za-z_][\w-]*|\."(?:[^"\\]|\\["\\])+"|\[\d+\])*)\}""",
    re.ASCII,
)
"""A placeholder of a message, which was a path and no expression."""
_DASHED: Final = re.compile(r"\.(?P<name>[A-Za-z_]\w*(?:-[A-Za-z_]\w*)+)|\"[^\"]*\"", re.ASCII)
"""A name with a dash in it, which an expression quotes: it is a minus there."""


def _rewritten(file: TomlFile, problems: list[Problem]) -> str:
    """Return the text with its expressions rewritten; record what cannot be."""
    found = file.problems()
    text, expected = file.text, file.table
    for path, (start, token) in sorted(string_tokens(text).items(), key=lambda each: -each[1][0]):
        changed = _rewritten_string(token, path, found)
        if changed != token:
            text = text[:start] + changed + text[start + len(token) :]
            expected = _with(expected, path, _decoded(changed)[0])
    _check_let_names(file.table, found)
    if not found and (parse_toml(text, file.name) != expected or _left(expected)):
        found.add("cannot be rewritten with certainty: write the new form by hand")
    problems += found.done()
    return text


def _rewritten_string(token: str, path: KeyPath, found: Problems) -> str:
    """Rewrite a string as it is written in the file."""
    text, offsets = _decoded(token)
    is_basic = token.startswith('"')
    for start, end, new in reversed(list(_edits(path, text, found))):
        written = new.replace('"', '\\"') if is_basic else new
        token = token[: offsets[start]] + written + token[offsets[end] :]
    return token


_ESCAPED: Final = re.compile(
    r"\\(?:u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|x([0-9A-Fa-f]{2})|[ \t]*\r?\n[ \t\r\n]*|(.))",
    re.DOTALL,
)
_SHORT: Final = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def _decoded(token: str) -> tuple[str, list[int]]:
    """Return what a TOML string says, and where in it each character begins, and the last ends."""
    quotes = 3 if token[:3] in {'"""', "'''"} else 1
    place, end = quotes, len(token) - quotes
    if quotes == 3:
        place += len(re.match(r"\r?\n|", token[3:]).group())  # type: ignore[union-attr] # matches always
    characters, offsets = [], []
    while place < end:
        escape = _ESCAPED.match(token, place) if token[0] == '"' else None
        character = token[place] if escape is None else _unescaped(escape)
        step = 1 if escape is None else escape.end() - place
        if token.startswith("\r\n", place):
            character, step = "\n", 2
        if character:
            characters.append(character)
            offsets.append(place)
        place += step
    return "".join(characters), [*offsets, end]


def _unescaped(escape: re.Match[str]) -> str:
    digits = escape[1] or escape[2] or escape[3]
    if digits:
        return chr(int(digits, 16))
    return _SHORT.get(escape[4], escape[4]) if escape[4] else ""


def _with(value: Any, path: KeyPath, text: str) -> Any:
    """Return a copy of a table with another string at a path."""
    if not path:
        return text
    step, rest = path[0], path[1:]
    copy = list(value) if isinstance(value, list) else dict(value)
    copy[step] = _with(value[step], rest, text)  # type: ignore[index] # the scanner's path
    return copy


def _tables(table: dict[str, Any]) -> Iterator[tuple[KeyPath, dict[str, Any]]]:
    """Yield each rule's table, with where it stands."""
    listed = table.get("rules")
    if "ruleset" not in table:
        yield (), table
    elif isinstance(listed, list):
        for number, rule in enumerate(listed):
            if isinstance(rule, dict):
                yield ("rules", number), rule


def _texts(rule: dict[str, Any]) -> Iterator[str]:
    let = rule.get("let")
    values = [rule.get(key) for key in _EXPRESSIONS]
    values += let.values() if isinstance(let, dict) else ()
    yield from (value for value in values if isinstance(value, str))


def _left(table: dict[str, Any]) -> bool:
    return any(
        next(retired_calls(text), None) for _, rule in _tables(table) for text in _texts(rule)
    )


def _check_let_names(table: dict[str, Any], found: Problems) -> None:
    """A name of ``let`` that was a string is a variable now."""
    for at, rule in _tables(table):
        let = rule.get("let")
        for name in let if isinstance(let, dict) else ():
            if name in {"params", "data", "context"}:
                found.add(f"${name} is tfgate's own: rename it first", (*at, "let", name))
            elif not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
                message = "a variable's name has letters, digits and _: rename it first"
                found.add(message, (*at, "let", name))


def _declared(text: str, manifest: TomlFile, files: list[TomlFile]) -> str:
    """Add a table for each fact that rules or their examples name and nothing declares."""
    known = {*IN_EVERY_RUN, *BY_HOST, *(manifest.table.get("context") or {})}
    values: dict[str, list[Any]] = {}
    for file in files:
        for _, rule in _tables(file.table):
            for expression in _texts(rule):
                for call in retired_calls(expression):
                    if call.function == "context" and call.name:
                        values.setdefault(call.name, [])
            for test in rule.get("tests") or ():
                for name, value in (test.get("context") or {}).items():
                    values.setdefault(name, []).append(value)
    missing = {name: _type(found) for name, found in values.items() if name not in known}
    if not missing:
        return text
    end = "\r\n" if "\r\n" in text else "\n"
    tables = [
        f'[context.{show_name(name)}]{end}type = "{kind}"{end}' for name, kind in missing.items()
    ]
    lines = _lines(text)
    first = next(iter(header_lines(text, "rules")), len(lines) + 1) - 1
    while 0 < first < len(lines) and lines[first - 1].lstrip().startswith("#"):
        first -= 1  # a comment above the first rule is about that rule
    if first < len(lines):
        new = "".join(lines[:first]) + end.join([*tables, ""]) + "".join(lines[first:])
        with contextlib.suppress(Unreadable):
            if parse_toml(new, manifest.name).get("rules") == parse_toml(text, "").get("rules"):
                return new
    return text + ("" if text.endswith("\n") else end) + end + end.join(tables)


def _type(values: list[Any]) -> str:
    """Return the type that all examples agree on; the command line gave strings."""
    kinds = {type(value) for value in values}
    names = {bool: "bool", int: "number", float: "number", str: "string"}
    found = {names.get(kind, "any") for kind in kinds} or {"string"}
    return found.pop() if len(found) == 1 else "any"


def _write(change: Upgrade) -> None:
    """Put the new text in the old one's place, whole, with its mode and its byte order mark."""
    path = Path(os.path.realpath(change.path))
    mark = b"\xef\xbb\xbf" if path.read_bytes().startswith(b"\xef\xbb\xbf") else b""
    try:
        with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".tfgate-", delete=False) as made:
            made.write(mark + change.new.encode())
        os.chmod(made.name, path.stat().st_mode & 0o7777)
        os.replace(made.name, path)
    except OSError as error:
        raise TfgateError(f"{change.name} cannot be written: {error.strerror}.") from None


@click.command("upgrade", epilog="Example: tfgate rules upgrade ./policy --write")
@click.argument("paths", nargs=-1, metavar="[PATH]...", type=click.Path(path_type=Path))
@click.option("--write", is_flag=True, help="Change the files instead of showing a diff.")
def command(paths: tuple[Path, ...], write: bool) -> None:
    """Rewrite rulesets whose expressions call param(), data(), context() or var().

    PATH is a ruleset, a rule, or a folder with some of them (default: here). Without --write, what
    would change is shown as a diff, and no file is touched.
    """
    changes = upgrade(paths or (Path(),))
    if not changes:
        write_err("Nothing to upgrade.")
    for change in changes:
        if write:
            _write(change)
            write_err(f"Upgraded {console(change.name)}.")
        else:
            write_lines(map(console, change.diff()))
