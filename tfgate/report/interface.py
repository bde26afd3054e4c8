"""What every report format is: a function from a decision and its circumstances to text."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

import msgspec

from tfgate.model import Frozen
from tfgate.model.decision import Decision
from tfgate.model.rule import Rule


class AuditFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Which record the decision has in the audit trail."""

    path: str
    """The trail, as a user would write it."""
    seq: int | None = None
    hash: str | None = None
    """Hash of the record (hex)."""

    @property
    def shown(self) -> str:
        """Number and trail, as reports write them."""
        return f"in {self.path}" if self.seq is None else f"number {self.seq} in {self.path}"


class ReportContext(msgspec.Struct, frozen=True, kw_only=True):
    """What a report says beside the decision itself. Nothing here is found out by a format."""

    tfgate_version: str
    exit_code: int | None = None
    """Exit code of the command; ``None`` lets the decision say (0, 1 or 3)."""
    decision_id: str | None = None
    audit: AuditFacts | None = None
    now: dt.datetime | None = None
    """When the report is made; only formats whose schema wants a time show it."""
    rules: dict[str, Rule] = {}
    """Rules by id, for help texts; a rule that is missing here is described by its outcomes."""
    path_prefix: str = ""
    """Directory of the configuration relative to the repository, with ``/``: formats whose readers
    count from the repository's root (sarif, github, gitlab) put it before each file."""
    fallback_file: str | None = None
    """File, relative to the repository, that findings without a place point at in formats whose
    readers refuse them otherwise (GitHub's code scanning rejects a whole SARIF file for one).
    ``None`` invents nothing."""
    plan_name: str = "tfplan"
    """The plan as the user named it."""
    full_list: str = "`tfgate check --report json`"
    """Where every finding is listed, for formats that may have to fold (Markdown text)."""
    width: int = 80
    """Columns, for ``text``."""
    color: bool = False
    """Whether ``text`` may carry colour: a terminal that did not ask for none."""
    unicode: bool = True
    """Whether ``text`` may use characters beyond ASCII of its own."""


def repository_path(file: str, context: ReportContext) -> str:
    """Return the path of a source file as counted from the repository's root."""
    prefix = context.path_prefix.strip("/")
    return f"{prefix}/{file}" if prefix and prefix != "." else file


def exit_code(decision: Decision, context: ReportContext) -> int:
    """Return the exit code that the report states."""
    return int(decision.exit_code) if context.exit_code is None else context.exit_code


PIPE_WIDTH = 100
"""Columns where nobody says: logs of CI systems show about this much without scrolling."""
NARROWEST, WIDEST = 40, 160
"""Lines outside this range are hard to read, whatever the window."""


class Terminal(Frozen, frozen=True):
    """How ``text`` may be laid out; the fields are those of ``ReportContext``."""

    width: int
    color: bool
    unicode: bool


def terminal_of(
    env: Mapping[str, str], *, is_terminal: bool, columns: int | None, encoding: str | None
) -> Terminal:
    """Derive the layout from the environment and from what the output stream is.

    ``NO_COLOR`` (https://no-color.org: set and not empty) beats all; then ``FORCE_COLOR`` and
    ``CLICOLOR_FORCE`` give colour to pipes; otherwise a terminal that is not ``dumb`` has colour.
    ``COLUMNS`` beats the ``columns`` that the terminal reports.
    """
    return Terminal(
        width=_width(env, columns if is_terminal else None),
        color=_color(env, is_terminal),
        unicode=(encoding or "utf-8").lower().replace("-", "").replace("_", "").startswith("utf"),
    )


def _width(env: Mapping[str, str], columns: int | None) -> int:
    stated = env.get("COLUMNS", "")
    width = int(stated) if stated.isascii() and stated.isdigit() else 0
    return max(NARROWEST, min(width or columns or PIPE_WIDTH, WIDEST))


def _color(env: Mapping[str, str], is_terminal: bool) -> bool:
    if env.get("NO_COLOR"):
        return False
    if env.get("FORCE_COLOR", "0") not in {"", "0"} or env.get("CLICOLOR_FORCE", "0") != "0":
        return True
    return is_terminal and env.get("TERM", "") != "dumb"
