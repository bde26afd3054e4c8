"""What a function is to the compiler, and the table it is looked up in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec
from msgspec.structs import replace

from tfgate.query.errors import EvaluationError
from tfgate.query.values import ANYTHING, BOOLEANS, EXPREF, LISTS, NULL, NUMBER, OBJECTS, STRINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


TYPE_MASKS: Final = {
    "any": ANYTHING | EXPREF,
    "null": NULL,
    "boolean": BOOLEANS,
    "number": NUMBER,
    "string": STRINGS,
    "array": LISTS,
    "object": OBJECTS,
    "expref": EXPREF,
}
"""The words of a signature; ``array-number`` is an array whose elements are all numbers."""


class Parameter(msgspec.Struct, frozen=True):
    """One parameter: ``types`` as in ``string``, ``array|string``, ``array-number`` or ``any``."""

    name: str
    types: str = "any"
    optional: bool = False
    variadic: bool = False
    """Takes all further arguments, none included."""

    @property
    def mask(self) -> int:
        """Kinds that the argument itself may have."""
        mask = 0
        for name in self.types.split("|"):
            mask |= TYPE_MASKS[name.partition("-")[0]]
        return mask

    @property
    def element_mask(self) -> int:
        """Kinds that the elements of an array argument may have, 0 for no restriction."""
        mask = 0
        for name in self.types.split("|"):
            element = name.partition("-")[2]
            mask |= TYPE_MASKS[element] if element else 0
        return mask


class MayRaise(msgspec.Struct, frozen=True):
    """A function's result that holds only for the completions on which the function succeeds."""

    value: Any


class Function(msgspec.Struct, frozen=True):
    """A function with all that compiler, evaluator and documentation need to know of it.

    ``call`` gets the arguments, after the scope if ``scope`` and after the `State` if ``state``.
    It raises ValueError (or any exception that is not an EvaluationError) for a value it refuses;
    the text of it is not shown. EvaluationError's text is shown and must not hold values.
    """

    name: str
    parameters: tuple[Parameter, ...]
    returns: str
    """Type of the result, in the words of a signature, alternatives separated by ``|``."""
    doc: str
    """What it gives, in one sentence."""
    example: str
    """An expression that runs on the document {}."""
    result: Any
    """What ``example`` gives."""
    call: Callable[..., Any]
    plain: Callable[..., Any] | None = None
    """What to call instead where everything in the arguments is known: no state, no scope."""
    dynamic: Callable[..., Any] | None = None
    """What to call instead, with the `State` first, where all arguments are known and the second is
    not written out in the expression: so it may be of any size."""
    cost: int = 2
    """Steps of one call on small arguments; a step takes 0.1 µs."""
    errors: str = ""
    """When it fails beyond arguments of a wrong type, in one sentence."""
    scope: bool = False
    """Whether ``call`` gets the evaluation's scope first (None where there is none)."""
    state: bool = False
    """Whether ``call`` gets the evaluation's state first: internal."""
    handles_unknown: bool = False
    """Whether ``call`` takes unknowns inside its arguments. Where it does not, it is not called
    when something in them is unknown: the result is unknown then, and may raise."""
    total: bool = False
    """Whether it succeeds on all arguments of the right types."""
    standard: bool = False
    """Whether it is one of the 26 of the JMESPath specification."""
    check: Callable[[tuple[Any, ...]], str | None] | None = None
    """Looks at literal arguments (`NOT_LITERAL` in place of the others) when the expression is
    compiled, and says what is wrong with them."""

    @property
    def fewest(self) -> int:
        """Least number of arguments."""
        return sum(not (p.optional or p.variadic) for p in self.parameters)

    @property
    def most(self) -> int | None:
        """Greatest number of arguments, None for no limit."""
        return None if any(p.variadic for p in self.parameters) else len(self.parameters)

    def parameter(self, position: int) -> Parameter:
        """Return the parameter that takes the argument at ``position``."""
        return self.parameters[min(position, len(self.parameters) - 1)]

    @property
    def return_mask(self) -> int:
        """Kinds that the result may have."""
        mask = 0
        for name in self.returns.split("|"):
            mask |= TYPE_MASKS[name.partition("-")[0]]
        return mask & ANYTHING

    @property
    def signature(self) -> str:
        """Write it as ``name(parameter: types, …) -> type``."""
        parts = [
            f"{'*' if p.variadic else ''}{p.name}{'?' if p.optional else ''}: {p.types}"
            for p in self.parameters
        ]
        return f"{self.name}({', '.join(parts)}) -> {self.returns}"


FUNCTIONS: Final[dict[str, Function]] = {}
"""The functions every expression has, by name: the standard ones and tfgate's pure ones."""

_Call = TypeVar("_Call", bound=Callable[..., Any])


def function(
    signature: str,
    example: str,
    result: Any,
    *,
    doc: str = "",
    call: Callable[..., Any] | None = None,
    **more: Any,
) -> Callable[[_Call], _Call]:
    """Register the function below as one that every expression has.

    ``signature`` is written as `Function.signature` writes it. The documentation is the first
    paragraph of the docstring, unless ``doc`` is given. With ``call``, the function below is
    `Function.dynamic` of it. ``more`` are further fields of `Function`.
    """
    name, parameters, returns = _read_signature(signature)

    def register(made: _Call) -> _Call:
        text = doc or " ".join((made.__doc__ or "").partition("\n\n")[0].split())
        if call is not None:
            more["dynamic"] = made
        FUNCTIONS[name] = Function(
            name, parameters, returns, text, example, result, call or made, **more
        )
        return made

    return register


def _read_signature(text: str) -> tuple[str, tuple[Parameter, ...], str]:
    name, _, rest = text.partition("(")
    inside, _, returns = rest.partition(") -> ")
    parameters = []
    for part in inside.split(", "):
        label, _, types = part.partition(": ")
        parameters.append(
            Parameter(label.strip("*?"), types, label.endswith("?"), label.startswith("*"))
        )
    return name, tuple(parameters), returns


class _NotLiteral:
    def __repr__(self) -> str:
        return "NOT_LITERAL"


NOT_LITERAL: Final = _NotLiteral()
"""Stands for an argument whose value is not written in the expression."""


class FunctionTable:
    """Functions by name; `extended` gives a new table, this one gains plugins it is asked for."""

    def __init__(self, functions: Iterable[Function] = (), *, plugins: bool = True) -> None:
        self._functions = {function.name: function for function in functions}
        self._plugins = plugins

    @classmethod
    def default(cls) -> FunctionTable:
        """Return the table of the standard functions and the pure ones that tfgate adds."""
        return cls(FUNCTIONS.values())

    def extended(self, functions: Iterable[Function]) -> FunctionTable:
        """Return this table and ``functions``, which win over those of the same name here."""
        return FunctionTable([*self._functions.values(), *functions], plugins=self._plugins)

    def find(self, name: str) -> Function | None:
        """Return the function of that name: from here, else from an installed package."""
        function = self._functions.get(name)
        if function is None and self._plugins:
            function = load_plugin(name)
            if function is not None:
                self._functions[name] = function
        return function

    def nearest(self, name: str) -> str | None:
        """Return the known name most like ``name``, if one is near."""
        near = get_close_matches(name, self._functions, n=1)
        return near[0] if near else None

    def __iter__(self) -> Iterator[Function]:
        yield from list(self._functions.values())

    def __contains__(self, name: object) -> bool:
        return name in self._functions


# --- Functions of other packages, from the entry point group ``tfgate.functions``.
#
# An entry point's name is the function's name; what it refers to is a `Function`, or a plain
# callable that takes JSON values by position and gives one. It is looked for only when an
# expression calls a name that tfgate does not have. It must be pure: the same arguments, the same
# result.


GROUP: Final = "tfgate.functions"


def load_plugin(name: str) -> Function | None:
    """Load the function that an installed package offers under ``name``, if one does."""
    from importlib.metadata import entry_points  # 12 ms: docs/performance.md

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
    parameters = tuple(map(_parameter, inspect.signature(call).parameters.values()))
    return Function(name, parameters, "any", doc, "", None, call)


def _parameter(argument: inspect.Parameter) -> Parameter:
    return Parameter(
        argument.name,
        optional=argument.default is not inspect.Parameter.empty,
        variadic=argument.kind is inspect.Parameter.VAR_POSITIONAL,
    )


def _is_json(value: Any) -> bool:
    if type(value) is list:
        return all(map(_is_json, value))
    if type(value) is dict:
        return all(type(key) is str and _is_json(part) for key, part in value.items())
    return value is None or type(value) in (str, int, float, bool)
