"""``junit``: JUnit XML, for every CI system that lists tests. Written by ``junitparser``.

One suite a rule, one test a subject. Exactly a deny has a failure or an error in it: what was let
through (advisory, waived, to be checked after the apply) is a skipped test that says why.
"""

from __future__ import annotations

from xml.etree import ElementTree

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from tfgate.model.decision import Decision, Outcome, OutcomeKind
from tfgate.report import view
from tfgate.report.escape import one_line, visible
from tfgate.report.interface import ReportContext

_DECLARATION = '<?xml version="1.0" encoding="utf-8"?>'


def render(decision: Decision, context: ReportContext) -> str:
    """Return the document. XML forbids most control characters: they stand as visible escapes."""
    suites: dict[str, TestSuite] = {}
    for rule, addresses in decision.passed.items():
        for address in addresses:
            _suite(suites, rule).append(_case(rule, address))
    for outcome in decision.outcomes:
        _suite(suites, outcome.rule).append(_finding(outcome))
    if decision.undecided:
        _suite(suites, "tfgate").append(_undecided(decision))
    document = JUnitXml(name="tfgate")
    for _, suite in sorted(suites.items()):
        suite.update_statistics()
        document.append(suite)
    document.update_statistics()
    return _text(document)


def _text(document: JUnitXml) -> str:
    """Indent and write with the standard library, whichever XML library junitparser found."""
    root = ElementTree.fromstring(document.tostring())  # noqa: S314 - our own document
    ElementTree.indent(root)
    return f"{_DECLARATION}\n{ElementTree.tostring(root, encoding='unicode')}\n"


def _suite(suites: dict[str, TestSuite], rule: str) -> TestSuite:
    if rule not in suites:
        suites[rule] = TestSuite(visible(rule))
    return suites[rule]


def _case(rule: str, address: str) -> TestCase:
    return TestCase(visible(address), classname=visible(rule))


def _finding(outcome: Outcome) -> TestCase:
    name = view.subject(outcome)
    if outcome.item is not None:
        name = f"{name} [{outcome.item}]"
    case = _case(outcome.rule, name)
    result = _result(outcome)
    result.text = "\n".join(_details(outcome))
    case.result = [result]
    return case


def _result(outcome: Outcome) -> Error | Failure | Skipped:
    message = visible(view.problem(outcome))
    if outcome.outcome is OutcomeKind.ERROR and outcome.blocks:
        return Error(message, outcome.severity.value)
    if outcome.blocks:
        return Failure(message, outcome.severity.value)
    return Skipped(f"{_why(outcome)}: {message}")


def _why(outcome: Outcome) -> str:
    if outcome.outcome is OutcomeKind.WAIVED:
        return "waived"
    if outcome.outcome is OutcomeKind.UNKNOWN:
        return "to be checked after the apply"
    if outcome.override is not None:
        return "break glass" if outcome.override.break_glass else "approved"
    return "advisory"


def _details(outcome: Outcome) -> list[str]:
    lines = [f"{outcome.title} ({outcome.severity}, {outcome.enforcement}, {outcome.ruleset})"]
    if outcome.location is not None:
        lines.append(f"at {outcome.location.chain()}")
    if outcome.outcome is OutcomeKind.WAIVED:
        lines.append(view.waiver_note(outcome))
    if outcome.override is not None:
        lines.append(view.override_note(outcome))
    if outcome.remediation:
        lines.append(f"Remedy: {one_line(outcome.remediation)}")
    return [visible(line) for line in lines]


def _undecided(decision: Decision) -> TestCase:
    case = _case("tfgate", "decision")
    case.result = [Error(visible(" ".join(decision.reasons)), "undecided")]
    return case
