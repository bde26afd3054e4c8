"""What arguments and variables come to, as far as the plan and its sources show it for certain.

Plan JSON gives an expression as a constant, or as the names that it mentions: ``var.region`` and
``replace(var.region, "eu", "us")`` look alike. So a reference is followed only where the sources
have the expression as well, and it is made of literals, templates and traversals: of variables,
locals, outputs of modules, ``each`` and ``count``. Whatever else there is makes the value unknown.

A variable's value in its module is what the caller gives, converted to the variable's type. The
type is in the sources alone; without them a value counts as known if no type can change it.
"""

from __future__ import annotations

import re
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, Final

from tfgate.plan.arguments import is_expression
from tfgate.plan.decoding import decode_value
from tfgate.plan.pointing import NOT_SET, Place, Step, Traversal, agrees, module_steps, traversal
from tfgate.plan.values import names_secret, redact_named
from tfgate.query.values import SENSITIVE, UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from tfgate.plan.configuration import Call, Configuration, Module, Variable

Modules = tuple[tuple[str, "str | int | None"], ...]
"""A module instance: call and key of each step from the root."""
_Step = tuple[Modules, str, bool]

_LARGEST: Final = 10_000
"""Parts of a value that is followed, and characters of a template's result: locals that hold each
other twice would double it at every step."""
_SET: Final = re.compile(r"toset\((.*)\)", re.DOTALL)


class KnownValues:
    """Answers for one plan. With ``redacted``, what must not be shown is `SENSITIVE`."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._known: dict[_Step, Any] = {}
        self._open: set[_Step] = set()

    def arguments(
        self, place: Place, expressions: Any, *, redacted: bool, secret: Callable[[str], bool]
    ) -> Any:
        """Return the values of the arguments of a block; ``secret`` decides by its name."""
        if type(expressions) is not dict:
            return UNKNOWN
        return {
            name: SENSITIVE
            if redacted and secret(name)
            else self._part(place, (name,), part, redacted)
            for name, part in expressions.items()
        }

    def variables(
        self, module_address: str, wanted: frozenset[str] | None, *, redacted: bool
    ) -> Any:
        """Return the values of the variables that a module declares; ``wanted`` None is for all."""
        if not self._configuration.present:
            return UNKNOWN
        modules = module_steps(module_address)
        module = self._modules.get(_calls(modules))
        declared = (module[0].variables if module is not None else None) or {}
        names = declared if wanted is None else declared.keys() & wanted
        return {name: self._variable(modules, name, redacted) for name in sorted(names)}

    # --- Expressions.

    def _part(self, place: Place, path: tuple[str, ...], part: Any, redacted: bool) -> Any:
        """Return the value of an expression, of a nested block or of a list of them."""
        if is_expression(part):
            return self._expression(place, path, part, redacted)
        if type(part) is list:
            return [self._part(place, path, inner, redacted) for inner in part]
        if type(part) is not dict:
            return UNKNOWN
        return {
            name: SENSITIVE
            if redacted and names_secret(name)
            else self._part(place, (*path, name), inner, redacted)
            for name, inner in part.items()
        }

    def _expression(
        self, place: Place, path: tuple[str, ...], part: Mapping[str, Any], redacted: bool
    ) -> Any:
        if "constant_value" in part:
            value = part["constant_value"]
            return redact_named(value) if redacted else value
        references = part.get("references")
        if place.block is None or type(references) is not list:
            return UNKNOWN
        used: list[Traversal] = []
        value = self._written(place, place.block, path, redacted, used)
        return value if _agree(used, references) else UNKNOWN

    def _written(
        self,
        place: Place,
        block: str,
        path: Sequence[str],
        redacted: bool,
        used: list[Traversal] | None = None,
    ) -> Any:
        """Evaluate an expression of the sources; what it mentions is added to ``used``."""
        written = self._configuration.written
        text = None if written is None else written.expression(place.calls, block, path)
        if written is None or text is None or text == NOT_SET:
            return UNKNOWN
        found = [] if used is None else used
        return written.evaluate(text, partial(self._code, place, redacted, found))

    def _code(self, place: Place, redacted: bool, used: list[Traversal], text: str) -> Any:
        """Return what a part of an expression comes to that is no literal."""
        pointing = traversal(text)
        if pointing is None:
            return UNKNOWN
        used.append(pointing)
        root, behind = pointing
        first = behind[0] if behind else Step("")
        if first.kind != "attribute":
            return UNKNOWN
        name, rest = str(first.name), behind[1:]
        if root == "var":
            return _walk(self._variable(place.modules, name, redacted), rest, place)
        if root == "local":
            return _walk(self._local(place.modules, name, redacted), rest, place)
        if root == "module":
            return self._output(place, name, rest, redacted)
        if root == "each":
            return _walk(self._each(place, name, redacted), rest, place)
        if root == "count" and name == "index" and type(place.key) is int and not rest:
            return place.key
        return UNKNOWN

    def _each(self, place: Place, name: str, redacted: bool) -> Any:
        if type(place.key) is not str or place.block is None:
            return UNKNOWN
        if name == "key":
            return place.key
        written = self._configuration.written
        over = written and written.expression(place.calls, place.block, ("for_each",))
        if written is None or not over:
            return UNKNOWN
        outer = Place(place.modules)
        of_set = _SET.fullmatch(over.strip())
        if of_set is not None:
            elements = written.evaluate(of_set[1], partial(self._code, outer, redacted, []))
            return place.key if type(elements) is list and place.key in elements else UNKNOWN
        value = written.evaluate(over, partial(self._code, outer, redacted, []))
        return _get(value, place.key)

    # --- What a name stands for, each once.

    def _once(self, step: _Step, find: Callable[[], Any]) -> Any:
        if step in self._open:
            return UNKNOWN  # a circle: no configuration of Terraform has one
        if step not in self._known:
            self._open.add(step)
            try:
                value = find()
            except RecursionError:
                value = UNKNOWN
            finally:
                self._open.discard(step)
            self._known[step] = value if _is_small(value) else UNKNOWN
        return self._known[step]

    def _local(self, modules: Modules, name: str, redacted: bool) -> Any:
        def find() -> Any:
            value = self._written(Place(modules), f"local.{name}", (), redacted)
            return _shown(name, value, redacted)

        return self._once((modules, f"local.{name}", redacted), find)

    def _output(self, place: Place, name: str, rest: Sequence[Step], redacted: bool) -> Any:
        inside = place.into_module(name, rest)
        if inside is None:
            return UNKNOWN
        inner, output, rest = inside

        def find() -> Any:
            module = self._modules.get(inner.calls)
            declared = ((module and module[0].outputs) or {}).get(output)
            if declared is None or (redacted and declared.sensitive):
                return UNKNOWN if declared is None else SENSITIVE
            return _shown(
                output, self._written(inner, f"output.{output}", ("value",), redacted), redacted
            )

        return _walk(self._once((inner.modules, f"output.{output}", redacted), find), rest, place)

    def _variable(self, modules: Modules, name: str, redacted: bool) -> Any:
        return self._once(
            (modules, f"var.{name}", redacted),
            lambda: self._find_variable(modules, name, redacted),
        )

    def _find_variable(self, modules: Modules, name: str, redacted: bool) -> Any:
        module = self._modules.get(_calls(modules))
        declared = ((module and module[0].variables) or {}).get(name)
        if module is None or declared is None:
            return UNKNOWN
        if redacted and (declared.sensitive or names_secret(name)):
            return SENSITIVE
        if modules:
            value = self._given(modules, module[1], name, declared, redacted)
        else:
            value = self._given_to_root(name, declared)
        return redact_named(value) if redacted else value

    def _given(
        self, modules: Modules, call: Call | None, name: str, declared: Variable, redacted: bool
    ) -> Any:
        """Return what a module call gives a variable; its default where that is nothing."""
        where = f"configuration({_calls(modules)}).expressions"
        expressions = {} if call is None else decode_value(call.expressions, where) or {}
        if type(expressions) is not dict:
            return UNKNOWN
        if name not in expressions:
            return _default(declared)
        caller = Place(modules[:-1], f"module.{modules[-1][0]}", modules[-1][1])
        value = self._part(caller, (name,), expressions[name], redacted)
        return self._converted(_calls(modules), name, declared, value)

    def _given_to_root(self, name: str, declared: Variable) -> Any:
        """Return what the root module's variable was given.

        Since Terraform 1.2 a plan has the defaults among the variables. What it does not have is
        ephemeral, or the plan is older: where the sources show it, the default holds.
        """
        given = self._configuration.variables
        if name in given:
            return self._converted((), name, declared, given[name])
        if self._meta((), name, "ephemeral") in (NOT_SET, "false"):
            return _default(declared)
        return UNKNOWN

    def _converted(self, calls: tuple[str, ...], name: str, declared: Variable, value: Any) -> Any:
        if value is None:
            default = _default(declared)
            if default is None or not declared.default:
                return None
            nullable = self._meta(calls, name, "nullable")
            return (
                None
                if nullable in (NOT_SET, "true")
                else default
                if nullable == "false"
                else UNKNOWN
            )
        kind = self._meta(calls, name, "type")
        if kind is None:
            return _same_in_any_type(value, _default(declared) if declared.default else None)
        return converted(value, "any" if kind == NOT_SET else kind)

    def _meta(self, calls: tuple[str, ...], name: str, argument: str) -> str | None:
        """Return what the sources say of a variable, `NOT_SET` where nothing; None without them."""
        written = self._configuration.written
        return None if written is None else written.expression(calls, f"var.{name}", (argument,))

    @cached_property
    def _modules(self) -> dict[tuple[str, ...], tuple[Module, Call | None]]:
        """Every module with the call that calls it, by the names of the calls."""
        return {calls: (module, call) for calls, module, call in self._configuration.modules()}


def _calls(modules: Modules) -> tuple[str, ...]:
    return tuple(name for name, _ in modules)


def _default(declared: Variable) -> Any:
    """Return a variable's default, which Terraform has converted; unknown where it has none."""
    if not declared.default:
        return UNKNOWN
    return decode_value(declared.default, "configuration(variables).default")


def _shown(name: str, value: Any, redacted: bool) -> Any:
    if not redacted:
        return value
    return SENSITIVE if names_secret(name) else redact_named(value)


def _agree(used: Iterable[Traversal], references: Sequence[Any]) -> bool:
    """Whether an expression of the sources mentions what the plan says it does, and no more."""
    used = [*used]
    explained = all(any(agrees(one, [name]) for one in used) for name in references)
    return explained and all(any(agrees(one, [name]) for name in references) for one in used)


def _walk(value: Any, steps: Sequence[Step], place: Place) -> Any:
    for step in steps:
        if isinstance(value, Unknown):
            return value
        value = _get(value, str(step.name) if step.kind == "attribute" else place.key_of(step))
    return value


def _get(value: Any, key: str | int | None) -> Any:
    if isinstance(value, Unknown):
        return value
    if type(value) is dict and type(key) is str:
        return value.get(key, UNKNOWN)
    if type(value) is list and type(key) is int and key < len(value):
        return value[key]
    return UNKNOWN


def _is_small(value: Any) -> bool:
    stack, left = [value], _LARGEST
    while stack:
        part = stack.pop()
        left -= 1 + (len(part) if type(part) is str else 0)
        if left < 0:
            return False
        if type(part) is list:
            stack.extend(part)
        elif type(part) is dict:
            stack.extend(part.values())
    return True


# --- What a value becomes in a variable of a type (language/expressions/types, type conversion).


_COLLECTION: Final = re.compile(r"(list|set|map)\(\s*(string|number|bool|any)\s*\)")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,14})")
_LIKE_NUMBER: Final = re.compile(r"[-+]?(?:[0-9.]|inf)", re.IGNORECASE)
_BOOLEANS: Final = {"true": True, "false": False}


def converted(value: Any, kind: str) -> Any:
    """Convert a value to a type constraint as written; unknown where that is not plain."""
    if value is None or isinstance(value, Unknown) or kind == "any":
        return value
    if kind in _SIMPLE:
        return _SIMPLE[kind](value)
    found = _COLLECTION.fullmatch(kind)
    if found is None:
        return UNKNOWN
    outer, inner = found.groups()
    if outer == "map":
        return _each_converted(value, inner) if type(value) is dict else UNKNOWN
    if type(value) is not list:
        return UNKNOWN
    parts = [*_each_converted(dict(enumerate(value)), inner).values()]
    if outer == "list" or len(parts) < 2:
        return parts
    return sorted(set(parts)) if all(type(part) is str for part in parts) else UNKNOWN


def _each_converted(held: dict[Any, Any], kind: str) -> dict[Any, Any]:
    if kind == "any" and len({type(part) for part in held.values()}) > 1:
        return dict.fromkeys(held, UNKNOWN)  # all become of one type
    if kind == "any" and any(type(part) in (list, dict) for part in held.values()):
        return dict.fromkeys(held, UNKNOWN)
    return {key: converted(part, kind) for key, part in held.items()}


def _to_string(value: Any) -> Any:
    if type(value) is bool:
        return "true" if value else "false"
    return str(value) if type(value) in (str, int) else UNKNOWN


def _to_number(value: Any) -> Any:
    if type(value) in (int, float):
        return value
    return int(value) if type(value) is str and _NUMBER.fullmatch(value) else UNKNOWN


def _to_bool(value: Any) -> Any:
    if type(value) is bool:
        return value
    return _BOOLEANS.get(value, UNKNOWN) if type(value) is str else UNKNOWN


_SIMPLE: Final[dict[str, Callable[[Any], Any]]] = {
    "string": _to_string,
    "number": _to_number,
    "bool": _to_bool,
}


def _same_in_any_type(value: Any, default: Any) -> Any:
    """Return a value that is the same in every type it fits, or in the default's; else unknown.

    A text that is neither a number nor a boolean is a string or nothing. A number may become a
    text, a list a set, and an object may lose attributes, unless the default shows the type.
    """
    if isinstance(value, Unknown):
        return value
    if type(value) is str and not _LIKE_NUMBER.match(value) and value not in _BOOLEANS:
        return value
    if type(value) in (str, bool, int, float) and type(value) is type(default):
        return value
    if type(value) is list and len(value) < 2:
        return [_same_in_any_type(part, None) for part in value]
    return UNKNOWN
