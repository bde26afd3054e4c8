"""Whatever HCL is made of, every block, argument and comment is found where it was put."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from tfgate.hcl.expressions import Contents, Items, Members, read_block
from tfgate.hcl.lexical import ScanError
from tfgate.hcl.scanner import Block, scan, scan_body, scan_comments

NAMES = st.sampled_from(["a", "b_c", "d-e", "for", "in", "null", "é", "_x1"])
LABELS = st.sampled_from(['"x"', '"y z"', "w", '"{"', '"# no"', '"é"', '"a\\"b"'])
COMMENTS = st.sampled_from(
    ["# }", "// {", "#", "/* } */", "/* \n { \n */", '# "', "// <<E", "/***/", "/* # */", "# é ${"]
)
TEXT = st.sampled_from(
    ["", "x", "}", "{", "# y", "//", "/*", '\\"', "\\\\", "$${", "%%{", "$", "%", "$$", "é", "<<E"]
)


@st.composite
def _strings(draw: st.DrawFn, depth: int) -> str:
    parts = draw(st.lists(TEXT, max_size=3))
    if depth:
        inner = draw(_expressions(depth - 1))
        pieces = [f"${{{inner}}}", "%{ if x }y%{ endif }", f"${{~ f({inner}) ~}}"]
        parts.insert(0, draw(st.sampled_from(pieces)))
    return '"' + " ".join(parts) + '"'


@st.composite
def _heredocs(draw: st.DrawFn, depth: int) -> str:
    marker = draw(st.sampled_from(["E", "EOT", "E_1-x"]))
    lines = draw(
        st.lists(
            st.sampled_from(["", " x", "}", '"', "# c", "/*", "EE", "x E", "$${", "\\"]), max_size=4
        )
    )
    if depth and draw(st.booleans()):
        lines.append(f"${{f({draw(_strings(depth - 1))})}}")
    dash = draw(st.sampled_from(["", "-"]))
    return "\n".join([f"<<{dash}{marker}", *lines, f"  {marker}"]) + "\n"


def _expressions(depth: int) -> st.SearchStrategy[str]:
    """Return expressions of one line each, or with line ends inside of brackets alone."""
    simple = st.sampled_from(
        [
            "1",
            "-2.5",
            "true",
            "null",
            "a.b[0].c",
            'x["y"]',
            "!a",
            "a.*.b",
            "a[*].b",
            "(1 + 2)",
            "a / b",
        ]
    )
    choices = [simple, _strings(depth)]
    if depth:
        inner = _expressions(depth - 1)
        choices += [
            st.lists(inner, max_size=3).map(lambda items: "[" + ", ".join(items) + "]"),
            st.lists(inner, max_size=3).map(
                lambda items: "[ # ]\n" + "".join(f"  {item}, // )\n" for item in items) + "]"
            ),
            st.lists(inner, max_size=3).map(
                lambda items: "{\n" + "".join(f"k = {item} # }}\n" for item in items) + "}"
            ),
            inner.map(lambda item: f"f({item}, {item})"),
            inner.map(lambda item: f"[for a in {item} : a if a < 1]"),
            inner.map(lambda item: f"a == {item} ? {item} : null"),
            _heredocs(depth - 1).map(lambda text: f"f({text})"),
        ]
    return st.one_of(choices)


@dataclass
class Made:
    """A text under construction, and what was put where."""

    text: str = ""
    comments: list[tuple[str, int]] = field(default_factory=list)

    @property
    def line(self) -> int:
        return self.text.count("\n") + 1

    def comment(self, text: str) -> None:
        self.comments.append((text, self.line))
        self.text += text


@dataclass
class Put:
    """A block that was put: header, lines, and what is in it."""

    kind: str
    labels: tuple[str, ...]
    line: int
    end_line: int = 0
    arguments: dict[str, tuple[int, int]] = field(default_factory=dict)
    blocks: list[Put] = field(default_factory=list)


def _block(draw: st.DrawFn, made: Made, depth: int) -> Put:
    kind = draw(NAMES)
    labels = draw(st.lists(LABELS, max_size=2))
    put = Put(kind, tuple(one.strip('"') for one in labels), made.line)
    made.text += " ".join([kind, *labels, "{"])
    if draw(st.booleans()):
        made.text += " "
        made.comment(draw(COMMENTS))
    made.text += "\n"
    for _ in range(draw(st.integers(0, 3))):
        _item(draw, made, put, depth)
    put.end_line = made.line
    made.text += "}\n"
    return put


def _item(draw: st.DrawFn, made: Made, put: Put, depth: int) -> None:
    kind = draw(st.sampled_from(["argument", "argument", "comment", "blank", "block"]))
    made.text += draw(st.sampled_from(["", "  ", "\t"]))
    if kind == "blank":
        made.text += "\n"
    elif kind == "comment":
        made.comment(draw(COMMENTS))
        made.text += "\n"
    elif kind == "block" and depth:
        put.blocks.append(_block(draw, made, depth - 1))
    else:
        name = f"arg{len(put.arguments)}"
        line = made.line
        if draw(st.integers(0, 4)) == 0:
            made.text += f"{name} = {draw(_heredocs(1))}"
            put.arguments[name] = (line, made.line - 1)
            return
        made.text += f"{name} = {draw(_expressions(2))}"
        put.arguments[name] = (line, made.line)
        made.text += "\n"


@st.composite
def sources(draw: st.DrawFn) -> tuple[str, list[Put]]:
    """Return a text and its top-level blocks."""
    made, put = Made(), []
    for _ in range(draw(st.integers(1, 4))):
        if draw(st.booleans()):
            made.comment(draw(COMMENTS))
            made.text += "\n"
        put.append(_block(draw, made, 2))
    return made.text, put


def _check(text: str, found: list[Block], put: list[Put]) -> None:
    assert [(one.kind, one.labels, one.line, one.end_line) for one in found] == [
        (one.kind, one.labels, one.line, one.end_line) for one in put
    ]
    for block, expected in zip(found, put, strict=True):
        body = scan_body(text, block)
        assert body.error is None
        lines = {name: (one.line, one.end_line) for name, one in body.attributes.items()}
        assert lines == expected.arguments
        _check(text, body.blocks, expected.blocks)


@given(sources(), st.booleans())
def test_everything_is_found_where_it_was_put(source: tuple[str, list[Put]], crlf: bool) -> None:
    """With any ends of lines, whatever strings, heredocs and comments hold."""
    text, put = source
    if crlf:
        text = text.replace("\n", "\r\n")
    body = scan(text)
    assert body.error is None
    _check(text, body.blocks, put)


def _agree(text: str, block: Block, found: Contents) -> None:
    """Both walks see the same arguments, and the same blocks at the same places."""
    scanned = scan_body(text, block)
    assert [text[name.start : name.end] for name, _ in found.arguments] == [*scanned.attributes]
    for (_, node), place in zip(found.arguments, scanned.attributes.values(), strict=True):
        if not isinstance(node, (Items, Members)):
            assert place.start <= node.start < node.end <= place.end
    assert [one.kind.start for one in found.blocks] == [one.start for one in scanned.blocks]
    for inner, nested in zip(scanned.blocks, found.blocks, strict=True):
        _agree(text, inner, nested.body)


@given(sources(), st.booleans())
def test_the_reader_agrees_with_the_scanner(source: tuple[str, list[Put]], crlf: bool) -> None:
    """The two walks, one for places and one for values, find the same things."""
    text, put = source
    if crlf:
        text = text.replace("\n", "\r\n")
    blocks = scan(text).blocks
    assert len(blocks) == len(put)
    for block in blocks:
        _agree(text, block, read_block(text, block))


@given(sources())
def test_a_comment_stands_where_it_is_said_to(source: tuple[str, list[Put]]) -> None:
    """With its own text."""
    text, _ = source
    for comment in scan_comments(text):
        assert text.startswith(comment.text, comment.start)
        assert comment.line == text.count("\n", 0, comment.start) + 1


@given(st.text(alphabet="ab{}[]()\"'\\$%#/*<>-~=,.:\n\r\t é_0E", max_size=60))
def test_any_text_is_scanned_or_refused(text: str) -> None:
    """Nothing but a `ScanError` inside, and every offset lies within the text."""
    body = scan(text)
    for block in body.blocks:
        assert 0 <= block.start < block.opened <= block.closed < len(text)
        scan_body(text, block)
        with contextlib.suppress(ScanError):
            read_block(text, block)
    scan_comments(text)
