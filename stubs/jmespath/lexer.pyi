from collections.abc import Iterator
from typing import Any, ClassVar

class Lexer:
    SIMPLE_TOKENS: ClassVar[dict[str, str]]
    def tokenize(self, expression: str) -> Iterator[dict[str, Any]]: ...
