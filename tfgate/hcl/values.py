"""Plain values from shapes: literals as they are, and all else as somebody wants to see it.

A body is an object: arguments by name, nested blocks as a list under their kind, always (also where
there is one, so that a rule need not ask). A nested block with labels is nested by them, as in
Terraform's JSON syntax: ``backend "s3" {…}`` is ``{"backend": [{"s3": {…}}]}``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tfgate.hcl.literals import heredoc_text, number, quoted_text, sole_expression
from tfgate.hcl.shapes import Code, Items, Members, Number, Text, Word
from tfgate.query.values import UNKNOWN

if TYPE_CHECKING:
    from tfgate.hcl.shapes import Body, Nested, Node

_WORDS = {"true": True, "false": False, "null": None}


class Expressions:
    """The view in which an expression is ``{"expression": "…"}``, its text as written.

    A key that is an expression stands as it is written, in its parentheses.
    """

    def __init__(self, text: str) -> None:
        self._text = text

    def body(self, body: Body) -> dict[str, Any]:
        """Give a body. Raises ValueError for a literal that HCL would refuse."""
        arguments = {self._cut(name): self.value(node) for name, node in body.arguments}
        blocks: dict[str, list[Any]] = {}
        for block in body.blocks:
            blocks.setdefault(self._cut(block.kind), []).append(self._nested(block))
        return {**blocks, **arguments}

    def value(self, node: Node) -> Any:
        """Give the value of one expression."""
        if isinstance(node, Text):
            return self._string(self._text[node.start : node.end])
        if isinstance(node, Number):
            value = number(self._cut(node))
            return self.code(self._cut(node)) if value is None else value
        if isinstance(node, Word):
            return self._word(self._cut(node))
        if isinstance(node, Items):
            return [self.value(item) for item in node.items]
        if isinstance(node, Members):
            return self._members(node)
        return self.code(self._cut(node))

    def code(self, text: str) -> Any:
        """Give what stands for an expression."""
        return {"expression": text.strip()}

    def _word(self, written: str) -> Any:
        if written not in _WORDS:
            raise ValueError("a word that is no literal")
        return _WORDS[written]

    def _members(self, node: Members) -> Any:
        return {self._key(key): self.value(value) for key, value in node.members}

    def _key(self, node: Node) -> str:
        if isinstance(node, Text):
            written = self._string(self._cut(node))
            return written if isinstance(written, str) else self._cut(node)
        return "" if isinstance(node, (Items, Members)) else self._cut(node)

    def _string(self, written: str) -> Any:
        plain = quoted_text(written) if written.startswith('"') else heredoc_text(written)
        if plain is not None:
            return plain
        sole = sole_expression(written)
        return self.code(written if sole is None else sole)

    def _nested(self, block: Nested) -> dict[str, Any]:
        inner = self.body(block.body)
        for label in reversed(block.labels):
            inner = {self._key(label): inner}
        return inner

    def _cut(self, node: Text | Number | Word | Code) -> str:
        return self._text[node.start : node.end]


class Unknowns(Expressions):
    """The view in which an expression is ``UNKNOWN``: sound for three-valued evaluation.

    An object with a key that is an expression is unknown as a whole, and so are nested blocks that
    a dynamic block adds to.
    """

    def body(self, body: Body) -> dict[str, Any]:
        """Give a body; what ``dynamic "x"`` makes is under ``x`` too, and unknown."""
        found = super().body(body)
        for block in body.blocks:
            if self._cut(block.kind) == "dynamic" and block.labels:
                found[self._key(block.labels[0])] = UNKNOWN
        return found

    def code(self, text: str) -> Any:
        """Stand for any value."""
        return UNKNOWN

    def _members(self, node: Members) -> Any:
        if any(isinstance(key, (Code, Items, Members)) for key, _ in node.members):
            return UNKNOWN
        if any(isinstance(key, Text) and self._is_template(key) for key, _ in node.members):
            return UNKNOWN
        return super()._members(node)

    def _is_template(self, key: Text) -> bool:
        return not isinstance(self._string(self._cut(key)), str)
