"""Finds the lines of ``[[name]]`` headers in a TOML document, without reading what is in between.

A ruleset of one file needs the line of each of its rules and nothing more: `tfgate.ruleset.lines`
takes a hundred times as long, and knows every key.
"""

from __future__ import annotations

import re

from tfgate.model.pattern import late

_TOKEN = late(
    r"""
      \#[^\n]*
    | \"{3}(?:[^"\\]|\\.|"(?!""))*\"{3,5}
    | '{3}(?:[^']|'(?!''))*'{3,5}
    | "(?:[^"\\\n]|\\.)*"
    | '[^'\n]*'
    | ^[ \t]*\[\[[ \t]*([A-Za-z0-9_-]+)[ \t]*\]\]
    """,
    re.VERBOSE | re.DOTALL | re.MULTILINE,
)


def header_lines(text: str, name: str) -> list[int]:
    """Give the 1-based lines of the headers ``[[name]]`` of a text that is valid TOML.

    A header whose name is quoted is not found. (An array's element cannot look like a header: a
    bare name is no value.)
    """
    lines: list[int] = []
    line, last = 1, 0
    for match in _TOKEN.finditer(text):
        if match.group(1) == name:
            line += text.count("\n", last, match.start(1))
            last = match.start(1)
            lines.append(line)
    return lines
