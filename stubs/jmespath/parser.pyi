from typing import Any

class ParsedResult:
    expression: str
    parsed: dict[str, Any]

class Parser:
    def parse(self, expression: str) -> ParsedResult: ...
