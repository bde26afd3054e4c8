"""Makes ``model.Rule`` of what the strict reader read, and checks what no single key can say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.model.action import Action
from tfgate.model.rule import KnownMutant, Match, Rule, RuleTest, Scope
from tfgate.ruleset.problems import show_name
from tfgate.ruleset.scopes import MATCH_KEYS

if TYPE_CHECKING:
    from tfgate.ruleset.problems import Problems

_SUBJECTS = {
    Scope.RESOURCE: "change",
    Scope.DRIFT: "drift",
    Scope.OUTPUT: "output",
    Scope.PLAN: "plan",
    Scope.MODULE: "module",
    Scope.PROVIDER: "provider",
    Scope.ACTION: "action",
    Scope.SOURCE: "source",
}
_ASIDE = ("changes", "configuration", "workspace", "variables")
"""Keys of a test that are handed on beside its subject."""
_AS_READ = (
    "id",
    "title",
    "severity",
    "enforcement",
    "message",
    "scope",
    "when",
    "deny",
    "require",
    "let",
    "on_unknown",
    "remediation",
    "description",
    "controls",
    "references",
    "owners",
    "approvals",
)
_MARKS = ("unknown", "null", "sensitive")
_NESTED = frozenset({dict, list, tuple})


def build_rule(read: dict[str, Any], raw: object, problems: Problems, line: int | None = 1) -> Rule:
    """Make a rule of a table that ``RULE`` read. ``raw`` is the table as written, at ``line``."""
    written = raw if isinstance(raw, dict) else {}
    _check_one_expression(written, problems)
    scope = read["scope"]
    return Rule(
        **{name: read[name] for name in _AS_READ},
        match=_build_match(read["match"], written.get("match"), scope, problems),
        tests=tuple(_build_tests(read["tests"], scope, problems)),
        mutants=tuple(KnownMutant(**entry) for entry in read["mutants"]),
        file=problems.file,
        line=line,
    )


def _check_one_expression(written: dict[str, Any], problems: Problems) -> None:
    given = [name for name in ("deny", "require") if name in written]
    if len(given) == 2:
        problems.add("a rule has one of deny and require, not both", ("require",))
    elif not given:
        problems.add("a rule needs one of the keys deny and require")


def _build_match(
    read: dict[str, Any] | None, written: object, scope: Scope, problems: Problems
) -> Match:
    # Drift happens to whatever exists, and a deletion is the worst of it.
    actions = () if scope is Scope.DRIFT else Match().actions
    if read is None:
        return Match(actions=actions)
    given = written if isinstance(written, dict) else {}
    for name in given:
        if name in read and name not in MATCH_KEYS[scope]:
            useful = ", ".join(sorted(MATCH_KEYS[scope]))
            hint = f"use {useful}" if useful else "the plan is one subject"
            problems.add(f"{name} selects nothing in scope {scope} ({hint})", ("match", name))
    values = {"actions": actions, **{name: value for name, value in read.items() if value}}
    if "modes" in values:
        values["modes"] = tuple(mode.value for mode in values["modes"])
        if "data" in values["modes"] and not read.get("actions") and actions:
            values["actions"] = (*actions, Action.READ)
    return Match(**values)


def _build_tests(tests: tuple[dict[str, Any], ...], scope: Scope, problems: Problems) -> Any:
    seen: set[str] = set()
    for number, test in enumerate(tests):
        at = ("tests", number)
        name = test["name"]
        if name in seen and name:
            problems.add(f"a test named {show_name(name)} stands before it", (*at, "name"))
        seen.add(name)
        yield _build_test(test, scope, number, problems)


def _build_test(test: dict[str, Any], scope: Scope, number: int, problems: Problems) -> RuleTest:
    if isinstance(test["plan"], str):
        subject = _whole_plan(test, scope, number, problems)
    else:
        subject = _written_subject(test, scope, number, problems)
    return RuleTest(
        name=test["name"],
        expect=test["expect"].value,
        subject=subject,
        params=test["params"],
        context=test["context"],
        data=test["data"],
        message=test["message"],
    )


def _whole_plan(
    test: dict[str, Any], scope: Scope, number: int, problems: Problems
) -> dict[str, Any]:
    """Return the subject of an example whose plan is a file."""
    at = ("tests", number)
    if scope is Scope.SOURCE:
        problems.add("a rule of scope source is tested on source, not on a plan", (*at, "plan"))
    given = [name for name in (*_SUBJECTS.values(), *_ASIDE) if test[name] is not None]
    for name in given:
        if name not in {"plan", "workspace"}:
            problems.add(f"a plan from a file has no {name} beside it", (*at, name))
    beside = {name: test[name] for name in ("address", "workspace") if test[name] is not None}
    return {"plan_file": test["plan"], **beside}


def _written_subject(
    test: dict[str, Any], scope: Scope, number: int, problems: Problems
) -> dict[str, Any]:
    """Return the subject of an example that writes its plan out."""
    wanted = _SUBJECTS[scope]
    if test["address"] is not None:
        message = "an address names the subject of a plan from a file"
        problems.add(message, ("tests", number, "address"))
    for other in _SUBJECTS.values():
        if other != wanted and test[other] is not None:
            problems.add(
                f"a rule of scope {scope} is tested on {wanted}, not on {other}",
                ("tests", number, other),
            )
    if test[wanted] is None and scope is not Scope.PLAN:
        problems.add(f"a test of a rule of scope {scope} needs the key {wanted}", ("tests", number))
    subject = {wanted: _marked(test, test[wanted] or {})}
    subject.update({name: _compact(test[name]) for name in _ASIDE if test[name] is not None})
    return subject


def _marked(test: dict[str, Any], subject: Any) -> Any:
    """Move the test's own ``unknown``, ``null`` and ``sensitive`` into its subject's table."""
    if not isinstance(subject, dict):
        return subject
    marks = {name: (*subject.get(name, ()), *test[name]) for name in _MARKS if test[name]}
    return _compact({**subject, **marks} if marks else subject)


def _compact(value: Any) -> Any:
    """Leave out what the author did not write; make lists of tuples: the table is plain again."""
    if isinstance(value, dict):
        return {
            name: _compact(item) if type(item) in _NESTED else item
            for name, item in value.items()
            if item is not None and item != ()
        }
    if isinstance(value, (list, tuple)):
        return [_compact(item) if type(item) in _NESTED else item for item in value]
    return value
