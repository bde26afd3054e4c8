"""What a function is to the compiler, and the table it is looked up in."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, Final

import msgspec

from tfgate.query.functions.builtin import HOMES, functions_of
from tfgate.query.values import (
    ANYTHING,
    BOOLEANS,
    EXPREF,
    LISTS,
    NULL,
    NUMBER,
    OBJECTS,
    STRINGS,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

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
            from tfgate.query.functions.plugins import load_plugin

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
