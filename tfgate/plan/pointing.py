"""Which one instance an expression points at, where the sources show that it does nothing else.

Every hop must be a bare traversal: the argument itself, the arguments of module calls behind
variables, the outputs of modules, local values, ``for_each`` behind ``each.value``. Whatever else
there is on the way, a function, a condition, a computed key, makes the answer None.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

from tfgate.model.address import module_instances
from tfgate.plan.arguments import is_expression

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tfgate.plan.change import Change


# --- What the sources of a plan say beyond its JSON: expressions as they are written.
#
# Plan JSON gives of an expression which objects it mentions, not what it does with them:
# ``aws_s3_bucket.a.id`` and ``replace(aws_s3_bucket.a.id, "/.*/", "z")`` look alike, and
# ``dynamic`` blocks are not in it at all (terraform issues 28346, 29022). Whoever has the
# configuration gives it to `tfgate.plan.Plan.use_sources`.


NOT_SET: Final = "null"
"""The expression of an argument that a block at hand does not set."""


class Written(Protocol):
    """The text of a configuration. ``None`` always says that the text is not at hand."""

    def expression(self, module: Sequence[str], block: str, path: Sequence[str]) -> str | None:
        """Return the expression of an argument, `NOT_SET` where the block does not set it.

        ``module`` names the module calls from the root. ``block`` is ``TYPE.NAME``,
        ``data.TYPE.NAME``, ``module.NAME``, ``provider.NAME``, ``var.NAME``, ``output.NAME`` (whose
        argument is ``value``) or ``local.NAME`` (with an empty path). ``path`` leads through nested
        blocks; where one of these is written twice or is dynamic, the answer is None.
        """

    def dynamic(self, module: Sequence[str], block: str) -> Mapping[str, Sequence[str]] | None:
        """Return, by label, the ``for_each`` of each ``dynamic`` block at any depth of a block."""

    def evaluate(self, text: str, resolve: Callable[[str], Any]) -> Any:
        """Return what an expression comes to: literals, and templates, lists and objects of them.

        ``resolve`` gives the value of each part that is something else, `UNKNOWN` where it is none.
        """


class Step(NamedTuple):
    """One step of a traversal behind its first name."""

    kind: str
    """``attribute``, ``key`` (a constant), ``each`` (``[each.key]``) or ``count``."""
    name: str | int = ""


class Traversal(NamedTuple):
    """An expression that only points: ``aws_s3_bucket.b["x"].id``."""

    root: str
    steps: tuple[Step, ...]


_NAME: Final = r"[^\W\d][\w-]*"
_KEY: Final = re.compile(
    r'"((?:[^"\\$%\n]|\\["\\])*)"|(0|[1-9][0-9]{0,8})|(each\.key)|(count\.index)'
)
_WHOLE: Final = re.compile(rf"({_NAME})((?:\.{_NAME}|\[[ ]*(?:{_KEY.pattern})[ ]*\])*)")
_STEPS: Final = re.compile(rf"\.({_NAME})|\[[ ]*(?:{_KEY.pattern})[ ]*\]")
_LONGEST: Final = 2_000
"""Characters of the longest text that is looked at: no traversal is longer."""


def traversal(text: str | None) -> Traversal | None:
    """Read an expression that is a bare traversal, or a template of nothing else; None for others.

    Its keys are constants, ``each.key`` or ``count.index``.
    """
    if text is None or len(text) > _LONGEST:
        return None
    text = text.strip()
    if text.startswith('"${') and text.endswith('}"'):
        text = text[3:-2].strip("~").strip()
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    return Traversal(found.group(1), tuple(map(_step, _STEPS.finditer(found.group(2)))))


def _step(found: re.Match[str]) -> Step:
    name, text, number, each, count = found.groups()
    if name is not None:
        return Step("attribute", name)
    if text is not None:
        return Step("key", re.sub(r'\\(["\\])', r"\1", text))
    if number is not None:
        return Step("key", int(number))
    return Step("each") if each else Step("count" if count else "")


def agrees(pointing: Traversal, references: Any) -> bool:
    """Whether the ``references`` of an expression in plan JSON can be those of a traversal.

    Sources that say something else than the plan are not the plan's.
    """
    if type(references) is not list or not references:
        return False
    plain = [pointing.root, *(str(one.name) for one in pointing.steps if one.kind == "attribute")]
    keys = {_KEPT[one.kind] for one in pointing.steps if one.kind in _KEPT}
    constants = {str(one.name) for one in pointing.steps if one.kind == "key"}
    return all(
        type(reference) is str and (reference in keys or _agrees(reference, plain, constants))
        for reference in references
    )


_KEPT: Final = {"each": "each.key", "count": "count.index"}
_IN_REFERENCE: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[([^\[\]"]*)\]')


def _agrees(reference: str, plain: list[str], constants: set[str]) -> bool:
    """Whether one reference is the traversal, or the beginning of it."""
    keys = {text or number for text, number in _IN_REFERENCE.findall(reference)}
    names = _IN_REFERENCE.sub("", reference).split(".")
    return names == plain[: len(names)] and keys <= constants


_HOPS: Final = 64
"""Hops beyond which nothing is followed: no configuration has so many, but a circle has."""
_NO_RESOURCES: Final = frozenset(
    {"path", "terraform", "tofu", "self", "count", "ephemeral", "provider", "action", "caller"}
)

Key = str | int | None


class Pointed(NamedTuple):
    """What an expression points at."""

    address: str
    """Of the instance."""
    kind: str
    """Its resource type."""
    attribute: str
    """The one attribute that is taken of it."""


class Place(NamedTuple):
    """Where an expression stands."""

    modules: tuple[tuple[str, Key], ...]
    """The module instances from the root: call and key."""
    block: str | None = None
    """The block that ``each`` and ``count`` belong to: ``TYPE.NAME``, ``module.NAME``."""
    key: Key = None
    """Key of the block's instance."""

    @property
    def calls(self) -> tuple[str, ...]:
        """The names of the module calls."""
        return tuple(name for name, _ in self.modules)

    def key_of(self, step: Step) -> Key:
        """Return the key that an index means here; ``None`` where that is not known."""
        if step.kind == "key":
            return step.name
        wanted = {"each": str, "count": int}.get(step.kind)
        return self.key if type(self.key) is wanted else None

    def into_module(
        self, name: str, rest: Sequence[Step]
    ) -> tuple[Place, str, Sequence[Step]] | None:
        """Follow ``module.NAME``: return the module, the output that is named, and what is left.

        ``None`` where that does not show which instance, or which output.
        """
        key: Key = None
        if rest and rest[0].kind != "attribute":
            key, rest = self.key_of(rest[0]), rest[1:]
            if key is None:
                return None
        if not rest or rest[0].kind != "attribute":
            return None
        return Place((*self.modules, (name, key))), str(rest[0].name), rest[1:]


class Pointing:
    """Follows the expressions of one configuration whose sources are at hand."""

    def __init__(self, written: Written) -> None:
        self._written = written
        self._parsed: dict[tuple[tuple[str, ...], str, tuple[str, ...]], Traversal | None] = {}

    def of(self, change: Change, path: Sequence[str], part: Any) -> Pointed | None:
        """Return what a resource's argument points at; ``part`` is its expression in the plan."""
        block = f"data.{change.type}.{change.name}" if change.mode == "data" else None
        place = Place(
            module_steps(change.module_address),
            block or f"{change.type}.{change.name}",
            change.index,
        )
        return self.at(place, path, part)

    def at(self, place: Place, path: Sequence[str], part: Any) -> Pointed | None:
        """Return what an argument of the block at ``place`` points at."""
        if place.block is None or not is_expression(part):
            return None
        begun = self._read(place.calls, place.block, tuple(path))
        if begun is None or not agrees(begun, part.get("references")):
            return None
        return self._follow(begun, place)

    def _read(
        self, calls: tuple[str, ...], block: str, path: tuple[str, ...] = ()
    ) -> Traversal | None:
        asked = (calls, block, path)
        if asked not in self._parsed:
            self._parsed[asked] = traversal(self._written.expression(*asked))
        return self._parsed[asked]

    def _follow(self, pointing: Traversal | None, place: Place) -> Pointed | None:
        for _ in range(_HOPS):
            if pointing is None:
                return None
            hop = self._hop(pointing, place)
            if not isinstance(hop, tuple) or isinstance(hop, Pointed):
                return hop
            pointing, place = hop
        return None

    def _hop(
        self, pointing: Traversal, place: Place
    ) -> tuple[Traversal | None, Place] | Pointed | None:
        """Take one hop: to another expression, or to the resource; None where there is none."""
        root, behind = pointing
        first = behind[0] if behind else Step("")
        if first.kind != "attribute" or root in _NO_RESOURCES:
            return None
        name = str(first.name)
        if root == "var":
            return self._to_caller(name, behind[1:], place)
        if root == "local":
            inner = self._read(place.calls, f"local.{name}")
            return _joined(inner, behind[1:]), Place(place.modules)
        if root == "module":
            found = place.into_module(name, behind[1:])
            if found is None:
                return None
            inside, output, rest = found
            return _joined(self._read(inside.calls, f"output.{output}", ("value",)), rest), inside
        if root == "each":
            return self._to_repetition(name, behind[1:], place)
        return _resource(pointing, place)

    def _to_caller(
        self, name: str, rest: tuple[Step, ...], place: Place
    ) -> tuple[Traversal | None, Place] | None:
        if not place.modules:
            return None
        call, key = place.modules[-1]
        caller = Place(place.modules[:-1], f"module.{call}", key)
        argument = self._read(caller.calls, f"module.{call}", (name,))
        return _joined(argument, rest), caller

    def _to_repetition(
        self, name: str, rest: tuple[Step, ...], place: Place
    ) -> tuple[Traversal | None, Place] | None:
        """``each.value`` is the element of ``for_each`` under the instance's own key."""
        if name != "value" or place.block is None or not isinstance(place.key, str):
            return None
        over = self._read(place.calls, place.block, ("for_each",))
        if over is None or over.root == "each":
            return None
        # A set has no elements under keys: what is taken of a resource or module always has.
        return _joined(over, (Step("key", place.key), *rest)), Place(place.modules)


def _joined(inner: Traversal | None, rest: Sequence[Step]) -> Traversal | None:
    return None if inner is None else Traversal(inner.root, (*inner.steps, *rest))


def _resource(pointing: Traversal, place: Place) -> Pointed | None:
    """Take apart ``TYPE.NAME.attribute`` and ``TYPE.NAME[key].attribute``, of data too."""
    prefix = "data." if pointing.root == "data" else ""
    parts = [*pointing.steps] if prefix else [Step("attribute", pointing.root), *pointing.steps]
    if len(parts) not in (3, 4):
        return None
    kind, name, *keys, attribute = parts
    if {kind.kind, name.kind, attribute.kind} != {"attribute"}:
        return None
    written = ""
    if keys:
        key = place.key_of(keys[0])
        if key is None:
            return None
        written = written_key(key)
    module = "".join(f"module.{call}{written_key(at)}." for call, at in place.modules)
    address = f"{module}{prefix}{kind.name}.{name.name}{written}"
    return Pointed(address, str(kind.name), str(attribute.name))


def written_key(key: Key) -> str:
    """Write a key as addresses have it."""
    if key is None:
        return ""
    if isinstance(key, int):
        return f"[{key}]"
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'


def module_steps(address: str) -> tuple[tuple[str, Key], ...]:
    """Take the address of a module instance apart."""
    return tuple((name, _read_key(key)) for name, key in module_instances(address))


def _read_key(key: str) -> Key:
    """Read a key with its brackets: ``["x"]``, ``[0]``, or nothing."""
    if not key:
        return None
    inner = key[1:-1]
    if inner.isdecimal() and len(inner) < 10:
        return int(inner)
    return inner[1:-1].replace('\\"', '"').replace("\\\\", "\\")
