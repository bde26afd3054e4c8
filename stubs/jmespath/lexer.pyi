from collections.abc import Iterator
from typing import Any

class Lexer:
    def tokenize(self, expression: str) -> Iterator[dict[str, Any]]: ...
