"""A single value of the configuration: declared once, read from file, environment and flags.

A ``Section`` is a class with one ``Setting`` a key. Precedence: defaults, then ``tfgate.toml``,
then the environment, then flags.
"""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, TypeVar, overload

from tfgate.model import Frozen
from tfgate.ruleset.problems import Problems
from tfgate.ruleset.strict import INVALID, Boolean, Integer, Key, ListOf, Table, Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfgate.ruleset.strict import Kind

T = TypeVar("T")
PATH: Final = Text(most=1_000, one_line=True)
_BOOLEANS: Final = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


class From(str, Enum):
    """Which layer a value comes from, from weak to strong."""

    DEFAULT = "default"
    FILE = "file"
    ENVIRONMENT = "environment"
    FLAG = "flag"


class Origin(Frozen, frozen=True):
    """Where a value comes from."""

    layer: From
    where: str = ""
    """``tfgate.toml:3``, ``TFGATE_EVALUATE``, ``--evaluate``; empty for a default."""

    def __str__(self) -> str:
        return self.where or "default"


class Value(Frozen, frozen=True):
    """An effective value and where it comes from."""

    value: Any
    origin: Origin
    base: Path
    """Folder that relative paths in it are relative to."""


class Setting(Generic[T]):
    """One value that the file, the environment and (where the command has it) a flag can give."""

    table: str
    key: str

    def __init__(self, kind: Kind, doc: str, variable: str, *, default: T) -> None:
        self.kind = kind
        """What may stand there."""
        self.doc = doc
        self.variable = variable
        """Environment variable; lists are written with commas, booleans as true or false."""
        self.default = default

    def __set_name__(self, section: type[Section], key: str) -> None:
        self.key = key

    @overload
    def __get__(self, section: None, owner: type[Section]) -> Setting[T]: ...
    @overload
    def __get__(self, section: Section, owner: type[Section]) -> T: ...
    def __get__(self, section: Section | None, owner: type[Section]) -> Setting[T] | T:
        return self if section is None else self.of(section.values[self.name], section.home)

    def of(self, value: Value, _home: str | None) -> T:
        """Return the value as the code uses it: its kind has read it."""
        return value.value  # type: ignore[no-any-return] # read by its kind

    @property
    def name(self) -> str:
        """``gate.evaluate``."""
        return f"{self.table}.{self.key}"

    @property
    def flag(self) -> str:
        """``--evaluate``: the flag's name in messages."""
        return f"--{self.key.replace('_', '-')}"


class PathSetting(Setting["Path | None"]):
    """A path, made absolute from where it was written."""

    def __init__(self, doc: str, variable: str) -> None:
        super().__init__(PATH, doc, variable, default=None)

    def of(self, value: Value, home: str | None) -> Path | None:
        """Return the absolute path."""
        return None if value.value is None else place(value.value, value.base, home)


class Section:
    """The settings of one table, with the values in force; a subclass declares them."""

    settings: ClassVar[tuple[Setting[Any], ...]]

    def __init_subclass__(cls, *, table: str) -> None:
        cls.settings = tuple(part for part in vars(cls).values() if isinstance(part, Setting))
        cls._title = f"[{table}]"
        for setting in cls.settings:
            setting.table = table

    _title: ClassVar[str]

    def __init__(self, values: Mapping[str, Value], home: str | None) -> None:
        self.values = values
        self.home = home

    @classmethod
    def as_table(
        cls, more: Mapping[str, Key] | None = None, retired: Mapping[str, str] | None = None
    ) -> Table:
        """Return what the file's table may hold: the settings, and ``more`` keys."""
        keys = {setting.key: Key(setting.kind, setting.doc) for setting in cls.settings}
        return Table(cls._title, {**keys, **(more or {})}, retired=retired or {})


def place(text: str, base: Path, home: str | None) -> Path:
    """Make a written path absolute: ``~/`` is ``home``, a relative one begins at ``base``."""
    if home and (text == "~" or text.startswith("~/")):
        return Path(home) / text[2:]
    return base / text


def read_environment(
    settings: Iterable[Setting[Any]],
    environment: Mapping[str, str],
    cwd: Path,
    problems: list[Any],
) -> dict[str, Value]:
    """Read every setting whose variable is set; mistakes are added to ``problems``.

    An empty variable counts as unset, except for a list, which it empties.
    """
    values = {}
    for setting in settings:
        text = environment.get(setting.variable)
        if text is None or (text == "" and not isinstance(setting.kind, ListOf)):
            continue
        found = Problems(setting.variable)
        plain = _from_text(text, setting.kind)
        if plain is None:
            found.add(
                "must be true or false"
                if isinstance(setting.kind, Boolean)
                else "must be a whole number"
            )
        value = INVALID if plain is None else setting.kind.read(plain, (), found)
        problems += found.done()
        if value is not INVALID:
            values[setting.name] = Value(value, Origin(From.ENVIRONMENT, setting.variable), cwd)
    return values


def _from_text(text: str, kind: Kind) -> object:
    """Return what TOML would have; ``None`` for a text that cannot be of the kind."""
    if isinstance(kind, ListOf):
        return [part.strip() for part in text.split(",") if part.strip()]
    if isinstance(kind, Boolean):
        return _BOOLEANS.get(text.strip().lower())
    if isinstance(kind, Integer):
        return int(text) if text.strip().isdecimal() and len(text) < 20 else None
    return text


def read_flags(
    settings: Iterable[Setting[Any]], flags: Mapping[str, Any], cwd: Path, problems: list[Any]
) -> dict[str, Value]:
    """Read values given by flags: setting name (``gate.evaluate``) → plain value.

    ``None`` means that the flag was not given. Raises ``KeyError`` for a name that is no setting.
    """
    by_name = {setting.name: setting for setting in settings}
    values = {}
    for name, given in flags.items():
        setting = by_name[name]
        if given is None:
            continue
        found = Problems(setting.flag)
        plain = list(given) if isinstance(given, tuple) else given
        value = setting.kind.read(plain, (), found)
        problems += found.done()
        if value is not INVALID:
            values[name] = Value(value, Origin(From.FLAG, setting.flag), cwd)
    return values
