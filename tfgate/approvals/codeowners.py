"""``CODEOWNERS`` as GitHub reads it (docs.github.com, "About code owners").

Patterns are those of gitignore with these differences: ``!``, ``[ ]`` and an escaped ``#`` do not
work (such a line is passed over), and ``docs/*`` is what lies in ``docs`` itself. The last line
that fits a path names its owners; one without owners leaves it to nobody.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import re2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_WORD = re.compile(r"(?:\\ |\S)+")
_MOST_BYTES = 3 * 1024 * 1024
"""GitHub reads no larger file."""
_OWNER = re.compile(r"@[A-Za-z0-9_-]+(?:/[A-Za-z0-9._-]+)?|[^@\s]+@[^@\s]+", re.ASCII)


def parse(text: bytes) -> Callable[[str], Sequence[str]]:
    """Return what says who owns a path: ``@login``, ``@org/team``, addresses."""
    lines = text.decode("utf-8", "replace").splitlines() if len(text) <= _MOST_BYTES else []
    rules = [rule for line in lines if (rule := _rule(line)) is not None]
    rules.reverse()

    def owners(path: str) -> Sequence[str]:
        return next((names for fits, names in rules if fits(f"/{path}")), ())

    return owners


def _rule(line: str) -> tuple[Callable[[str], object], Sequence[str]] | None:
    words = _WORD.findall(line)
    if not words or words[0].startswith(("#", "!", "\\#")) or "[" in words[0]:
        return None
    names = []
    for word in words[1:]:
        if word.startswith("#"):
            break
        if not _OWNER.fullmatch(word):
            return None
        names.append(word)
    pattern = _pattern(words[0].replace("\\ ", " "))
    return re2.compile(f"(?s)^(?:{pattern})$").search, names


def _pattern(glob: str) -> str:
    """Write the pattern as a regular expression over ``/path/of/file``."""
    anchored = "/" in glob.rstrip("/")
    body, folder = glob.strip("/"), glob.endswith("/")
    parts = body.split("/")
    written = "" if anchored else "(?:/.*)?"
    for number, part in enumerate(parts):
        if part == "**":
            written += "/.+" if number == len(parts) - 1 else "(?:/.*)?"
        else:
            written += "/" + "".join(map(_piece, re.split(r"(\*+|\?)", part)))
    if folder:
        return f"{written}/.+"
    # A name may be a folder's; only what ends in a star of its own lies right there.
    return written if anchored and parts[-1] in ("*", "**") else f"{written}(?:/.*)?"


def _piece(text: str) -> str:
    if text.startswith("*"):
        return "[^/]*"
    return "[^/]" if text == "?" else re2.escape(text)
