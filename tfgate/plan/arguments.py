"""Finding an argument in a block's ``expressions``, and what dynamic blocks hide there.

``dynamic`` blocks are not in ``configuration`` at all (terraform issues 28346, 29022). A nested
block that has no expressions but whose values are in ``after`` may come from one, or may have been
filled in by the provider: which of the two, the plan does not say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    """Whether a dynamic block may hide (more of) it."""

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
