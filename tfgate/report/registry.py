"""The formats by name (imported when used), and what ``--report FORMAT[=FILE]`` means."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches
from importlib import import_module

from tfgate.errors import UsageError
from tfgate.model import Frozen
from tfgate.model.decision import Decision
from tfgate.report.interface import ReportContext


class Format(Frozen, frozen=True):
    """One format that reports come in."""

    name: str
    summary: str
    """What it is for, in half a sentence."""
    suffix: str
    """Usual end of a file's name."""
    from_the_top: bool = False
    """Whether its readers count paths from the top of the repository."""
    in_a_row: bool = False
    """Whether several may follow each other on standard output; of ``json`` each is a document."""


FORMATS: dict[str, Format] = {
    entry.name: entry
    for entry in (
        Format("text", "for people, in a terminal or a log", ".txt", in_a_row=True),
        Format("json", "every outcome, versioned, with a published schema", ".json", in_a_row=True),
        Format("sarif", "SARIF 2.1.0, for code scanning", ".sarif", from_the_top=True),
        Format("junit", "JUnit XML, for the test list of a CI system", ".xml"),
        Format(
            "github",
            "annotations of GitHub Actions, on standard output",
            ".txt",
            from_the_top=True,
            in_a_row=True,
        ),
        Format(
            "gitlab", "Code Quality report of a GitLab merge request", ".json", from_the_top=True
        ),
        Format("markdown", "a comment on a pull request, of at most 65,536 characters", ".md"),
        Format("html", "one self-contained page, to keep or to send", ".html"),
        Format(
            "atlantis", "one policy set of an Atlantis custom policy check", ".txt", in_a_row=True
        ),
    )
}
"""Every format, in the order that help texts list them. The module has the format's name."""


class ReportRequest(Frozen, frozen=True):
    """One ``--report`` option."""

    format: str
    file: str | None
    """Where it goes; ``None`` is standard output."""


def render(name: str, decision: Decision, context: ReportContext) -> str:
    """Return the report in the format called ``name``, ending in a newline.

    Raises ``UsageError`` for a name that no format has.
    """
    _known(name)
    return str(import_module(f"tfgate.report.{name}").render(decision, context))


def parse_report_option(text: str) -> ReportRequest:
    """Read ``FORMAT`` or ``FORMAT=FILE``; the file ``-`` is standard output.

    Raises ``UsageError`` for a format that does not exist and for a file without a name.
    """
    name, equals, file = text.partition("=")
    _known(name)
    if equals and not file:
        raise UsageError(
            f"--report {name}= names no file.", hint=f"Write {name}=FILE, or {name} for the screen."
        )
    return ReportRequest(name, None if file in {"", "-"} else file)


def parse_report_options(texts: Iterable[str]) -> tuple[ReportRequest, ...]:
    """Read every ``--report`` of a command line; none at all means ``text`` on standard output.

    Raises ``UsageError`` where two reports would go to the same place.
    """
    requests = tuple(parse_report_option(text) for text in texts) or (ReportRequest("text", None),)
    taken: set[str | None] = set()
    for request in requests:
        if request.file in taken:
            place = "standard output" if request.file is None else request.file
            raise UsageError(
                f"Two reports would go to {place}.", hint="Give each --report its own FORMAT=FILE."
            )
        taken.add(request.file)
    return requests


def _known(name: str) -> None:
    if name in FORMATS:
        return
    near = get_close_matches(name, FORMATS, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    raise UsageError(
        f"There is no report format called {name!r}.{meant}",
        hint=f"The formats are {', '.join(FORMATS)}.",
    )
