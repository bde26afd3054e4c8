"""The text of a function in the making: its lines, its names, its constants."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tfgate.query.codegen.runtime import FEW, NAMES
from tfgate.query.state import LONG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LINES: Final = 400
_LEVELS: Final = 40
"""Python reads up to 100 levels of indentation."""
_LOOPS: Final = 12
"""Python reads up to 20 loops inside each other."""

_HASHED: Final = (str, int, float, bool, type(None))


class Unsuited(Exception):  # noqa: N818 - no error: the evaluator does it
    """The expression is one that no function is generated for."""


class Atom(NamedTuple):
    """A value in the generated function, by its name."""

    name: str
    kind: type | None = None
    """Its Python type, where that is certain."""
    direct: bool = False
    """Whether Python's truth of it is JMESPath's (or raises, where that is unknown)."""
    known: bool = False
    """Whether it is certain not to be an unknown as a whole."""
    literal: bool = False


def made(name: str, kind: type) -> Atom:
    """Give a value of a certain type."""
    return Atom(name, kind, direct=kind not in _NUMBERS, known=True)


def direct(name: str) -> Atom:
    """Give a value that is not unknown and that Python may ask for its truth."""
    return Atom(name, None, direct=True, known=True)


def literal(source: Source, value: Any) -> Atom:
    """Give a value that is the same on every document."""
    return made(source.constant(value), type(value))._replace(literal=True)


_NUMBERS: Final = frozenset({int, float})


class Source:
    """Lines of one function.

    Nothing of the expression's text gets into them: names are generated, and everything that the
    expression names or holds is a constant, given to the function beside its text.
    """

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._constants: dict[str, Any] = {}
        self._by_value: dict[tuple[type, Any], str] = {}
        self._found: list[dict[object, Atom]] = [{}]
        self._loops = 0
        self._names = 0
        self.wants_state = False
        """Whether something in it needs a `State`."""

    def line(self, text: str) -> None:
        """Write a line; ``Unsuited`` when it is one too many."""
        if len(self._lines) >= _LINES:
            raise Unsuited
        self._lines.append("    " * (len(self._found) + 1) + text)

    def assign(self, text: str) -> str:
        """Write an assignment to a new name; give that name."""
        name = self.fresh()
        self.line(f"{name} = {text}")
        return name

    def fresh(self) -> str:
        """Give a name that is not taken."""
        self._names += 1
        return f"t{self._names}"

    @contextmanager
    def block(self, header: str) -> Iterator[None]:
        """Write what follows inside of ``header``: ``if x``, ``else``, ``for e in x``."""
        self.line(header + ":")
        is_loop = header.startswith("for ")
        self._found.append({})
        self._loops += is_loop
        if len(self._found) > _LEVELS or self._loops > _LOOPS:
            raise Unsuited
        yield
        self._found.pop()
        self._loops -= is_loop

    def find(self, key: object) -> Atom | None:
        """Give what was kept under ``key`` in this block or one around it."""
        for found in reversed(self._found):
            if key in found:
                return found[key]
        return None

    def keep(self, key: object, atom: Atom) -> Atom:
        """Keep a value for whoever needs the same in this block."""
        self._found[-1][key] = atom
        return atom

    def constant(self, value: Any) -> str:
        """Give a name to a value from outside."""
        if type(value) in _HASHED:
            key = (type(value), value)
            name = self._by_value.get(key)
            if name is None:
                name = self._by_value[key] = self._new_constant(value)
            return name
        return self._new_constant(value)

    def value_of(self, name: str) -> Any:
        """Give the value of a constant."""
        return self._constants[name]

    def _new_constant(self, value: Any) -> str:
        name = f"k{len(self._constants)}"
        self._constants[name] = value
        return name

    def ensure(self, atom: Atom, kind: type) -> Atom:
        """Leave it to the evaluator where a value is not of a type."""
        sure = made(atom.name, kind)
        if atom.kind is not kind and self.find(("kind", atom.name)) != sure:
            self.decline_if(f"type({atom.name}) is not {kind.__name__}")
            self.keep(("kind", atom.name), sure)
        return sure

    def sure(self, atom: Atom) -> Atom:
        """Give the atom with what was made sure of before."""
        return self.find(("kind", atom.name)) or atom

    def decline_if(self, condition: str) -> None:
        """Leave it to the evaluator where ``condition`` holds."""
        self.line(f"if {condition}: raise Declined")

    def spend(self, steps: str) -> None:
        """Take steps; where there are too few, leave it to the evaluator, who counts them."""
        self.line(f"left -= {steps}")
        self.decline_if("left < 0")

    def state(self) -> str:
        """Give the name of the state."""
        self.wants_state = True
        return "state"

    def finish(self, scope: str | None) -> Callable[[Any, dict[Any, Any], Any], Any]:
        """Make the function; ``scope`` is the constant that makes its scope of the subject."""
        head = ["def generated(d, lets, scope):", "    try:", f"        left = {FEW}"]
        if scope is not None:
            head.append(f"        scope = {scope}(scope, d, lets)")
        if self.wants_state:
            head += ["        state = Brief()", "        state.scope = scope"]
        tail = ["    except BaseFault:", "        return DECLINED"]
        text = "\n".join([*head, *self._lines, *tail, ""])
        names = {**NAMES, **self._constants}
        exec(compile(text, "<generated from an expression>", "exec"), names)  # noqa: S102 - no text of others is in it
        made: Callable[[Any, dict[Any, Any], Any], Any] = names.pop("generated")
        return made


__all__ = ["LONG", "Atom", "Source", "Unsuited", "direct", "literal", "made"]
