"""Functions of other packages, from the entry point group ``tfgate.functions``.

An entry point's name is the function's name; what it refers to is a `Function`, or a plain callable
that takes JSON values by position and gives one. It is looked for only when an expression calls a
name that tfgate does not have. It must be pure: the same arguments, the same result.
"""

from __future__ import annotations

from importlib.metadata import entry_points
from inspect import Parameter as Argument
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

from msgspec.structs import replace

from tfgate.query.errors import EvaluationError
from tfgate.query.functions.registry import Function, Parameter

if TYPE_CHECKING:
    from collections.abc import Callable

GROUP: Final = "tfgate.functions"


def load_plugin(name: str) -> Function | None:
    """Load the function that an installed package offers under ``name``, if one does."""
    for point in entry_points(group=GROUP, name=name):
        return as_function(name, point.load())
    return None


def as_function(name: str, offered: Any) -> Function:
    """Make a `Function` of what an entry point refers to; its results are checked to be JSON."""
    function = offered if isinstance(offered, Function) else _described(name, offered)

    def checked(*arguments: Any) -> Any:
        result = function.call(*arguments)
        if not function.handles_unknown and not _is_json(result):
            raise EvaluationError(f"{name}() gave something that is not a JSON value.")
        return result

    return replace(function, name=name, call=checked, standard=False)


def _described(name: str, call: Callable[..., Any]) -> Function:
    doc = (call.__doc__ or "Comes from another package.").strip().splitlines()[0]
    parameters = tuple(map(_parameter, signature(call).parameters.values()))
    return Function(name, parameters, "any", doc, "", None, call)


def _parameter(argument: Argument) -> Parameter:
    return Parameter(
        argument.name,
        optional=argument.default is not Argument.empty,
        variadic=argument.kind is Argument.VAR_POSITIONAL,
    )


def _is_json(value: Any) -> bool:
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is dict:
        return all(type(key) is str and _is_json(part) for key, part in value.items())
    return value is None or type(value) in (str, int, float, bool)
