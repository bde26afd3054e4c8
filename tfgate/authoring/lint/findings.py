"""What lint reports: the checks, their findings with lines and columns, and remarks in words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from tfgate.errors import Problem
from tfgate.query.shapes import Remark, RemarkKind
from tfgate.query.values import LISTS, NUMBER, OBJECTS, STRINGS
from tfgate.ruleset.files import show_excerpt
from tfgate.ruleset.problems import KeyPath, Problems, nearest, show_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tfgate.query.shapes import Shape

CHECKS: Final = {
    "does-not-load": "The ruleset does not load.",
    "unknown-type": "match.types, or referenced_by(), names a type that the provider has not.",
    "unknown-attribute": "A path reads a field that is not there, and is null always.",
    "wrong-nesting": "A list is used as an object, an object as a list, or a string as either.",
    "type-mismatch": "A comparison of values of unlike types is never true.",
    "unknown-word": "A comparison with a word that the other side never is.",
    "not-ordered": "An ordering comparison of text, of a number and text, or of a list.",
    "null-raises": "An argument may be null, and the function then fails.",
    "type-raises": "An argument is never of a type that the function takes.",
    "null-passes": "Where an optional attribute is left out, the rule passes; no example shows it.",
    "unknown-unconsidered": "A computed attribute decides; no on_unknown, no unknown example.",
    "never-fails": "The rule cannot fail on a type that it selects.",
    "never-selects": "The rule's when is false on all that it selects.",
    "never-there": "after is null where things are deleted, before is null where they are created.",
    "write-only": "A write-only attribute is null in every plan.",
    "deprecated": "The attribute is deprecated by the provider.",
    "null-in-message": "A placeholder of the message may be null.",
    "bad-pattern": "RE2 refuses a regular expression, or a glob is none.",
    "piped-all": "A pipe behind || takes what is on both sides of it.",
    "overlapping-rules": "Two rules select the same and ask the same.",
    "unused": "A parameter, data file or let value that nothing uses.",
    "example-attribute": "An example has an attribute that its type has not, or nests it wrongly.",
}  # fmt: skip
"""Name of each check, and what it finds."""


class LintFinding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One finding."""

    check: str
    """A name of `CHECKS`."""
    file: str
    message: str
    rule: str = ""
    """Id of the rule, empty where it is about none."""
    key: str | None = None
    """Dotted key in the file."""
    line: int | None = None
    column: int | None = None
    """1-based, in the expression (or its line, of one with several)."""
    excerpt: str | None = None

    def render(self) -> str:
        """Write ``file:line: key: column N: message [check]`` with the excerpt below it."""
        message = f"{self.message} [{self.check}]"
        problem = Problem(self.file, message, self.key, self.line, self.column, self.excerpt)
        return problem.render()


class LintResult(msgspec.Struct, frozen=True):
    """What linting found."""

    findings: tuple[LintFinding, ...]
    notes: tuple[str, ...]
    """What could not be checked, and what differs between versions of a provider."""
    rules: int
    """Number of rules that were looked at."""
    ignored: int = 0
    """Findings that the rule file or the command line ignores."""


_IGNORE = re.compile(
    r"^[ \t]*#[ \t]*lint:[ \t]*ignore[ \t]+([a-z-]+)(?:[ \t]*:[ \t]*(\S.*))?$", re.MULTILINE
)
_DOUBTS: Final = frozenset(
    {"null-raises", "null-passes", "unknown-unconsidered", "null-in-message", "deprecated",
     "unused"}
)  # fmt: skip
"""Checks whose findings do not explain why a rule never fails."""


class Reporter:
    """Findings of one file, and of one rule in it at a time."""

    def __init__(self, file: str, text: str | None) -> None:
        self.file = file
        self.findings: list[LintFinding] = []
        self.not_checked: set[str] = set()
        self.rule = ""
        self.prefix: KeyPath = ()
        self._texts: Mapping[str, str] = {}
        self._problems = Problems(file, text)
        self._lines = (text or "").split("\n")
        self.ignored = {
            name: (reason or "").strip() for name, reason in _IGNORE.findall(text or "")
        }
        """Checks that a comment ``# lint: ignore NAME: reason`` in the file names."""

    def start(self, rule: str, prefix: KeyPath, texts: Mapping[str, str]) -> None:
        """Begin with a rule; ``texts`` are its expressions and its message, by key."""
        self.rule, self.prefix, self._texts = rule, prefix, texts

    def add(self, check: str, message: str, at: KeyPath = (), rule: str | None = None) -> None:
        """Add a finding at a key."""
        self._put(check, message, (*self.prefix, *at), None, None, rule)

    def at(self, check: str, message: str, key: str, position: int | None) -> None:
        """Add a finding in an expression or message, at a 0-based place in its text."""
        head, _, name = key.partition(".")
        path = (*self.prefix, head, name) if name else (*self.prefix, head)
        text = self._texts.get(key, "")
        if position is None or not 0 <= position <= len(text) or not text:
            self._put(check, message, path, None, None)
            return
        before = text[:position]
        column = position - (before.rfind("\n") + 1) + 1
        excerpt = show_excerpt(text.split("\n")[before.count("\n")], column)
        self._put(check, message, path, column, excerpt, below=before.count("\n"))

    def is_quoted(self, key: str, position: int | None) -> bool:
        """Return whether a double quote stands at a place: JMESPath writes fields in them."""
        text = self._texts.get(key, "")
        return position is not None and text[position : position + 1] == '"'

    def unchecked(self, globs: Iterable[str]) -> None:
        """Note types that no schema at hand describes."""
        self.not_checked.update(globs)

    def has_errors(self, rule: str) -> bool:
        """Return whether something was found that explains a rule that cannot fail."""
        return any(f.rule == rule and f.check not in _DOUBTS for f in self.findings)

    def _line_in_text(self, line: int, excerpt: str, below: int) -> int:
        """Return the line of the excerpt: a long text begins on its key's line or below it."""
        for number in range(line + below, line + below + 3):
            if excerpt.strip() in "".join(self._lines[number - 1 : number]):
                return number
        return line

    def _put(
        self,
        check: str,
        message: str,
        path: KeyPath,
        column: int | None,
        excerpt: str | None,
        rule: str | None = None,
        below: int = 0,
    ) -> None:
        line = self._problems.line_of(path) if path else 1
        if line is not None and excerpt is not None:
            line = self._line_in_text(line, excerpt, below)
        of = self.rule if rule is None else rule
        key = show_path(path) or None
        finding = LintFinding(check, self.file, message, of, key, line, column, excerpt)
        if finding not in self.findings:
            self.findings.append(finding)


def did_you_mean(name: str | None) -> str:
    """Return `` (did you mean "name"?)``, and nothing for no name."""
    return f' (did you mean "{name}"?)' if name else ""


def describe_remark(remark: Remark, of: str) -> str:
    """Write a remark; ``of`` names the type or types that were looked at."""
    return _REMARKS[remark.kind][1](remark, of)


def _unknown_field(remark: Remark, of: str) -> str:
    name, known = remark.detail, list(remark.shape.fields or {})
    hint = did_you_mean(nearest(name, known))
    if not hint and 0 < len(known) <= 12:
        hint = f" (there are {', '.join(sorted(known))})"
    holder = remark.text.rpartition(".")[0]
    inside = holder.partition(".")[2] if holder.startswith(("after", "before")) else holder
    where = f" in {inside}" if inside and of else ""
    return f"{remark.text} is null always: {of or holder or 'it'} has no {name}{where}{hint}"


def _field_of_list(remark: Remark, of: str) -> str:
    base, _, name = remark.text.rpartition(".")
    element = remark.shape.element
    inner = element.fields if element is not None else None
    found = nearest(name, list(inner)) if inner is not None and name not in inner else None
    hint = f' (and its elements have no {name}; did you mean "{found}"?)' if found else ""
    return (
        f"{remark.text} is null always: {base} is a list; write {base}[0].{name}, "
        f"{base}[].{name} or {base}[?…]{hint}"
    )


def _field_of_scalar(remark: Remark, of: str) -> str:
    base, _, name = remark.text.rpartition(".")
    is_text = remark.shape.mask & STRINGS and "[]" not in base and not base.startswith(("$", "@"))
    fix = f"; write parse_json({base}).{name}" if is_text else ""
    return f"{remark.text} is null always: {base} is a {remark.shape.words}{fix}"


def _list_expected(remark: Remark, of: str) -> str:
    base = remark.text
    if base.endswith("]") and not base.endswith("[]"):
        base = base[: base.rfind("[")] or base
    fix = f"; write {base}.name for its fields" if remark.shape.mask & OBJECTS else ""
    return f"{base} is {_article(remark.shape.words)} and no list, so this is null always{fix}"


def _never_equal(remark: Remark, of: str) -> str:
    left, right = remark.shape, remark.other or remark.shape
    return (
        f"{remark.text} compares {_article(left.words)} with {_article(right.words)}, which are "
        f"never equal{_comparable(left, right)}"
    )


def _comparable(left: Shape, right: Shape) -> str:
    """Return what to write in place of a constant that is of another type."""
    for typed, other in ((left, right), (right, left)):
        constants = other.constants or frozenset()
        if len(constants) != 1:
            continue
        constant = next(iter(constants))
        if isinstance(constant, str) and constant in {"true", "false"} and typed.words == "boolean":
            return f"; write `{constant}`"
        if isinstance(constant, str) and typed.mask & NUMBER and not typed.mask & STRINGS:
            return f"; write `{constant}`" if constant.isdigit() else ""
        if isinstance(constant, (int, float)) and typed.mask & STRINGS:
            return f"; write '{str(constant).lower()}'"
        if typed.mask & LISTS:
            return "; write contains(list, value)"
    return ""


def _no_such_word(remark: Remark, of: str) -> str:
    sides = [
        (side or remark.shape).constants or frozenset() for side in (remark.shape, remark.other)
    ]
    few, many = sorted(sides, key=len)
    asked = ", ".join(
        f"'{v}'" if isinstance(v, str) else str(v).lower() for v in sorted(few, key=str)
    )
    known = sorted(map(str, many))
    found = nearest(str(next(iter(few or {""}))), known)
    hint = did_you_mean(found) if found and found not in asked else ""
    there = ", ".join(known) if len(known) <= 12 else f"one of {len(known)} words"
    return f"{remark.text} is never true: {asked} is none of {there}{hint}"


def _mixed_order(remark: Remark, of: str) -> str:
    sides = [remark.shape, remark.other or remark.shape]
    text = next((shape for shape in sides if shape.mask & STRINGS), remark.shape)
    literals = [constant for constant in text.constants or () if constant is not None]
    fix = f"`{literals[0]}`" if literals else "to_number(…)"
    return f"{remark.text} orders a number and a string, which fails; write {fix}"


def _null_raises(remark: Remark, of: str) -> str:
    why = f" ({remark.shape.why_null})" if remark.shape.why_null else ""
    guard = "" if "|" in remark.text else f"; guard it: {remark.text} && …, or not_null(…, …)"
    where = f" on {of}" if of else ""
    return f"{remark.text} may be null{where}{why}, and {remark.detail}() fails on null{guard}"


def _type_raises(remark: Remark, of: str) -> str:
    words = _article(remark.shape.words)
    element = remark.shape.element
    if remark.shape.mask & LISTS and "array-" in remark.parameter and element is not None:
        words = f"a list of {element.words}"
    takes = remark.parameter.replace("array-", "list of ").replace("array", "list")
    return f"{remark.text} is {words}, and {remark.detail}() takes {takes.replace('|', ' or ')}"


def _article(words: str) -> str:
    return words if words == "null" else f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


_REMARKS: Final[dict[RemarkKind, tuple[str, Callable[[Remark, str], str]]]] = {
    RemarkKind.UNKNOWN_FIELD: ("unknown-attribute", _unknown_field),
    RemarkKind.FIELD_OF_LIST: ("wrong-nesting", _field_of_list),
    RemarkKind.FIELD_OF_SCALAR: ("wrong-nesting", _field_of_scalar),
    RemarkKind.LIST_EXPECTED: ("wrong-nesting", _list_expected),
    RemarkKind.OBJECT_EXPECTED: ("wrong-nesting", lambda remark, of:
        f"{remark.text} is {_article(remark.shape.words)} and no object, so .* is null always"),
    RemarkKind.NEVER_EQUAL: ("type-mismatch", _never_equal),
    RemarkKind.NO_SUCH_WORD: ("unknown-word", _no_such_word),
    RemarkKind.NOT_ORDERED: ("not-ordered", lambda remark, of:
        f"{remark.text} is {_article(remark.shape.words)}, and only numbers and strings are "
        "ordered: null always"),
    RemarkKind.MIXED_ORDER: ("not-ordered", _mixed_order),
    RemarkKind.TEXT_ORDER: ("not-ordered", lambda remark, of:
        f"{remark.text} orders text letter by letter, so that '9' is more than '10'; write "
        "to_number(…), or semver_satisfies(…)"),
    RemarkKind.NULL_RAISES: ("null-raises", _null_raises),
    RemarkKind.TYPE_RAISES: ("type-raises", _type_raises),
    RemarkKind.BAD_PATTERN: ("bad-pattern", lambda remark, of: f"{remark.text}: {remark.detail}"),
}  # fmt: skip
"""The check that a remark belongs to, and its words."""
CHECK_OF: Final = {kind: check for kind, (check, _) in _REMARKS.items()}
ANYWHERE: Final = frozenset(
    {RemarkKind.NULL_RAISES, RemarkKind.TYPE_RAISES, RemarkKind.BAD_PATTERN}
)
"""Remarks that hold as soon as they hold on one type, whatever it is on the others."""
