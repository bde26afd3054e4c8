"""Plain values from HCL's JSON syntax, in the same form as those of the native one.

Every string there is a template: one with ``${ }`` or ``%{ }`` in it is an expression. Blocks that
Terraform's own language knows are lists under their kind, as in the native syntax; whether another
object is a nested block or an argument only the provider's schema says, and it stays as it is.
"""

from __future__ import annotations

import re
from typing import Any

from tfgate.hcl.values import sole_expression
from tfgate.query.values import UNKNOWN

_SEQUENCE = re.compile(r"[$%]{2}\{|([$%]\{)")
_DOUBLED = re.compile(r"([$%])\1(?=\{)")
_BLOCKS = frozenset(
    {
        "assert",
        "backend",
        "cloud",
        "connection",
        "content",
        "dynamic",
        "lifecycle",
        "postcondition",
        "precondition",
        "provider_meta",
        "provisioner",
        "required_providers",
        "validation",
    }
)


class JsonExpressions:
    """The view in which an expression is ``{"expression": "…"}``."""

    def whole(self, properties: dict[str, Any]) -> dict[str, Any]:
        """Give the body of a top-level block, from what a JSON reader gave.

        Raises ValueError where an argument's name is a template, which Terraform refuses.
        """
        found = self.body(properties)
        if not isinstance(found, dict):
            raise ValueError("a name of an argument is a template")
        return found

    def body(self, properties: dict[str, Any]) -> Any:
        """Give a body, or an object."""
        found = {}
        for name, written in properties.items():
            if name == "//":
                continue
            value = self.value(written)
            is_block = name in _BLOCKS and isinstance(value, dict) and isinstance(written, dict)
            found[name] = [value] if is_block else value
        return found

    def value(self, written: Any) -> Any:
        """Give one value."""
        if isinstance(written, str):
            return self._string(written)
        if isinstance(written, list):
            return [self.value(item) for item in written]
        if isinstance(written, dict):
            return self.body(written)
        return written

    def code(self, text: str) -> Any:
        """Give what stands for an expression."""
        return {"expression": text}

    def _string(self, written: str) -> Any:
        if not is_template(written):
            return _DOUBLED.sub(r"\1", written)
        sole = sole_expression(f'"{written}"')
        return self.code(f'"{written}"' if sole is None else sole)


class JsonUnknowns(JsonExpressions):
    """The view in which an expression is ``UNKNOWN``."""

    def body(self, properties: dict[str, Any]) -> Any:
        """Give a body, unknown where a key is a template; ``dynamic`` makes its blocks unknown."""
        if any(is_template(name) for name in properties):
            return UNKNOWN
        found = super().body(properties)
        dynamic = properties.get("dynamic")
        for one in dynamic if isinstance(dynamic, list) else [dynamic]:
            if isinstance(one, dict):
                found.update(dict.fromkeys(one, UNKNOWN))
        return found

    def code(self, text: str) -> Any:
        """Stand for any value."""
        return UNKNOWN


def is_template(written: str) -> bool:
    """Say whether a string has a template sequence in it that is not escaped."""
    return "{" in written and any(found.group(1) for found in _SEQUENCE.finditer(written))
