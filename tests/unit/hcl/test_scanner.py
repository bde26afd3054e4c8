"""The scanner finds blocks and attributes where HCL has them."""

from __future__ import annotations

import textwrap

import pytest

from tfgate.hcl.scanner import elements, scan, scan_body, scan_comments


def blocks(text: str) -> list[tuple[str, tuple[str, ...], int, int]]:
    body = scan(textwrap.dedent(text))
    assert body.error is None, body.error
    return [(block.kind, block.labels, block.line, block.end_line) for block in body.blocks]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a {}", ("a", (), 1, 1)),
        ("\n\na {\n}\n", ("a", (), 3, 4)),
        ('a "b" c "d-e" {\n}', ("a", ("b", "c", "d-e"), 1, 2)),
        ('a /* { */ "b" {\n}', ("a", ("b",), 1, 2)),
        ('# }\n// {\n/* {\n */ a "b" {\n# }\n}', ("a", ("b",), 4, 6)),
        ('a {\n x = "}"\n}', ("a", (), 1, 3)),
        ('a {\n x = "\\"}"\n}', ("a", (), 1, 3)),
        ('a {\n x = "\\\\"\n}', ("a", (), 1, 3)),
        ('a {\n x = "$${"\n y = "%%{"\n}', ("a", (), 1, 4)),
        ('a {\n x = "$$${b}"\n}', ("a", (), 1, 3)),
        ('a {\n x = "${b["}"]}"\n}', ("a", (), 1, 3)),
        ('a {\n x = "${b({ c = "${"}"}" })}}"\n}', ("a", (), 1, 3)),
        ('a {\n x = "%{ if b }}%{ endif }"\n}', ("a", (), 1, 3)),
        ('a {\n x = "${\n b\n}"\n}', ("a", (), 1, 5)),
        ('a {\n x = <<E\n}\n"\n E\n}', ("a", (), 1, 6)),
        ("a {\n x = <<-EOT\n ${b(<<-EOT\n }\n EOT\n )}\n }\n EOT\n}", ("a", (), 1, 9)),
        ("a {\n x = f(<<E\n}\nE\n, 1)\n}", ("a", (), 1, 6)),
        ("a {\n x = <<E\nEE\nE x\nE\n}", ("a", (), 1, 6)),
        ("a {\r\n x = <<E\r\n}\r\nE\r\n}\r\n", ("a", (), 1, 5)),
        ("a { x = 1 / 2 }", ("a", (), 1, 1)),
        ("a {\n x = 1 < 2\n}", ("a", (), 1, 3)),
        ("é_ñ {\n}", ("é_ñ", (), 1, 2)),
        ("a {\n x = [ # ]\n ]\n}", ("a", (), 1, 4)),
    ],
)
def test_a_block_ends_at_its_own_brace(text: str, expected: object) -> None:
    """Braces in strings, templates, comments and heredocs close nothing."""
    assert blocks(text) == [expected]


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("a {\n", "the a block is opened here and never closed", 1),
        ("a {\n}\n}\n", "an argument or a block was expected here", 3),
        ('a {\n x = "b\n}', "a string is not closed on its line", 2),
        ("a {\n x = <<E\n}", "heredoc E is opened here and never closed", 2),
        ("a {\n}\n/* b", "a comment is opened here and never closed", 3),
        ("a {\n /* b }", "a comment is opened here and never closed", 2),
        ('a {\n x = "${b"\n', "a string is not closed on its line", 2),
        ('{"a": 1}', "an argument or a block was expected here", 1),
        ("a\n{\n}", "an argument or a block was expected here", 1),
    ],
)
def test_what_is_not_hcl_has_a_place(text: str, message: str, line: int) -> None:
    """An error names the line where the trouble begins."""
    error = scan(text).error
    assert error is not None
    assert (error.message, text.count("\n", 0, error.offset) + 1) == (message, line)


def test_what_stands_before_an_error_is_found() -> None:
    """A torn file keeps the blocks above the tear."""
    body = scan("a {\n}\nb {\n}\nc {\n")
    assert [block.kind for block in body.blocks] == ["a", "b"]


def test_attributes_have_the_lines_of_their_names_and_ends() -> None:
    """An expression over several lines ends where its last bracket closes."""
    text = textwrap.dedent(
        """\
        a {
          b = 1 # c = 2
          d = [
            "x",
          ]
          e {
            f = 1
          }
          g   = <<-X
            h = 1
          X
          i = { j = 1 } // k = 1
          l = "m" /* n = 1
          */
          o = p == 1 ? "q" : "r"
        }
        """
    )
    body = scan_body(text, scan(text).blocks[0])
    lines = {name: (one.line, one.end_line) for name, one in body.attributes.items()}
    assert lines == {
        "b": (2, 2),
        "d": (3, 5),
        "g": (9, 11),
        "i": (12, 12),
        "l": (13, 14),
        "o": (15, 15),
    }
    assert [(block.kind, block.line, block.end_line) for block in body.blocks] == [("e", 6, 8)]


def test_comments_are_found_and_their_likes_are_not() -> None:
    """What looks like a comment inside a string or heredoc is text."""
    text = '# a\nb {\n c = "# d" // e\n f = <<G\n# h\nG\n /* i\n */ j = "${k /* l */}"\n}\n#'
    found = [(one.text, one.line, one.end_line) for one in scan_comments(text)]
    assert found == [("# a", 1, 1), ("// e", 3, 3), ("/* i\n */", 7, 8), ("#", 10, 10)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ a = 1, b : 2 }", [("a", 1), ("b", 1)]),
        ('{\n a = 1\n # x\n "b c" = [\n 1 ]\n}', [("a", 2), ("b c", 4)]),
        ("[1,\n2,\n# x\n{ a = 1 },\n]", [(0, 1), (1, 2), (2, 4)]),
        ("{ for a in b : a => 1 }", []),
        ("[for a in b : a]", []),
        ("f({ a = 1 })", []),
        ("{ (a) = 1\n b = c == 1 ? 2 : 3 }", [("b", 2)]),
        ("[\n<<E\na,\nE\n,\n2]", [(0, 2), (1, 6)]),
    ],
)
def test_elements_of_objects_and_tuples_have_lines(text: str, expected: object) -> None:
    """One level of a literal object or tuple is opened at a time."""
    assert [(one.key, one.line) for one in elements(text, 0, len(text), 1)] == expected


def test_deep_nesting_is_no_recursion() -> None:
    """Nesting that somebody chose to hurt costs memory in its own size and nothing else."""
    deep = 20_000
    assert blocks("a { b = " + "[" * deep + "]" * deep + "}")
    assert blocks("a { b = " + '"${' * deep + "1" + '}"' * deep + "}")


@pytest.mark.parametrize(
    "text",
    [
        'a {\n b = "' + "x" * 200_000 + "${1}" + '"\n' * 2,
        "a" * 200_000 + " !",
        "a " * 100_000 + "!",
        '"a"' * 100_000 + "!",
        "a" + ' "b"' * 50_000 + "!",
        "a" + "/* b */" * 30_000 + "!",
        "a {" + '"\\' * 100_000,
        "a {" + "$" * 200_000,
        'a { b = "' + "$" * 200_000,
        'a { b = "' + "$${" * 70_000,
        "a {" + "/*" * 100_000,
        "a {" + "<<E\n" * 50_000,
        'a { b = "' + "${<<E\n" * 30_000,
        " " * 200_000 + "!",
        "#\n" * 100_000 + "!",
    ],
)
def test_hostile_text_costs_linear_time(text: str) -> None:
    """Every pattern has one way to match, and a failure walks what it tried once."""
    assert scan(text).error is not None
    scan_comments(text)
