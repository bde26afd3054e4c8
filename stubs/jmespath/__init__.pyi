"""The part of jmespath that tfgate uses; the package has no types of its own."""

from typing import Any

def search(expression: str, data: Any) -> Any: ...
