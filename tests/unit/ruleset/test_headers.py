"""The lines of headers of arrays of tables."""

from __future__ import annotations

import tomli
from hypothesis import given
from hypothesis import strategies as st

from tfgate.ruleset.header import header_lines
from tfgate.ruleset.problems import Lines

_PIECES = st.sampled_from(
    [
        "[[rules]]",
        "  [[ rules ]]  # one",
        "[[other]]",
        "[[rules.tests]]",
        "[rules.match]",
        'a = "[[rules]]"',
        "a = '''\n[[rules]]\n'''",
        'a = """\n[[rules]]\n\\"\\"\\" [[rules]]""" # "',
        'a = \'[[rules]] """\'',
        '# """ [[rules]]',
        "a = [\n  [1],\n  [[2]]\n]",
        'b = [\n"""\n[[rules]]\n"""]',
        "c = { d = '[[rules]]' }",
        "",
    ]
)


@given(st.lists(_PIECES, max_size=12))
def test_headers_stand_where_the_scanner_of_every_key_finds_them(pieces: list[str]) -> None:
    """The quick way and the thorough one agree on every document that is valid TOML."""
    text = "\n".join(pieces)
    try:
        rules = tomli.loads(text).get("rules")
    except tomli.TOMLDecodeError:
        return
    number = len(rules) if isinstance(rules, list) else 0
    slow = Lines(text)
    assert header_lines(text, "rules") == [slow.line_of(("rules", n)) for n in range(number)]


def test_a_quoted_header_is_left_to_the_thorough_way() -> None:
    """It is not found, so that the count tells."""
    assert header_lines('[["rules"]]\n[[rules]]\n', "rules") == [2]
