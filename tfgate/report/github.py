"""``github``: workflow commands, which GitHub Actions shows as annotations beside the lines.

https://docs.github.com/actions, "Workflow commands". The runner shows ten of each level a step, so
the verdict comes first, then what blocks; the log has them all. The page that stands beside them in
``GITHUB_STEP_SUMMARY`` is ``tfgate.report.step_summary``.
"""

from __future__ import annotations

from collections.abc import Iterator

from tfgate.model.decision import Decision, Outcome, Verdict
from tfgate.model.rule import Severity
from tfgate.report import view
from tfgate.report.escape import clip, console, one_line, workflow_data, workflow_property
from tfgate.report.interface import ReportContext, repository_path

_LONGEST = 4_000
"""Characters of one part of an annotation."""


def render(decision: Decision, context: ReportContext) -> str:
    """Return one command a line: the verdict, then every finding."""
    return "".join(f"{line}\n" for line in _commands(decision, context))


def _commands(decision: Decision, context: ReportContext) -> Iterator[str]:
    groups = view.group(decision)
    yield _verdict(decision, groups)
    for outcome in groups.blocking:
        yield _finding("error", outcome, context)
    for outcome in groups.advisory:
        light = outcome.severity in {Severity.INFO, Severity.LOW}
        note = view.override_note(outcome)
        yield _finding("notice" if light else "warning", outcome, context, note)
    for outcome in groups.obligations:
        yield _finding("notice", outcome, context, "To be checked after the apply.")
    for outcome in groups.waived:
        yield _finding("notice", outcome, context, view.waiver_note(outcome))
    for warning in decision.warnings:
        yield _command("warning", {"title": "tfgate"}, [warning])


def _verdict(decision: Decision, groups: view.Groups) -> str:
    level = "notice" if decision.verdict is Verdict.ALLOW else "error"
    if level == "notice" and decision.broken_glass:
        level = "warning"
    text = [f"{view.verdict_word(decision)}: {view.headline(decision, groups)}"]
    text += view.causes(decision, groups)
    return _command(level, {"title": "tfgate"}, text)


def _finding(level: str, outcome: Outcome, context: ReportContext, note: str = "") -> str:
    properties = {}
    text = [view.sentence(outcome)]
    if outcome.location is not None:
        properties["file"] = repository_path(outcome.location.file, context)
        properties["line"] = str(outcome.location.line)
        if outcome.location.end_line is not None:
            properties["endLine"] = str(outcome.location.end_line)
        if outcome.location.calls:
            text.append(f"Called from {outcome.location.chain()}")
    properties["title"] = f"{outcome.rule}: {outcome.title}" if outcome.title else outcome.rule
    if outcome.remediation:
        text.append(f"Remedy: {one_line(outcome.remediation)}")
    return _command(level, properties, [*text, note] if note else text)


def _command(level: str, properties: dict[str, str], lines: list[str]) -> str:
    """Write one command; each of ``lines`` stays one line of the annotation."""
    listed = ",".join(
        f"{name}={workflow_property(console(value))}" for name, value in properties.items()
    )
    message = "\n".join(console(clip(line, _LONGEST)) for line in lines)
    return f"::{level} {listed}::{workflow_data(message)}"
