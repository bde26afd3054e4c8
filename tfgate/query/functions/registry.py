"""What a function is to the compiler, and the table it is looked up in."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from difflib import get_close_matches
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec.structs import replace

from tfgate.query.errors import EvaluationError
from tfgate.query.values import ANYTHING, BOOLEANS, EXPREF, LISTS, NULL, NUMBER, OBJECTS, STRINGS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


# --- The functions every expression has: the standard ones and tfgate's pure ones, by name.
#
# A function's module is imported when an expression calls it: most rules call two or three of them.


HOMES: Final[dict[str, str]] = {
    name: module
    for module, names in {
        # The 26 of the JMESPath specification.
        "numbers": ("abs", "avg", "ceil", "floor", "sum"),
        "strings": ("starts_with", "ends_with", "join"),
        "arrays": ("contains", "length", "map", "reverse"),
        "ordering": ("max", "min", "sort", "max_by", "min_by", "sort_by"),
        "objects": ("keys", "values", "merge"),
        "types": ("not_null", "to_array", "to_number", "to_string", "type"),
        # What tfgate adds and what needs nothing but its arguments (and the clock it is given).
        "text": ("matches", "glob", "lower", "upper", "split"),
        "documents": ("parse_json",),
        "collections": ("any", "all", "none", "unique", "count_by"),
        "network": ("cidr_contains", "cidr_is_public"),
        "versions": ("semver_satisfies",),
        "times": ("age_days",),
    }.items()
    for name in names
}
"""Name → the module below ``tfgate.query.functions`` that has the function."""


def functions_of(module: str) -> tuple[Function, ...]:
    """Give the functions of one of those modules."""
    functions: tuple[Function, ...] = import_module(f"tfgate.query.functions.{module}").FUNCTIONS
    return functions


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
        """Give the parameter that takes the argument at ``position``."""
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


class _NotLiteral:
    def __repr__(self) -> str:
        return "NOT_LITERAL"


NOT_LITERAL: Final = _NotLiteral()
"""Stands for an argument whose value is not written in the expression."""


class FunctionTable:
    """Functions by name; `extended` gives a new table, this one gains plugins it is asked for."""

    def __init__(
        self,
        functions: Iterable[Function] = (),
        *,
        plugins: bool = True,
        homes: Mapping[str, str] | None = None,
    ) -> None:
        self._functions = {function.name: function for function in functions}
        self._plugins = plugins
        self._homes = dict(homes or {})
        """Functions that are imported when they are asked for: name → module."""

    @classmethod
    def default(cls) -> FunctionTable:
        """Give the table of the standard functions and the pure ones that tfgate adds."""
        return cls(homes=HOMES)

    def extended(self, functions: Iterable[Function]) -> FunctionTable:
        """Give this table and ``functions``, which win over those of the same name here."""
        more = {function.name: function for function in functions}
        homes = {name: home for name, home in self._homes.items() if name not in more}
        mine = {**self._functions, **more}
        return FunctionTable(mine.values(), plugins=self._plugins, homes=homes)

    def find(self, name: str) -> Function | None:
        """Give the function of that name: from here, else from an installed package."""
        function = self._functions.get(name)
        if function is None and name in self._homes:
            return self._from_home(name)
        if function is None and self._plugins:
            function = load_plugin(name)
            if function is not None:
                self._functions[name] = function
        return function

    def _from_home(self, name: str) -> Function:
        home = self._homes[name]
        for function in functions_of(home):
            if self._homes.get(function.name) == home:
                self._functions[function.name] = function
        return self._functions[name]

    def nearest(self, name: str) -> str | None:
        """Give the known name most like ``name``, if one is near."""
        near = get_close_matches(name, {**self._homes, **self._functions}, n=1)
        return near[0] if near else None

    def __iter__(self) -> Iterator[Function]:
        for name in self._homes:
            yield self._functions.get(name) or self._from_home(name)
        for name, function in list(self._functions.items()):
            if name not in self._homes:
                yield function

    def __contains__(self, name: object) -> bool:
        return name in self._functions or name in self._homes


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
