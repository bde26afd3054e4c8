"""``--report FORMAT[=FILE]``: what it accepts and what it refuses."""

from __future__ import annotations

import pytest

from tests.support.decisions import CASES, context
from tfgate.errors import UsageError
from tfgate.report import FORMATS, ReportRequest, parse_report_option, parse_report_options, render


@pytest.mark.parametrize(
    ("text", "request_"),
    [
        ("text", ReportRequest("text", None)),
        ("json=-", ReportRequest("json", None)),
        ("json=out/decision.json", ReportRequest("json", "out/decision.json")),
        ("json=a=b.json", ReportRequest("json", "a=b.json")),
    ],
)
def test_a_format_and_perhaps_a_file(text: str, request_: ReportRequest) -> None:
    """Everything behind the first equals sign is the file."""
    assert parse_report_option(text) == request_


def test_an_unknown_format_names_the_nearest() -> None:
    """A typing mistake is answered with what was meant."""
    with pytest.raises(UsageError, match=r"called 'jsn'.*Did you mean json"):
        parse_report_option("jsn=x")


def test_an_empty_file_name_is_refused() -> None:
    """``json=`` is a mistake in a script, not standard output."""
    with pytest.raises(UsageError, match="names no file"):
        parse_report_option("json=")


def test_text_is_what_nobody_asks_for() -> None:
    """Without any option there is one report, for people."""
    assert parse_report_options([]) == (ReportRequest("text", None),)


@pytest.mark.parametrize("texts", [["text", "json"], ["text", "json=-"], ["json=a", "text=a"]])
def test_two_reports_do_not_share_a_place(texts: list[str]) -> None:
    """Mixed output can be read by nobody."""
    with pytest.raises(UsageError, match="Two reports would go to"):
        parse_report_options(texts)


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_is_never_empty_and_ends_its_last_line(name: str) -> None:
    """Whoever appends to a file, or judges by its being there, can."""
    for case in CASES.values():
        text = render(name, case, context())
        assert text.strip()
        assert text.endswith("\n")


@pytest.mark.parametrize("name", FORMATS)
def test_a_report_is_the_same_every_time(name: str) -> None:
    """Nothing but its arguments goes into it."""
    case = CASES["deny-hostile"]
    assert render(name, case, context()) == render(name, case, context())
