"""The grammar of expressions: jmespath's own lexer and parser, with what its community has added.

``let $a = … in …`` and ``$a`` are JEP 18 of jmespath.org. ``$`` (JEP 17), arithmetic (JEP 16) and
``a ? b : c`` (JEP 21) are JMESPath Community's.

jmespath's lexer is one loop over characters. It is given further characters that are tokens by
themselves; those that stand together in one token are put together behind it. Its parser is asked
for the column of each node that shows in the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from jmespath import lexer, parser

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Node = dict[str, Any]
"""A node of the parser: ``type``, ``children``, sometimes ``value``, ``column`` and ``grouped``."""

Token = dict[str, Any]
"""A token of the lexer: ``type``, ``value``, ``start`` and ``end``."""

_TOGETHER: Final = {
    ("root", "unquoted_identifier"): "variable",
    ("assign", "assign"): "eq",
    ("slash", "slash"): "slashes",
    ("minus", "number"): "number",
}
"""Two tokens that are one where nothing stands between them."""

_OPERANDS: Final = frozenset(
    {
        "unquoted_identifier",
        "quoted_identifier",
        "literal",
        "current",
        "root",
        "variable",
        "rbracket",
        "rparen",
        "rbrace",
        "flatten",
        "star",
    }
)
"""Tokens that an operand ends with: a ``*`` behind one multiplies, any other is a wildcard."""


class Lexer(lexer.Lexer):
    """Reads the tokens of an expression."""

    SIMPLE_TOKENS: ClassVar[dict[str, str]] = {
        **lexer.Lexer.SIMPLE_TOKENS,
        "$": "root",
        "=": "assign",
        "?": "question",
        "+": "plus",
        "-": "minus",
        "\N{MINUS SIGN}": "dash",
        "/": "slash",
        "\N{DIVISION SIGN}": "obelus",
        "\N{MULTIPLICATION SIGN}": "times",
        "%": "percent",
    }

    def tokenize(self, expression: str) -> Iterator[Token]:
        """Yield the tokens, the last of type ``eof``."""
        before = ""
        for token in self._joined(expression):
            if token["type"] == "star" and before in _OPERANDS:
                token["type"] = "asterisk"
            before = token["type"]
            yield token

    def _joined(self, expression: str) -> Iterator[Token]:
        held: Token | None = None
        for token in super().tokenize(expression):
            if held is not None:
                together = _TOGETHER.get((held["type"], token["type"]))
                if together is not None and held["end"] == token["start"]:
                    joined = {**token, "type": together, "start": held["start"]}
                    number = together == "number"
                    joined["value"] = -token["value"] if number else held["value"] + token["value"]
                    yield joined
                    held = None
                    continue
                yield held
            held = token if token["type"] in _FIRST else None
            if held is None:
                yield token


_FIRST: Final = frozenset(first for first, _ in _TOGETHER)


_TERNARY: Final = 1.5
"""Between a pipe and ``||``."""
_ADDITIVE: Final = 6
_MULTIPLICATIVE: Final = 7
"""Looser than ``[]``, which is the loosest part of a path, and tighter than a comparison."""
_SIGN: Final = 8


def _operator(sign: str, power: float) -> Callable[[Parser, Node], Node]:
    """Return what parses the right side of an operator that groups to the left."""

    def parse(self: Parser, left: Node) -> Node:
        right = self._expression(power)
        return {"type": "arithmetic", "value": sign, "children": [left, right]}

    return parse


def _sign(sign: str) -> Callable[[Parser, Token], Node]:
    """Return what parses the operand of a sign."""

    def parse(self: Parser, token: Token) -> Node:
        operand = self._expression(_SIGN)
        return _placed({"type": "sign", "value": sign, "children": [operand]}, token)

    return parse


class Parser(parser.Parser):
    """Parses an expression; nodes that have a token of their own have its ``column``."""

    BINDING_POWER: ClassVar[dict[str, float]] = {
        **parser.Parser.BINDING_POWER,
        "root": 0,
        "variable": 0,
        "assign": 0,
        "question": _TERNARY,
        "plus": _ADDITIVE,
        "minus": _ADDITIVE,
        "dash": _ADDITIVE,
        "asterisk": _MULTIPLICATIVE,
        "times": _MULTIPLICATIVE,
        "slash": _MULTIPLICATIVE,
        "obelus": _MULTIPLICATIVE,
        "slashes": _MULTIPLICATIVE,
        "percent": _MULTIPLICATIVE,
    }

    _CACHE: ClassVar[dict[str, Any]] = {}

    def _parse(self, expression: str) -> parser.ParsedResult:
        self._tokens = list(Lexer().tokenize(expression))
        self._index = 0
        parsed = self._expression(binding_power=0)
        if self._current_token() != "eof":
            self._raise_parse_error_for_token(self._lookahead_token(0), "syntax error")
        return parser.ParsedResult(expression, parsed)

    _token_led_plus = _operator("+", _ADDITIVE)
    _token_led_minus = _token_led_dash = _operator("-", _ADDITIVE)
    _token_led_asterisk = _token_led_times = _operator("*", _MULTIPLICATIVE)
    _token_led_slash = _token_led_obelus = _operator("/", _MULTIPLICATIVE)
    _token_led_slashes = _operator("//", _MULTIPLICATIVE)
    _token_led_percent = _operator("%", _MULTIPLICATIVE)
    _token_nud_plus = _sign("+")
    _token_nud_minus = _token_nud_dash = _sign("-")

    def _token_nud_asterisk(self, token: Token) -> Node:
        """``let $a = b in *``: no operand stands before it."""
        return self._token_nud_star(token)

    def _token_nud_lparen(self, token: Token) -> Node:
        """Parse what is in parentheses, and keep that it was."""
        inside = super()._token_nud_lparen(token)
        inside["grouped"] = True
        return inside

    def _token_led_question(self, condition: Node) -> Node:
        """Parse ``a ? b : c``, which groups to the right."""
        then = self._expression()
        self._match("colon")
        otherwise = self._expression(self.BINDING_POWER["pipe"])
        return {"type": "ternary", "children": [condition, then, otherwise]}

    def _token_nud_literal(self, token: Token) -> Node:
        return _placed(super()._token_nud_literal(token), token)

    def _token_nud_current(self, token: Token) -> Node:
        return _placed(super()._token_nud_current(token), token)

    def _token_nud_quoted_identifier(self, token: Token) -> Node:
        return _placed(super()._token_nud_quoted_identifier(token), token)

    def _token_nud_unquoted_identifier(self, token: Token) -> Node:
        if token["value"] == "let" and self._current_token() == "variable":
            return _placed(self._let(), token)
        return _placed(super()._token_nud_unquoted_identifier(token), token)

    def _token_nud_root(self, token: Token) -> Node:
        return _placed({"type": "root", "children": []}, token)

    def _token_nud_variable(self, token: Token) -> Node:
        return _placed({"type": "variable", "children": [], "value": token["value"][1:]}, token)

    def _token_led_lparen(self, left: Node) -> Node:
        """Parse the arguments of a call, with the commas that jmespath's own does without."""
        if left["type"] != "field" or self._current_token() == "rparen":
            return {**super()._token_led_lparen(left), "column": left["column"]}
        arguments = [self._expression()]
        while self._current_token() != "rparen":
            self._match("comma")
            arguments.append(self._expression())
        self._advance()
        called = {"type": "function_expression", "value": left["value"], "children": arguments}
        return {**called, "column": left["column"]}

    def _let(self) -> Node:
        """Parse what follows ``let``; ``let`` and ``in`` are names everywhere else."""
        bindings = []
        while True:
            token = self._lookahead_token(0)
            self._match("variable")
            self._match("assign")
            binding = {"type": "binding", "value": token["value"][1:]}
            bindings.append(_placed({**binding, "children": [self._expression()]}, token))
            behind = self._lookahead_token(0)
            if behind["type"] == "unquoted_identifier" and behind["value"] == "in":
                self._advance()
                return {"type": "let", "children": [*bindings, self._expression()]}
            self._match("comma")

    def _parse_multi_select_hash(self) -> Node:
        pairs = []
        while True:
            key = self._lookahead_token(0)
            self._match_multiple_tokens(["quoted_identifier", "unquoted_identifier"])
            self._match("colon")
            pair = {"type": "key_val_pair", "value": key["value"], "children": [self._expression()]}
            pairs.append(_placed(pair, key))
            if self._current_token() == "rbrace":
                self._advance()
                return {"type": "multi_select_dict", "children": pairs}
            if self._current_token() == "comma":
                self._advance()


def _placed(node: Node, token: Token) -> Node:
    node["column"] = token["start"]
    return node
