"""Blocks that stand for any number of them: what a provider plans for an unknown ``for_each``.

Terraform makes a nested block whose ``dynamic`` is over something unknown unknown as a whole. Where
the schema has an attribute that is written as blocks (``ingress`` of ``aws_security_group``), it is
one element instead, in which everything that the ``content`` sets is unknown: its place in the list
says nothing about how many there will be, none included
(https://developer.hashicorp.com/terraform/language/attr-as-blocks).

What the content does not set is alike in every element to come, so that is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec

from tfgate.plan.arguments import is_expression
from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from tfgate.plan.change import Change

_NO_DEFAULTS: Final = "/hashicorp/aws"
"""A provider that has no default but "", 0 and false in an attribute that is written as blocks, so
that another value is one that somebody wrote, and is known."""


def settle(change: Change, after: Any) -> Any:
    """Make elements of ``after`` that may stand for any number of them `Maybe`; others stay."""
    if type(after) is not dict:
        return after
    suspects = [name for name, value in after.items() if _is_suspect(value)]
    if not suspects:
        return after
    configuration = change.context.configuration
    expressions = configuration.expressions(change)
    settler = _Settler(
        configuration.open_blocks(change), trusting=change.provider_name.endswith(_NO_DEFAULTS)
    )
    given = expressions if type(expressions) is dict else {}
    settled = {name: settler.value(name, after[name], given.get(name)) for name in suspects}
    return {**after, **settled}


def _is_suspect(value: Any) -> bool:
    """Whether ``value`` is a list with objects that hold something unknown, or holds one."""
    if type(value) is dict:
        return any(map(_is_suspect, value.values()))
    return type(value) is list and any(
        type(element) is dict and _holds_unknown(element) for element in value
    )


def _holds_unknown(value: Any) -> bool:
    if type(value) is dict:
        return any(map(_holds_unknown, value.values()))
    if type(value) is list:
        return any(map(_holds_unknown, value))
    return isinstance(value, Unknown)


class _Settler:
    """Goes through the values of one resource beside its configuration."""

    def __init__(self, open_blocks: frozenset[str] | None, *, trusting: bool) -> None:
        self._open = open_blocks
        """Labels of dynamic blocks over what may be unknown; None where no sources are at hand."""
        self._trusting = trusting

    def value(self, name: str, value: Any, part: Any) -> Any:
        """Settle the value of an argument; ``part`` is what the configuration shows of it."""
        if not _is_suspect(value):
            return value
        if type(value) is dict:
            return self._inside(value, part)
        blocks = part if type(part) is list else [part] * len(value)
        inner = [
            self._inside(element, block)
            for element, block in zip(value, [*blocks, *[None] * len(value)], strict=False)
        ]
        if not self._may_be_open(name, value, part):
            return inner
        return [
            element if self._was_written(element) else Maybe(element, many=True)
            for element in inner
        ]

    def _inside(self, element: Any, part: Any) -> Any:
        if type(element) is not dict:
            return element
        given = part if type(part) is dict and not is_expression(part) else {}
        return {name: self.value(name, value, given.get(name)) for name, value in element.items()}

    def _may_be_open(self, name: str, value: list[Any], part: Any) -> bool:
        """Whether a dynamic block over an unknown may have made some of the elements."""
        if self._open is not None:
            return name in self._open
        if type(part) is dict and "constant_value" in part:
            part = part["constant_value"]
        # Alike blocks are one element of a set: those alone are counted that differ.
        written = {msgspec.json.encode(one) for one in part} if type(part) is list else ()
        return len(written) < len(value)

    def _was_written(self, element: Any) -> bool:
        """Whether somebody wrote a value that is known here: then this is an element for sure.

        In an element that stands for others all that is written is unknown; what is known are
        defaults, and no list or map has one.
        """
        if type(element) is not dict or not _holds_unknown(element):
            return True
        return any(map(self._is_written, element.values()))

    def _is_written(self, value: Any) -> bool:
        if type(value) is list:
            return any(type(one) in (str, int, float, bool) for one in value)
        return self._trusting and type(value) in (str, int, float) and bool(value)
