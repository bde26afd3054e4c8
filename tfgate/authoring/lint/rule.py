"""Checks of one rule that need the schema."""

from __future__ import annotations

from collections import Counter
from difflib import get_close_matches
from typing import TYPE_CHECKING

from tfgate.authoring.lint.examples import check_examples, check_nulls, is_computed
from tfgate.authoring.lint.findings import (
    ANYWHERE,
    CHECK_OF,
    Reporter,
    describe_remark,
    did_you_mean,
)
from tfgate.authoring.lint.shapes import A_TYPE, IS_OPTIONAL, NO_KEY, select
from tfgate.authoring.lint.walk import Run, walk_rule
from tfgate.model.rule import Scope
from tfgate.query.shapes import Inference, Remark, RemarkKind
from tfgate.query.shapes.projecting import NO_ELEMENT
from tfgate.query.traps import piped_all
from tfgate.query.values import NULL
from tfgate.schema.index import DEPRECATED, WRITE_ONLY

if TYPE_CHECKING:
    from tfgate.query import FunctionTable
    from tfgate.query.shapes.env import Place
    from tfgate.ruleset import CompiledRule, Ruleset
    from tfgate.ruleset.template import Placeholder
    from tfgate.schema import Catalog


_REASONS = frozenset({IS_OPTIONAL, NO_KEY, NO_ELEMENT})
"""Reasons for a null in a message that are worth a finding."""


class SharedRemarks:
    """Remarks on the ruleset's ``[let]``: types of one rule may lack what another's have."""

    def __init__(self) -> None:
        self._rules: Counter[tuple[str, Place]] = Counter()
        self._found: dict[tuple[str, Place, RemarkKind], list[tuple[str, str]]] = {}

    def visited(self, key: str, part: Place) -> None:
        """A rule evaluates a part of ``let.NAME``."""
        self._rules[key, part] += 1

    def add(self, key: str, part: Place, sort: RemarkKind, check: str, message: str) -> None:
        """A remark holds on every type that a rule matches."""
        self._found.setdefault((key, part, sort), []).append((check, message))

    def report(self, report: Reporter) -> None:
        """Report what holds in every rule that evaluates the part."""
        for (key, part, sort), found in self._found.items():
            if sort in ANYWHERE or len(found) >= self._rules[key, part]:
                report.at(*found[0], key, part[0])


def check_rule(
    ruleset: Ruleset,
    rule: CompiledRule,
    catalog: Catalog,
    table: FunctionTable,
    report: Reporter,
    shared: SharedRemarks,
) -> None:
    """Report what is wrong with a rule and its examples, as far as the schemas at hand show.

    What is about the ruleset's ``[let]`` is added to ``shared``.
    """
    selection = select(rule.rule, catalog)
    for glob in selection.unknown:
        _unknown_type(rule, glob, catalog, report)
    _providers(rule, catalog, report)
    if selection.unchecked:
        report.unchecked(selection.unchecked)
    elif rule.rule.match.types:  # an example of a rule for all providers may be of none
        check_examples(rule.rule, catalog, report)
    _pipes(rule, report)
    runs = [walk_rule(ruleset, rule, root, catalog, table) for root in selection.roots]
    _never_selects(runs, report, rule, shared)
    reached = [run for run in runs if run.selected]
    _remarks(reached, report, rule, shared)
    _names(reached, rule, report)
    _types(reached, catalog, report)
    _flags(rule, reached, report)
    _one_sided(rule, reached, report)
    _verdicts(rule, reached, report)
    check_nulls(rule, reached, report)
    _message(rule, reached, report)


def _pipes(rule: CompiledRule, report: Reporter) -> None:
    """Report ``a || b | [?c]``, where the filter looks like one of ``b`` alone."""
    for key, expression in rule.expressions():
        for found in piped_all(expression):
            meant, other = found.forms
            message = f"the pipe takes both sides of ||: write {meant}, or {other}"
            report.at("piped-all", message, key, found.column)


def _unknown_type(rule: CompiledRule, glob: str, catalog: Catalog, report: Reporter) -> None:
    data = rule.rule.match.modes == ("data",)
    near = catalog.nearest(glob, data=data)
    index = catalog.index_of(near or glob)
    version = f" {index.version}" if index and index.version else ""
    what = "data source" if data else "resource type"
    fits = "fits no" if "*" in glob or "?" in glob else "is no"
    number = rule.rule.match.types.index(glob)
    message = (
        f"{glob} {fits} {what} of {index.prefix if index else '?'}{version}{did_you_mean(near)}"
    )
    report.add("unknown-type", message, ("match", "types", number))


def _providers(rule: CompiledRule, catalog: Catalog, report: Reporter) -> None:
    """Report a provider that is spelt nearly as one that is known."""
    known = [index.prefix for index in catalog.indexes]
    for number, provider in enumerate(rule.rule.match.providers):
        name = provider.rpartition("/")[2]
        near = get_close_matches(name, known, n=1, cutoff=0.7)
        if near and name not in known and not {"*", "?"} & set(name):
            message = f"{provider} is no provider that is known{did_you_mean(near[0])}"
            report.add("unknown-type", message, ("match", "providers", number))


def _never_selects(
    runs: list[Run], report: Reporter, rule: CompiledRule, shared: SharedRemarks
) -> None:
    if not runs or any(run.selected for run in runs):
        return
    remarks = [remark for run in runs for _, found in run.found for remark in found.remarks]
    if not any(remark.kind in CHECK_OF for remark in remarks):
        report.add("never-selects", "when is false on everything that match selects", ("when",))
    else:
        _remarks(runs, report, rule, shared)


def _of(types: list[str]) -> str:
    named = sorted({kind for kind in types if kind})
    if not named:
        return ""
    return named[0] if len(named) == 1 else f"{named[0]} (and {len(named) - 1} more types)"


def _remarks(runs: list[Run], report: Reporter, rule: CompiledRule, shared: SharedRemarks) -> None:
    """Report remarks of the walks that hold on every type that reaches the place."""
    lets = {f"let.{name}" for name in rule.shared}
    visits: dict[tuple[str, Place], int] = {}
    found: dict[tuple[str, Place, RemarkKind], list[tuple[Remark, str]]] = {}
    for run in runs:
        for key, inferences in _by_key(run).items():
            for part in {part for inference in inferences for part in inference.visited}:
                visits[key, part] = visits.get((key, part), 0) + 1
            for remark in _distinct(inferences):
                kind = _SORTS.get(remark.kind, remark.kind)
                found.setdefault((key, remark.part, kind), []).append((remark, run.root.type))
    for key, part in visits:
        if key in lets:
            shared.visited(key, part)
    for (key, part, sort), remarks in found.items():
        if sort in ANYWHERE or len(remarks) >= visits.get((key, part), 0):
            remark = min((remark for remark, _ in remarks), key=_nesting_first)
            message = describe_remark(remark, _of([of for _, of in remarks]))
            if remark.kind is RemarkKind.UNKNOWN_FIELD and report.is_quoted(key, part[0]):
                message += f"; a string is written '{remark.detail}'"
            if key in lets:
                shared.add(key, part, sort, CHECK_OF[remark.kind], message)
            else:
                report.at(CHECK_OF[remark.kind], message, key, part[0])


_SORTS = {
    RemarkKind.FIELD_OF_SCALAR: RemarkKind.FIELD_OF_LIST,
    RemarkKind.UNKNOWN_FIELD: RemarkKind.FIELD_OF_LIST,
}
"""A field may be null always on one type for this reason and on another for that."""


def _nesting_first(remark: Remark) -> int:
    """Order remarks on one part: wrong nesting explains more than a missing field."""
    order = (RemarkKind.FIELD_OF_LIST, RemarkKind.FIELD_OF_SCALAR)
    return order.index(remark.kind) if remark.kind in order else len(order)


def _by_key(run: Run) -> dict[str, list[Inference]]:
    by_key: dict[str, list[Inference]] = {}
    for key, inference in run.found:
        by_key.setdefault(key, []).append(inference)
    return by_key


def _distinct(inferences: list[Inference]) -> list[Remark]:
    """Return each remark once; one on a type mismatch must be made wherever the value is used."""
    seen: dict[tuple[object, RemarkKind], Remark] = {}
    for inference in inferences:
        for remark in inference.remarks:
            if remark.kind is RemarkKind.NEVER_EQUAL and _both_spellings(inference, remark):
                continue
            everywhere = remark.kind in ANYWHERE or all(
                any(r.part == remark.part and r.kind == remark.kind for r in other.remarks)
                for other in inferences
                if remark.part in other.visited
            )
            if everywhere:
                seen.setdefault((remark.part, remark.kind), remark)
    return list(seen.values())


def _both_spellings(inference: Inference, remark: Remark) -> bool:
    """Whether a value is compared with both ``'true'`` and `` `true` ``, to be safe."""
    compared = [c for c in inference.compared if c.sign == "=="]
    of = {c.path for c in compared if (c.position, c.text) == remark.part}
    spelt = {str(v).lower() for c in compared if c.path in of for v in c.other.constants or ()}
    masks = {c.other.mask for c in compared if c.path in of}
    return len(spelt) == 1 and len(masks) > 1


def _names(runs: list[Run], rule: CompiledRule, report: Reporter) -> None:
    """Report arguments of functions that name nothing, on any type that they are reached with."""
    called: dict[tuple[str, str], int] = {}
    for run in runs:
        for call in run.names.called:
            called[call] = called.get(call, 0) + 1
    complaints = {call: c for run in runs for call, c in run.names.complaints.items()}
    for call, complaint in complaints.items():
        if sum(call in run.names.complaints for run in runs) < called[call]:
            continue
        for key, expression in rule.expressions():
            if (call[0], (call[1],)) in expression.calls:
                place = expression.text.find(call[1])
                report.at(complaint.check, complaint.message, key, max(place, 0))
                break


def _types(runs: list[Run], catalog: Catalog, report: Reporter) -> None:
    """Report types in comparisons that the provider has not: ``type == 'aws_instnace'``."""
    for run in runs:
        for key, inference in run.found:
            for compared in inference.compared:
                if compared.shape.note is not A_TYPE:
                    continue
                for kind in sorted(map(str, compared.other.constants or ())):
                    if catalog.get(kind) or catalog.get(kind, data=True):
                        continue
                    near = catalog.nearest(kind)
                    if near is not None or catalog.index_of(kind) is not None:
                        hint = did_you_mean(near)
                        message = f"{compared.text}: the provider has no type {kind}{hint}"
                        report.at("unknown-type", message, key, compared.position)


def _flags(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    """Report write-only and deprecated attributes, where they are so on every type read.

    A rule that asks for `referenced_by` looks at the old form beside the one that replaced it.
    """
    beside = any("referenced_by" in expression.functions for _, expression in rule.expressions())
    for flag, check, what in (
        (WRITE_ONLY, "write-only", "is write-only, and null in every plan"),
        (DEPRECATED, "deprecated", "is deprecated by the provider"),
    ):
        parts: dict[tuple[str, Place], list[tuple[bool, str, str]]] = {}
        for run in runs:
            for key, inference in run.found:
                for read in inference.reads:
                    note = read.shape.note
                    has = note is not None and note.has(flag)
                    parts.setdefault((key, read.part), []).append((has, read.path, run.root.type))
        for (key, part), reads in parts.items():
            if flag == DEPRECATED and beside:
                continue
            if all(has for has, _, _ in reads):
                message = f"{reads[0][1]} {what} ({_of([kind for _, _, kind in reads])})"
                report.at(check, message, key, part[0])


def _one_sided(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    if rule.rule.scope not in (Scope.RESOURCE, Scope.DRIFT) or not runs:
        return
    fields = runs[0].root.shape.fields or {}
    for side, other in (("after", "before"), ("before", "after")):
        shape = fields.get(side)
        if shape is None or shape.mask != NULL:
            continue
        for key, expression in rule.expressions():
            if any(path[:1] == (side,) for path in expression.reads):
                actions = ", ".join(str(action) for action in rule.rule.match.actions)
                message = (
                    f"{side} is null always with the actions {actions}; {other} has the values"
                )
                report.at("never-there", message, key, expression.text.find(side))


def _verdicts(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    """Report types on which the rule never fails, or fails always for want of an attribute."""
    key = "deny" if rule.deny is not None else "require"
    if report.has_errors(rule.id) or not runs:
        return
    if all(run.fails is False for run in runs):
        report.at("never-fails", "the rule cannot fail, whatever stands in the plan", key, 0)
        return
    for run in runs:
        if run.fails is False and run.root.named:
            _never_fails(run, key, report)
    always = [run for run in runs if run.fails is True and _missing(run)]
    if always:
        of = _of([run.root.type for run in always])
        found_key, remark = _missing(always[0])[0]
        message = f"the rule fails always on {of}, which has no {remark.text}"
        report.at("unknown-attribute", message, found_key, remark.part[0])


def _never_fails(run: Run, key: str, report: Reporter) -> None:
    missing = _missing(run)
    if missing:
        found_key, remark = missing[0]
        message = f"the rule never fails on {run.root.type}, which has no {remark.text}"
        report.at("unknown-attribute", message, found_key, remark.part[0])
    else:
        report.at("never-fails", f"the rule never fails on {run.root.type}", key, 0)


def _missing(run: Run) -> list[tuple[str, Remark]]:
    kinds = {RemarkKind.UNKNOWN_FIELD, RemarkKind.FIELD_OF_LIST}
    return [(key, r) for key, found in run.found for r in found.remarks if r.kind in kinds]


def _message(rule: CompiledRule, runs: list[Run], report: Reporter) -> None:
    placeholders: dict[tuple[str, Placeholder], list[tuple[Inference, str]]] = {}
    for run in runs:
        for key, placeholder, inference in run.message:
            placeholders.setdefault((key, placeholder), []).append((inference, run.root.type))
    for (key, placeholder), found in placeholders.items():
        if all(inference.remarks for inference, _ in found):
            remark = found[0][0].remarks[0]
            message = describe_remark(remark, found[0][1])
            report.at(CHECK_OF[remark.kind], message, key, placeholder.position)
            continue
        null = [(i, kind) for i, kind in found if i.shape.why_null in _REASONS and not i.remarks]
        if null and not is_computed(null[0][0].shape):
            message = f"{{{placeholder.text}}} may be null ({null[0][0].shape.why_null})"
            report.at("null-in-message", message, key, placeholder.position)
