"""Finding an argument in a block's ``expressions``, and what dynamic blocks may add there.

``dynamic`` blocks are not in ``configuration`` at all (terraform issues 28346, 29022). A nested
block that has no expressions but whose values are in ``after`` may come from one, or may have been
filled in by the provider: which of the two, the plan does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.plan.change import Change

    Path = tuple[str, ...]


_EXPRESSION: Final = frozenset({"constant_value", "references"})
_COMPUTED_MAPS: Final = frozenset(
    {"tags_all", "effective_labels", "terraform_labels", "effective_annotations", "timeouts"}
)
"""Maps that providers fill in by themselves: no nested blocks."""
_SCALARS: Final = (str, int, float, bool)


class Found(NamedTuple):
    """Where a path of argument names leads in ``expressions``."""

    parts: list[Any]
    """Expressions and blocks at the path."""
    hidden: bool
    """Whether a dynamic block may make (more of) it."""

    @property
    def is_set(self) -> bool:
        """Whether anything but a constant null is there."""
        return any(part != {"constant_value": None} for part in self.parts)


def is_expression(part: Any) -> bool:
    """Whether ``part`` is one expression and no block."""
    return type(part) is dict and part.keys() <= _EXPRESSION


def find(expressions: Any, path: Sequence[str], value: Any) -> Found:
    """Follow ``path`` through ``expressions``; ``value`` is what the resource has there.

    List steps are left out of paths. A path that goes on inside one expression ends with it.
    """
    if not path:
        return Found([] if expressions is None else [expressions], hides_blocks(expressions, value))
    if type(expressions) is list:
        values = value if type(value) is list else [value] * len(expressions)
        shorter = len(expressions) < len(values)
        found = [
            find(part, path, values[number] if number < len(values) else None)
            for number, part in enumerate(expressions)
        ]
        parts = [part for one in found for part in one.parts]
        return Found(parts, shorter or any(one.hidden for one in found))
    inner = value.get(path[0]) if type(value) is dict else value
    if type(expressions) is dict and path[0] in expressions:
        part = expressions[path[0]]
        if is_expression(part):
            return Found([part], hidden=False)
        return find(part, path[1:], inner)
    return Found([], may_be_blocks(path[0], inner))


def expressions_in(part: Any, path: Path = ()) -> Iterator[tuple[Path, Any, bool]]:
    """Yield every expression in a part of ``expressions``, where it stands, and whether once.

    List steps are left out of paths: of two blocks of a name, none stands in a place of its own.
    """
    stack = [(part, path, True)]
    while stack:
        node, at, once = stack.pop()
        if is_expression(node):
            yield at, node, once
        elif type(node) is list:
            stack.extend((inner, at, once and len(node) == 1) for inner in node)
        elif type(node) is dict:
            stack.extend((inner, (*at, name), once) for name, inner in node.items())


def hides_blocks(expressions: Any, value: Any) -> bool:
    """Whether ``value`` has blocks that ``expressions`` does not have.

    An attribute that is unknown as a whole and has no expression counts as the provider's: almost
    every resource to be created has some.
    """
    if type(expressions) is list:
        if type(value) is not list:
            return isinstance(value, Unknown)
        pairs = zip(expressions, value, strict=False)
        return len(expressions) < len(value) or any(hides_blocks(*pair) for pair in pairs)
    if type(expressions) is not dict or type(value) is not dict or is_expression(expressions):
        return False
    for name, inner in value.items():
        if name in expressions:
            if not is_expression(expressions[name]) and hides_blocks(expressions[name], inner):
                return True
        elif not isinstance(inner, Unknown) and may_be_blocks(name, inner):
            return True
    return False


def may_be_blocks(name: str, value: Any) -> bool:
    """Whether ``value`` can be that of nested blocks: objects, or unknown."""
    if isinstance(value, Unknown):
        return not _names_attribute(name)
    if type(value) is dict:
        return bool(value) and name not in _COMPUTED_MAPS
    return type(value) is list and any(
        type(element) is dict or isinstance(element, (Unknown, Maybe)) for element in value
    )


def shows_attribute(value: Any) -> bool:
    """Whether ``value`` is one that only an attribute can have: a scalar, or a list of them."""
    if type(value) is list:
        return bool(value) and all(isinstance(element, _SCALARS) for element in value)
    return isinstance(value, _SCALARS)


def _names_attribute(name: str) -> bool:
    return name in ("id", "arn", "name") or name.endswith(
        ("_id", "_ids", "_arn", "_arns", "_name", "_names")
    )


# --- Blocks that stand for any number of them: what a provider plans for an unknown ``for_each``.
#
# Terraform makes a nested block whose ``dynamic`` is over something unknown unknown as a whole.
# Where the schema has an attribute that is written as blocks (``ingress`` of
# ``aws_security_group``), it is one element instead, in which everything that the ``content`` sets
# is unknown: its place in the list says nothing about how many there will be, none included
# (https://developer.hashicorp.com/terraform/language/attr-as-blocks).
#
# What the content does not set is alike in every element to come, so that is kept.


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
    if type(value) is list:
        for element in value:
            if type(element) is dict and _holds_unknown(element):
                return True
    return False


def _holds_unknown(value: Any) -> bool:
    """Whether anything in a list or object is unknown."""
    parts = value.values() if type(value) is dict else value
    if Unknown in map(type, parts):
        return True
    for part in parts:
        if (type(part) is dict or type(part) is list) and _holds_unknown(part):
            return True
    return False


class _Settler:
    """Goes through the values of one resource beside its configuration."""

    def __init__(self, open_blocks: frozenset[str] | None, *, trusting: bool) -> None:
        self._open = open_blocks
        """Labels of dynamic blocks over what may be unknown; None where no sources are at hand."""
        self._trusting = trusting

    def value(self, name: str, value: Any, part: Any) -> Any:
        """Settle the value of an argument; ``part`` is what the configuration shows of it."""
        if type(value) is dict:
            return self._inside(value, part)
        if type(value) is not list or not _is_suspect(value):
            return value
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
        return {
            name: self.value(name, value, given.get(name))
            if type(value) is list or type(value) is dict
            else value
            for name, value in element.items()
        }

    def _may_be_open(self, name: str, value: list[Any], part: Any) -> bool:
        """Whether a dynamic block over an unknown may have made some of the elements."""
        if self._open is not None:
            return name in self._open
        if type(part) is dict and "constant_value" in part:
            part = part["constant_value"]
        if type(part) is not list or len(part) < len(value):
            return True
        if len(value) == 1:
            return False
        # Alike blocks are one element of a set: those alone are counted that differ.
        return len({msgspec.json.encode(one) for one in part}) < len(value)

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
