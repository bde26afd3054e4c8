"""Functions and methods of other languages, by name, with what they are here."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from tfgate.query.foreign.tokens import (
    Token,
    arguments,
    at,
    between,
    is_call,
    operand_before,
    partner,
    single_quoted,
    tokens,
)
from tfgate.query.functions.registry import FUNCTIONS

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.query.functions.registry import Function

_MOST: Final = 20
"""Calls in one expression that are followed."""
_FORMS: Final = {
    "starts_with({0}, {1})": "startswith hasprefix strhasprefix",
    "ends_with({0}, {1})": "endswith hassuffix",
    "contains({0}, {1})": "includes strcontains has member",
    "length({0})": "len size count cardinality",
    "matches({1}, {0})": "regex regexall",
    "matches({0}, {1})": "test regexmatches ismatch",
    "glob({0}, {1})": "like fnmatch wildcard",
    "lower({0})": "tolower downcase tolowercase casefold lcase",
    "upper({0})": "toupper upcase touppercase ucase",
    "trim({0})": "trimspace strip",
    "parse_json({0})": "jsondecode fromjson unmarshal jsonparse loads decode jsonunmarshal",
    "to_string({0})": "str tostring string",
    "to_number({0})": "int float tonumber num number parseint",
    "not_null({*})": "coalesce try default",
    "get({*})": "lookup getattr",
    "unique({0})": "distinct uniq toset set dedupe",
    "all({0})": "alltrue",
    "any({0})": "anytrue",
    "{0} == `null`": "isnull isundefined isnone isnil",
    "{0} != `null`": "isdefined defined exists present isset can notnull isnotnull",
    "!({0})": "isempty empty not isfalse",
    "{0}[]": "flatten flattenlist",
    "[{*}][]": "concat union arrayconcat",
    "{0}[{1}]": "element nth",
    "{0}[0]": "first head one",
    "{0}[-1]": "last",
    "{0} ? {1} : {2}": "if ifelse iff ternary cond",
    "type({0})": "typeof typename",
    "semver_satisfies({0}, {1})": "versioncmp semvercompare satisfies",
    "contains({1}, {0})": "in isin oneof",
    "reverse({0})": "reversed",
    "keys({0})": "getkeys",
    "values({0})": "getvalues",
    "merge({*})": "assign update",
    "sort({0})": "sorted order",
    "replace({0}, {1}, {2})": "sub gsub replaceall regexreplace",
    "join({1}, {0})": "implode",
    "[?{0}]": "select",
    "cidr_contains({0}, {1})": "cidrcontains networkcontains ipinrange",
}  # fmt: skip
"""JMESPath by the arguments, `{*}` for all, and the names that mean it: small, without `_`."""
_BY_NAME: Final = {name: form for form, names in _FORMS.items() for name in names.split()}
_METHODS: Final = {"test": "matches({1}, {0})", "match": "matches({0}, {1})", "get": "get({*})",
                   "join": "join({1}, {0})", "has": "contains(keys({0}), {1})"}  # fmt: skip
"""What is something else where it is a method."""
_QUALIFIED: Final = {
    "regex.match": "matches({1}, {0})", "re.match": "matches({1}, {0})",
    "re.search": "matches({1}, {0})", "glob.match": "glob({2}, {0})",
    "strings.contains": "contains({0}, {1})", "object.get": "get({*})",
    "json.unmarshal": "parse_json({0})", "json.loads": "parse_json({0})",
    "time.now": "$context.time", "time.now_ns": "$context.time",
}  # fmt: skip
_SPACES: Final = frozenset(
    {
        "regex", "re", "strings", "string", "json", "net", "object", "array", "time", "glob",
        "math", "types", "collection", "maps", "list", "units", "semver", "core",
    }
)  # fmt: skip
"""Modules of other languages: what stands before the dot is no value."""
_NETWORK: Final = "an expression reaches no network: give facts from outside with --data"
_WORDS: Final = {
    "sprintf": "a message puts a value in braces: {after.name}, and join() joins strings",
    "format": "a message puts a value in braces: {after.name}, and join() joins strings",
    "print": "tfgate eval shows what an expression comes to",
    "trace": "tfgate explain shows what an expression comes to",
    "yamldecode": "an expression reads JSON with parse_json(), and a YAML file comes with --data",
    "parseyaml": "an expression reads JSON with parse_json(), and a YAML file comes with --data",
    "file": "an expression reads no file: [data] in the ruleset names one",
    "templatefile": "an expression reads no file: [data] in the ruleset names one",
    "http": _NETWORK,
    "walk": "JMESPath does not look for a name at all depths: write every step",
    "range": "JMESPath has no ranges of numbers: compare with >= and <=",
    "filter": "a condition on each element of a list is a filter: list[?condition]",
    "deny": "a rule is its expression: write the condition alone under the key deny",
    "rule": "a rule is its expression: write the condition alone under deny or require",
}


def foreign_call(
    text: str, position: int, name: str, find: Callable[[str], Function | None]
) -> tuple[str | None, str | None]:
    """Explain a function that is not there, by what it means where the author comes from.

    Return a sentence, or None, and the whole expression with all such calls as they are written
    here, or None. ``find`` gives the function of a name: one that is called as a method,
    ``a.length()``, is to be called with what stands before the dot.
    """
    found = tokens(text)
    changed = _call(text, found, at(found, position), find)
    if changed is None:
        before = text[:position].rstrip(". ")
        return _WORDS.get(_plain(name), _NETWORK if before.endswith("http") else None), None
    return None, rename_calls(single_quoted(changed), find)


def rename_calls(text: str, find: Callable[[str], Function | None] = FUNCTIONS.get) -> str:
    """Write all calls of functions that are not there as they are written here, where known."""
    for _ in range(_MOST):
        found = tokens(text)
        calls = [
            index for index, token in enumerate(found) if _is_foreign(text, found, index, find)
        ]
        changes = (_call(text, found, index, find) for index in reversed(calls))
        changed = next((change for change in changes if change is not None), None)
        if changed is None:
            break
        text = changed
    return text


def _is_foreign(
    text: str, found: list[Token], index: int, find: Callable[[str], Function | None]
) -> bool:
    """Whether a call is one of another language: by its name, or as a method by what it lacks."""
    if found[index].kind != "name" or not is_call(found, index):
        return False
    function = find(found[index].text)
    if function is None or not index or found[index - 1].text != ".":
        return function is None
    return len(arguments(text, found, index + 1) or ()) < function.fewest


def _plain(name: str) -> str:
    return name.lower().replace("_", "")


def _call(
    text: str, found: list[Token], index: int, find: Callable[[str], Function | None]
) -> str | None:
    """Return the text with one call written as it is here."""
    if index + 1 >= len(found) or found[index + 1].text != "(":
        return None
    closing, inner = partner(found, index + 1), arguments(text, found, index + 1)
    start, receiver = index, ""
    if index >= 2 and found[index - 1].text == ".":
        base = operand_before(found, index - 1)
        if base is None:
            return None
        start, receiver = base, between(text, found, base, index - 1)
    name = found[index].text
    form = _form(name, _plain(name), receiver, find)
    if closing is None or inner is None or form is None:
        return None
    given = inner
    if receiver and receiver not in _SPACES:
        given.insert(0, receiver)
    call = _filled(form, given)
    if call is None:
        return None
    return text[: found[start].start] + call + text[found[closing].end :]


def _form(
    name: str, plain: str, receiver: str, find: Callable[[str], Function | None]
) -> str | None:
    if receiver:
        qualified = _QUALIFIED.get(f"{receiver}.{name}".lower())
        if qualified is not None:
            return qualified
        if receiver not in _SPACES and plain in _METHODS:
            return _METHODS[plain]
        if find(name) is not None:
            return f"{name}({{*}})"
    return _BY_NAME.get(plain)


def _filled(form: str, given: list[str]) -> str | None:
    """Put arguments into a form; ``None`` where there are too few or too many of them."""
    used = {int(number) for number in re.findall(r"\{(\d)\}", form)}
    if used != set(range(len(given))) and "{*}" not in form:
        return None
    parts = {"*": ", ".join(given), **{str(number): part for number, part in enumerate(given)}}
    return re.sub(r"\{(\*|\d)\}", lambda place: parts[place[1]], form)
