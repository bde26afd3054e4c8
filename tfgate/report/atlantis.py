"""``atlantis``: the output of a custom policy check, out of whose text Atlantis reads the verdict.

How it reads (server/events, and its documentation on policy checking):

- since December 2025 a set has not passed when its output matches
  ``([1-9][0-9]* failure|failures": \\[)``, begins with ``FAIL`` after trimming, or is empty;
- before, when the output had the letters ``fail`` in it anywhere, in any case;
- ``N tests, N passed, N warnings, N failures, N exceptions`` is lifted into the comment's summary;
- sticky approvals hash the lines that ``(?m)^FAIL.*`` matches.

So a deny begins with ``FAIL`` and ends with the summary line, and an allow has the letters nowhere:
where a name holds them a dot parts them, ``aws_route53_f·ailover``, and its last line stops before
``N failures``, of which only one of the two readers would believe the zero.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from tfgate.model.decision import Decision, Outcome, OutcomeKind, Verdict
from tfgate.report import view
from tfgate.report.escape import clip, console, fenced, log_line, one_line
from tfgate.report.interface import ReportContext

_VERDICT_WORD = re.compile("(f)(a[i\u0130]l)", re.IGNORECASE)
"""The letters that the older reader looks for. Go's ``strings.ToLower`` makes the dotted capital
``\\u0130`` an ``i`` as well."""

_SUMMARY = re.compile(r"(\d tests?),(?= \d+ passed)")
_NOTE = "A dot inside “f·ail” is not in the name: Atlantis would take the word for a verdict."
_LONGEST = 1_000
"""Characters of a message; the line must stay one that a person can compare."""
_ROOM = 50_000
"""Characters after which a deny keeps to its FAIL lines: comments are split near 65,536."""


def render(decision: Decision, context: ReportContext) -> str:
    """Return one block, for one policy set."""
    if decision.verdict is Verdict.ALLOW:
        return _parted(list(_allow(decision, context)))
    lines = list(_deny(decision, context, details=True))
    if sum(map(len, lines)) > _ROOM:
        lines = list(_deny(decision, context, details=False))
    return "\n".join(lines) + "\n"


def render_error(text: str) -> str:
    """Return the block of an error: it denies, whatever the text says.

    ``text`` is that of a ``TfgateError``; of several lines each that is not indented is an item.
    """
    first, *more = [line for line in text.split("\n") if line.strip()] or ["An unnamed error."]
    lines = [f"FAIL - tfgate - {clip(first.strip(), _LONGEST)}"]
    for line in more:
        mark = "       " if line.startswith(" ") else "FAIL - tfgate - "
        lines.append(mark + clip(line.strip(), _LONGEST))
    failures = sum(line.startswith("FAIL") for line in lines)
    body = "".join(f"{_quote(line)}\n" for line in lines)
    return f"{body}{failures} tests, 0 passed, 0 warnings, {failures} failures, 0 exceptions\n"


def _parted(lines: list[str]) -> str:
    """Part the word that decides, wherever it stands, and say so."""
    parted = [_VERDICT_WORD.sub("\\1·\\2", line) for line in lines]
    if parted != lines:
        parted.insert(-1, _NOTE)
    return "\n".join(parted) + "\n"


def _allow(decision: Decision, context: ReportContext) -> Iterator[str]:
    groups = view.group(decision)
    yield f"PASS - {view.headline(decision, groups)}"
    yield from _let_through(groups)
    yield from _facts(decision, context)
    numbers = _numbers(decision, groups)
    yield "{tests} tests, {passed} passed, {warnings} warnings, {exceptions} exceptions".format(
        **numbers
    )


def _deny(decision: Decision, context: ReportContext, *, details: bool) -> Iterator[str]:
    groups = view.group(decision)
    for outcome in groups.blocking:
        yield _line("FAIL", outcome)
        if details:
            yield from _details(outcome)
    yield from (f"FAIL - tfgate - {_quote(reason)}" for reason in _reasons(decision, groups))
    if details:
        yield from _let_through(groups)
    else:
        yield f"What does not deny is counted below, and listed by {context.full_list}."
    yield from _facts(decision, context)
    numbers = _numbers(decision, groups)
    yield (
        "{tests} tests, {passed} passed, {warnings} warnings, {failures} failures, "
        "{exceptions} exceptions"
    ).format(**numbers)


def _reasons(decision: Decision, groups: view.Groups) -> tuple[str, ...]:
    """Return what denies beside the findings; a deny never goes without a reason."""
    causes = view.causes(decision, groups)
    return causes if causes or groups.blocking else (view.headline(decision, groups),)


def _quote(text: str) -> str:
    """Make foreign text safe in the block: on its line, in its fence, no summary of its own.

    Nor a command for a CI system, in whose log the step may run as well.
    """
    return log_line(_SUMMARY.sub(r"\g<1>\\x2c", fenced(console(text))))


def _line(word: str, outcome: Outcome) -> str:
    """Write what names a finding and nothing that changes from plan to plan."""
    message = clip(view.problem(outcome), _LONGEST)
    return _quote(f"{word} - {view.subject(outcome)} - {outcome.rule} - {message}")


def _details(outcome: Outcome) -> Iterator[str]:
    """Write what may change, on lines of its own that no approval is bound to."""
    if outcome.location is not None:
        yield _quote(f"       at {outcome.location.chain()}")
    if outcome.remediation:
        yield _quote(f"       {one_line(outcome.remediation)}")


def _let_through(groups: view.Groups) -> Iterator[str]:
    for outcome in groups.advisory:
        yield _line("WARN", outcome)
        if outcome.override is not None:
            yield _quote(f"       {clip(view.override_note(outcome), _LONGEST)}")
    for outcome in groups.obligations:
        yield _line("WARN", outcome) + ", to be checked after the apply"
    for outcome in groups.waived:
        yield _line("SKIP", outcome)
        yield _quote(f"       {view.waiver_note(outcome)}")


def _facts(decision: Decision, context: ReportContext) -> Iterator[str]:
    for warning in decision.warnings:
        yield _quote(f"Warning: {warning}")
    proven = " (verified)" if decision.operator.verified else ""
    where = f"Workspace {decision.workspace.name}, for {decision.operator.name}{proven}"
    yield _quote(f"{where}, by tfgate {context.tfgate_version}")


def _numbers(decision: Decision, groups: view.Groups) -> dict[str, int]:
    """Count as conftest does: what denies, what warns, what is excepted, what passed."""
    passed = decision.counts()[OutcomeKind.PASS.value]
    warnings = len(groups.advisory) + len(groups.obligations)
    failures = len(groups.blocking)
    if decision.verdict is Verdict.DENY:
        failures += len(_reasons(decision, groups))
    exceptions = len(groups.waived)
    return {
        "tests": passed + warnings + failures + exceptions,
        "passed": passed,
        "warnings": warnings,
        "failures": failures,
        "exceptions": exceptions,
    }
