"""Reads the body of a block: which kind of expression stands where, and where it is no HCL.

This is the grammar of HCL's native syntax (``hclsyntax/spec.md``), without its meaning: an operator
needs its operands, whatever its precedence. Line ends count as they do in ``hclsyntax/parser.go``:
they end an argument and a member of an object, and are white space inside parentheses, tuples,
calls and indexes. Templates inside strings and heredocs are not taken apart.

What is found holds offsets into the text alone; the values are read from the text when they are
asked for (`tfgate.hcl.values`). Spans include quotes and heredoc marks.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

import msgspec

from tfgate.hcl.lexical import BLOCK_COMMENT, IDENTIFIER, STRING, ScanError, skip_special
from tfgate.hcl.scanner import Block

MAX_DEPTH: Final = 100
"""How deep brackets and blocks may nest in a block; what people write stays below 20."""


TOO_DEEP: Final = "the block is nested too deeply to be read"
_INVALID: Final = "this block is not valid HCL"


class Text(msgspec.Struct, frozen=True, gc=False):
    """A quoted string or heredoc, with template sequences or without."""

    start: int
    end: int


class Number(msgspec.Struct, frozen=True, gc=False):
    """A number, with its sign."""

    start: int
    end: int


class Word(msgspec.Struct, frozen=True, gc=False):
    """``true``, ``false`` or ``null``; the name of an argument, a block or a member."""

    start: int
    end: int


class Code(msgspec.Struct, frozen=True, gc=False):
    """Any other expression: a reference, a call, an operation, a ``for``."""

    start: int
    end: int


class Items(msgspec.Struct, frozen=True):
    """A tuple."""

    items: list[Node]


class Members(msgspec.Struct, frozen=True):
    """An object: key (`Word`, `Text`, `Number` or `Code`) and value of each member."""

    members: list[tuple[Node, Node]]


Node = Text | Number | Word | Items | Members | Code


class Contents(msgspec.Struct, frozen=True):
    """Arguments (name, expression) and nested blocks of a body."""

    arguments: list[tuple[Word, Node]]
    blocks: list[Nested]


class Nested(msgspec.Struct, frozen=True):
    """A nested block: kind, labels (`Word` or `Text`) and body."""

    kind: Word
    labels: list[Word | Text]
    body: Contents


def read_block(text: str, block: Block) -> Contents:
    """Read the body of ``block``. Raises `ScanError` at the place that is no HCL."""
    reader = _Reader(text, block.opened, block.closed + 1)
    found = reader.body(block.start)
    if reader.start != block.closed:
        raise reader.unexpected()
    return found


def read_expression(text: str) -> Node:
    """Read a text that is one expression. Raises `ScanError` where it is none."""
    reader = _Reader(text, 0, len(text))
    node = reader.expression()
    if reader.lexeme:
        raise reader.unexpected()
    return node


_COMMENT = rf"(?:{BLOCK_COMMENT}|(?:#|//)[^\n]*(?![^\n]))"
"""Never the beginning of one: what a comment says is not taken for tokens when none follows."""
_BLANK = rf"[ \t\r]*(?:{_COMMENT}[ \t\r]*)*"
_BLANK_OR_LINES = rf"[ \t\r\n]*(?:{_COMMENT}[ \t\r\n]*)*"
_WRITTEN = (
    rf"({IDENTIFIER})|([0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?)|({STRING})"
    rf'|("|<<-?{IDENTIFIER}\r?\n)'
)
_SIGN = r"&&|\|\||[=!<>]=|=>|\.\.\.|::|[-+*/%<>!?:=,.(){}\[\]]"
_NAME, _NUMBER, _STRING, _TEMPLATE = 1, 2, 3, 4
_STEP = rf"(?:{IDENTIFIER}|[0-9]+|\*)"


class _Tokens(NamedTuple):
    """How tokens are found: where line ends are tokens, or where they are white space."""

    token: re.Pattern[str]
    step: re.Pattern[str]
    """What follows a dot."""


_IN_LINE = _Tokens(re.compile(rf"{_BLANK}(?:{_WRITTEN}|(\n|{_SIGN}))"), re.compile(_BLANK + _STEP))
_IN_BRACKETS = _Tokens(
    re.compile(rf"{_BLANK_OR_LINES}(?:{_WRITTEN}|({_SIGN}))"),
    re.compile(_BLANK_OR_LINES + _STEP),
)
_STEPS = re.compile(rf"(?:\.{_STEP})+")
"""Steps behind a name, without white space between: what nearly every traversal is."""
_IDENTIFIER = re.compile(IDENTIFIER)
_NOTHING = re.compile(_BLANK_OR_LINES)
_BINARY = frozenset({"&&", "||", "==", "!=", "<=", ">=", "<", ">", "+", "-", "*", "/", "%"})
_WORDS = frozenset({"true", "false", "null"})


class _Reader:
    """One walk over ``text`` from ``position`` to ``stop``, one token ahead."""

    def __init__(self, text: str, position: int, stop: int) -> None:
        self._text = text
        self._stop = stop
        self._depth = 0
        self._tokens = _IN_LINE
        self._last = position
        """Offset behind the token before this one."""
        self.end = position
        self.start = position
        self.kind = 0
        """Group of the token in the pattern."""
        self.lexeme = ""
        """The token; empty at the end."""
        self._next()

    def unexpected(self) -> ScanError:
        """Say that the token at hand may not stand where it does."""
        return ScanError(_INVALID, self.start)

    def body(self, header: int) -> Contents:
        """Read arguments and blocks up to a closing brace, which stays at hand.

        Each ends its line; a body that begins on the line of its brace is one argument and no more.
        ``header`` is the offset of the block's first character.
        """
        arguments: list[tuple[Word, Node]] = []
        blocks: list[Nested] = []
        names: set[str] = set()
        ends = "\n" if self.lexeme == "\n" else "}"
        while True:
            self._skip_lines()
            if self.lexeme == "}":
                break
            name, word = self.lexeme, Word(self.start, self.end)
            self._name()
            if self.lexeme == "=":
                if name in names:
                    raise ScanError("an argument of this block is given twice", header)
                names.add(name)
                self._next()
                arguments.append((word, self.expression()))
            elif ends == "\n":
                blocks.append(self._block(word))
            if self.lexeme != ends:
                raise self.unexpected()
        return Contents(arguments, blocks)

    def expression(self) -> Node:
        """Read one expression; the token behind it is at hand then."""
        start, choices, operands, signs = self.start, 0, 0, ""
        while True:
            while self.lexeme in ("!", "-"):
                signs += self.lexeme
                self._next()
            node = self._term()
            operands += 1
            if self.lexeme in _BINARY:
                self._next()
            elif self.lexeme == "?":
                choices += 1
                self._next()
            elif self.lexeme == ":" and choices:
                choices -= 1
                self._next()
            else:
                break
        if choices:
            raise self.unexpected()
        if operands == 1 and not signs:
            return node
        if operands == 1 and signs == "-" and isinstance(node, Number):
            number = self._text[node.start : node.end]
            if number[0] != "-" and self._text[start + 1 : node.start].strip(" \t\r\n") == "":
                return Number(start, node.end)
        return Code(start, self._last)

    def _next(self) -> None:
        self._last = self.end
        found = self._tokens.token.match(self._text, self.end, self._stop)
        if found is None:
            self._finish()
            return
        self.kind = found.lastindex or 0
        self.lexeme = found.group(self.kind)
        self.start, self.end = found.span(self.kind)
        if self.kind == _TEMPLATE:
            self.end = skip_special(self._text, self.start)

    def _finish(self) -> None:
        """Stand at the end of the text. Raises `ScanError` where something else is there."""
        blank = _NOTHING.match(self._text, self.end, self._stop)
        self.start = self.end = self.end if blank is None else blank.end()
        self.kind, self.lexeme = 0, ""
        if self.start < self._stop:
            raise self.unexpected()

    def _expect(self, lexeme: str) -> None:
        if self.lexeme != lexeme:
            raise self.unexpected()
        self._next()

    def _enter(self, tokens: _Tokens) -> _Tokens:
        """Go behind the bracket at hand, one level deeper; what counted before is returned."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise ScanError(TOO_DEEP, self.start)
        before, self._tokens = self._tokens, tokens
        self._next()
        return before

    def _leave(self, closing: str, before: _Tokens) -> None:
        """Go behind the closing bracket at hand."""
        self._depth -= 1
        self._tokens = before
        self._expect(closing)

    def _block(self, kind: Word) -> Nested:
        labels: list[Word | Text] = []
        while self.kind in (_NAME, _STRING):
            found = Word if self.kind == _NAME else Text
            labels.append(found(self.start, self.end))
            self._next()
        if self.lexeme != "{":
            raise self.unexpected()
        before = self._enter(_IN_LINE)
        body = self.body(kind.start)
        self._leave("}", before)
        return Nested(kind, labels, body)

    def _term(self) -> Node:
        """Read an operand with the indexes and attributes behind it."""
        start, node = self.start, self._operand()
        plain = True
        while True:
            if self.lexeme == "[":
                self._index()
            elif self.lexeme == ".":
                self._step()
            else:
                break
            plain = False
        return node if plain else Code(start, self._last)

    def _operand(self) -> Node:
        start, end, kind, lexeme = self.start, self.end, self.kind, self.lexeme
        if kind == _NAME:
            return self._named(start, end, lexeme)
        if kind == _NUMBER:
            self._next()
            return Number(start, end)
        if kind in (_STRING, _TEMPLATE):
            self._next()
            return Text(start, end)
        if lexeme == "(":
            before = self._enter(_IN_BRACKETS)
            node = self.expression()
            self._leave(")", before)
            return Code(start, self._last) if isinstance(node, Code) else node
        if lexeme == "[":
            return self._tuple(start)
        if lexeme == "{":
            return self._object(start)
        raise self.unexpected()

    def _named(self, start: int, end: int, lexeme: str) -> Node:
        """Read what begins with a name: a word, a traversal or a call."""
        steps = _STEPS.match(self._text, end, self._stop)
        if steps is not None:
            self.end = steps.end()
            self._next()
            return Code(start, steps.end())
        self._next()
        if self.lexeme == "::":
            while self.lexeme == "::":
                self._next()
                self._name()
            if self.lexeme != "(":
                raise self.unexpected()
        if self.lexeme == "(":
            self._call()
            return Code(start, self._last)
        return Word(start, end) if lexeme in _WORDS else Code(start, end)

    def _step(self) -> None:
        """Go behind ``.name``, ``.0`` or ``.*``, whose dot is at hand."""
        step = self._tokens.step.match(self._text, self.end, self._stop)
        if step is None:
            raise self.unexpected()
        self.end = step.end()
        self._next()

    def _index(self) -> None:
        before = self._enter(_IN_BRACKETS)
        if self.lexeme == "*":
            self._next()
        else:
            self.expression()
        self._leave("]", before)

    def _call(self) -> None:
        before = self._enter(_IN_BRACKETS)
        while self.lexeme != ")":
            self.expression()
            if self.lexeme == "...":
                self._next()
                break
            if self.lexeme != ",":
                break
            self._next()
        self._leave(")", before)

    def _tuple(self, start: int) -> Node:
        before = self._enter(_IN_BRACKETS)
        if self.lexeme == "for":
            self._for()
            self._leave("]", before)
            return Code(start, self._last)
        items = []
        while self.lexeme != "]":
            items.append(self.expression())
            if self.lexeme != ",":
                break
            self._next()
        self._leave("]", before)
        return Items(items)

    def _object(self, start: int) -> Node:
        before = self._enter(_IN_LINE)
        self._skip_lines()
        if self.lexeme == "for":
            self._tokens = _IN_BRACKETS
            self._for(arrow=True)
            self._leave("}", before)
            return Code(start, self._last)
        members = []
        while self.lexeme != "}":
            members.append(self._member())
            if self.lexeme not in (",", "\n"):
                break
            self._next()
            self._skip_lines()
        self._leave("}", before)
        return Members(members)

    def _member(self) -> tuple[Node, Node]:
        key = self.expression()
        if isinstance(key, Code) and _IDENTIFIER.fullmatch(self._text, key.start, key.end):
            key = Word(key.start, key.end)
        if self.lexeme not in ("=", ":"):
            raise self.unexpected()
        self._next()
        return key, self.expression()

    def _for(self, *, arrow: bool = False) -> None:
        """Go over ``for k, v in x : k => v... if c``, up to the closing bracket."""
        self._next()
        self._name()
        if self.lexeme == ",":
            self._next()
            self._name()
        if self.lexeme != "in":
            raise self.unexpected()
        self._next()
        self.expression()
        self._expect(":")
        self.expression()
        if arrow:
            self._expect("=>")
            self.expression()
            if self.lexeme == "...":
                self._next()
        if self.lexeme == "if":
            self._next()
            self.expression()

    def _name(self) -> None:
        if self.kind != _NAME:
            raise self.unexpected()
        self._next()

    def _skip_lines(self) -> None:
        while self.lexeme == "\n":
            self._next()
