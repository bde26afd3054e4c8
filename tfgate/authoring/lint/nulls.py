"""Null-blind rules: what an attribute that is left out, or not known yet, does to a rule."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tfgate.query.values import EMPTY_LIST, EMPTY_OBJECT, EMPTY_STRING, FALSE, NULL
from tfgate.schema.index import COMPUTED

if TYPE_CHECKING:
    from tfgate.authoring.lint.findings import Reporter
    from tfgate.authoring.lint.walk import Run
    from tfgate.query.shapes import Shape
    from tfgate.query.shapes.env import Compared
    from tfgate.ruleset import CompiledRule

_LIKE_NULL = frozenset({FALSE, EMPTY_STRING, EMPTY_LIST, EMPTY_OBJECT})
_ORDERINGS = frozenset({"<", "<=", ">", ">="})


def check(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    """Report comparisons that null passes, and computed attributes nobody thought of."""
    _null_passes(rule, runs, report)
    _unconsidered(rule, runs, report)


def is_computed(shape: Shape) -> bool:
    """Return whether the provider gives the value where nobody else does."""
    return bool(shape.note is not None and shape.note.has(COMPUTED))


def _null_passes(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    of_deny = rule.deny is not None
    guarded = _null_is_asked_for(runs)
    for run in runs:
        for key, inference in run.found:
            if key == "when":
                continue
            for compared in inference.compared:
                if compared.path in guarded or not _is_blind(compared, of_deny=of_deny):
                    continue
                if _is_asked_for(rule, compared.path) or _example_shows_null(rule, compared.path):
                    continue
                message = (
                    f"where {compared.path} is left out, {compared.text} lets it pass; say what "
                    "holds then, and show it with an example without it"
                )
                report.at("null-passes", message, key, compared.position)


def _is_blind(compared: Compared, *, of_deny: bool) -> bool:
    shape = compared.shape
    if compared.polarity is None or not shape.why_null or is_computed(shape):
        return False
    fails_if_true = compared.polarity is of_deny
    if compared.sign in _ORDERINGS:
        return fails_if_true  # with null it is null, and so false
    if compared.sign not in {"==", "!="} or compared.other.mask not in _LIKE_NULL:
        return False
    # Null is mostly the same as false, "" or []: who fails these means null too.
    return fails_if_true is (compared.sign == "==")


def _null_is_asked_for(runs: list[Run]) -> set[str]:
    return {
        compared.path
        for run in runs
        for _, inference in run.found
        for compared in inference.compared
        if compared.other.mask == NULL
    }


def _is_asked_for(rule: CompiledRule, path: str) -> bool:
    """Return whether an expression of the rule asks for the block's silence, or for falsehood."""
    argument = re.sub(r"\[\d*\]", "", path).partition(".")[2]
    for _, expression in rule.expressions():
        for name, arguments in expression.calls:
            if name in {"left_to_provider", "configured"} and arguments == (argument,):
                return True
        if re.search(rf"!\(?{re.escape(path)}\b(?!\.|\[)", expression.text):
            return True
    return False


def _example_shows_null(rule: CompiledRule, path: str) -> bool:
    return any(_leaves_out(test.subject, path) for test in rule.rule.tests)


def _leaves_out(subject: dict[str, Any], path: str) -> bool:
    root = subject.get("change") or subject.get("drift") or {}
    if any(_plain(path) == _plain(f"after.{unknown}") for unknown in root.get("unknown", ())):
        return False
    return _is_absent(root, re.findall(r"[A-Za-z_][A-Za-z0-9_]*|\[\d*\]", path))


def _plain(path: str) -> str:
    return re.sub(r"\[\d*\]", "", path)


def _is_absent(value: Any, steps: list[str]) -> bool:
    if not steps:
        return value is None
    step, *rest = steps
    if step.startswith("["):
        if not isinstance(value, list):
            return value is None
        elements = value if step == "[]" else value[int(step[1:-1]) :][:1]
        return not elements or any(_is_absent(element, rest) for element in elements)
    if isinstance(value, list):
        return any(_is_absent(element, steps) for element in value)
    return not isinstance(value, dict) or _is_absent(value.get(step), rest)


def _unconsidered(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    if rule.rule.on_unknown is not None or _shows_unknown(rule):
        return
    for run in runs:
        for key, inference in run.found:
            for read in inference.reads:
                if not read.path.startswith("after") or not is_computed(read.shape):
                    continue
                if _is_asked_for(rule, read.path):
                    continue
                message = (
                    f"{read.path} is computed by the provider, and may be known only after the "
                    'apply: write on_unknown, or an example with expect = "unknown"'
                )
                report.at("unknown-unconsidered", message, key, read.part[0])
                return


def _shows_unknown(rule: CompiledRule) -> bool:
    for test in rule.rule.tests:
        subject = test.subject.get("change") or test.subject.get("drift") or {}
        marked = isinstance(subject, dict) and (
            subject.get("unknown") or subject.get("after_unknown") or subject.get("refers_to")
        )
        if test.expect == "unknown" or marked:
            return True
    return False
