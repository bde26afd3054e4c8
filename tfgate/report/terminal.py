"""What the place that text is printed to can show, told from facts the caller has looked up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.ruleset.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

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
    """Tell the layout from the environment and from what the output stream is.

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
