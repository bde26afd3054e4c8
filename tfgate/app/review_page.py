"""The page of a review as a file: where it was asked for, or in a private place."""

from __future__ import annotations

import os
import tempfile
import webbrowser
from pathlib import Path

from tfgate.errors import TfgateError


def write_page(text: str, file: str | None) -> Path:
    """Write the page to ``file``, else to a new file that its owner alone can read.

    Nothing sensitive is in it, but what a company runs is nobody else's business. The private file
    stays: the browser reads it when this process is gone. Raises ``TfgateError``.
    """
    data = text.encode("utf-8", "backslashreplace")
    try:
        if file is None:
            return _write_private(data)
        path = Path(file)
        path.write_bytes(data)
    except OSError as error:
        where = "in a temporary directory" if file is None else file
        raise TfgateError(
            f"The page cannot be written {where}: {error.strerror}.",
            hint="Name another place with --html FILE.",
        ) from None
    return path.absolute()


def _write_private(data: bytes) -> Path:
    handle, name = tempfile.mkstemp(prefix="tfgate-review-", suffix=".html")
    with os.fdopen(handle, "wb") as page:
        page.write(data)
    return Path(name)


def open_in_browser(path: Path) -> bool:
    """Ask the user's browser to show the page; say whether one took it."""
    try:
        return webbrowser.open(path.as_uri())
    except (OSError, webbrowser.Error):
        return False
