"""The head of a ruleset: what it is, its parameters, and which of its levels may be lowered."""

from __future__ import annotations

import operator
import re
from typing import TYPE_CHECKING, Any

from tfgate._version import __version__
from tfgate.model import Frozen
from tfgate.model.rule import Enforcement
from tfgate.model.text import glob_matches, late
from tfgate.ruleset.params import ParamSpec, ParamType

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.model.rule import Rule
    from tfgate.ruleset.problems import Problems


class Header(Frozen, frozen=True):
    """What ``[ruleset]`` says."""

    id: str
    version: str
    title: str
    owners: tuple[str, ...]
    description: str | None = None
    requires: str | None = None
    """Constraint on tfgate's version."""
    overridable: tuple[str, ...] = ()
    """Globs over the ids of rules whose level the configuration may lower."""


def build_header(read: dict[str, Any] | None, problems: Problems) -> Header:
    """Make a header, and check that this tfgate is new enough."""
    if read is None:
        return Header("", "", "", ())
    header = Header(**read)
    if header.requires is not None and not satisfies(__version__, header.requires):
        problems.add(
            f"needs tfgate {header.requires}, and this is {__version__}", ("ruleset", "requires")
        )
    return header


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "==": operator.eq,
    "!=": operator.ne,
}


def satisfies(version: str, constraint: str) -> bool:
    """Whether a version fits ``>=0.3, <2``. Only its first three numbers are compared."""
    ours = _numbers(version)
    parts = re.findall(r"(>=|<=|==|!=|>|<)\s*([\d.]+)", constraint)
    return all(_COMPARE[sign](ours, _numbers(other)) for sign, other in parts)


def _numbers(version: str) -> tuple[int, ...]:
    found = [int(number[:9]) for number in re.findall(r"\d+", version)[:3]]
    return (*found, 0, 0, 0)[:3]


def build_params(
    read: dict[str, dict[str, Any]], raw: object, problems: Problems, key: str = "params"
) -> dict[str, ParamSpec]:
    """Make the parameters (or ``key``, whose entries are alike); check defaults against types."""
    written = raw if isinstance(raw, dict) else {}
    return {
        name: _build_param((key, name), entry, written.get(name), problems)
        for name, entry in read.items()
    }


def _build_param(
    at: tuple[str, str], entry: dict[str, Any], raw: object, problems: Problems
) -> ParamSpec:
    written = raw if isinstance(raw, dict) else {}
    kind = ParamType.parse(entry["type"])
    if kind is None:
        problems.add("the parentheses of the type do not fit", (*at, "type"))
        kind = ParamType("any")
    has_default = "default" in written
    if has_default and entry["default"] is not None:
        kind.check(entry["default"], (*at, "default"), problems)
    if has_default and entry["required"]:
        problems.add("what has a default is not required", (*at, "required"))
    required = not has_default if entry["required"] is None else entry["required"]
    return ParamSpec(at[1], kind, entry["description"], required, entry["default"])


def is_overridable(header: Header, rule: Rule, own: bool | None) -> bool:
    """Whether the configuration may lower a rule's level.

    The rule's own ``overridable`` decides where it is given. Otherwise the ruleset's list does; a
    glob in it is too wide a hand to lower a hard-mandatory rule, which must be named in full.
    """
    if own is not None:
        return own
    if rule.id in header.overridable:
        return True
    if rule.enforcement is Enforcement.HARD_MANDATORY:
        return False
    return any(glob_matches(glob, rule.id) for glob in header.overridable)


# --- Finds the lines of ``[[name]]`` headers in a TOML document, without reading what is in
# between.
#
# A ruleset of one file needs the line of each of its rules and nothing more:
# `tfgate.ruleset.problems` takes a hundred times as long, and knows every key.


_TOKEN = late(
    r"""
      \#[^\n]*
    | \"{3}(?:[^"\\]|\\.|"(?!""))*\"{3,5}
    | '{3}(?:[^']|'(?!''))*'{3,5}
    | "(?:[^"\\\n]|\\.)*"
    | '[^'\n]*'
    | ^[ \t]*\[\[[ \t]*([A-Za-z0-9_-]+)[ \t]*\]\]
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def header_lines(text: str, name: str) -> list[int]:
    """Return the 1-based lines of the headers ``[[name]]`` of a text that is valid TOML.

    A header whose name is quoted is not found. (An array's element cannot look like a header: a
    bare name is no value.)
    """
    lines: list[int] = []
    line, last = 1, 0
    for match in _TOKEN.finditer(text):
        if match.group(1) == name:
            line += text.count("\n", last, match.start(1))
            last = match.start(1)
            lines.append(line)
    return lines
