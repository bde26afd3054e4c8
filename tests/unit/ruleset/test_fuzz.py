"""Whatever a file holds, loading ends in a value or in problems."""

from __future__ import annotations

import contextlib
import datetime as dt
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tfgate.errors import ConfigError, RulesetError
from tfgate.ruleset import load_gate_config, load_ruleset
from tfgate.ruleset.config_tables import CONFIG
from tfgate.ruleset.rule_tables import RULESET
from tfgate.ruleset.strict import Choice, ListOf, MapOf, Table

from .conftest import scope_functions

if TYPE_CHECKING:
    from pathlib import Path

    from tfgate.ruleset.strict import Kind

FUNCTIONS = scope_functions()
WORDS = st.sampled_from(
    [
        "",
        "x",
        "A-1",
        "1.0.0",
        "after.a",
        "$params.x",
        "$a",
        "{address}",
        "{@item}",
        "*",
        "((",
    ]
)
SCALARS = (
    WORDS
    | st.text(max_size=8)
    | st.integers(-5, 10**20)
    | st.floats()
    | st.booleans()
    | st.dates()
    | st.datetimes()
    | st.times()
)
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=5,
)


def like(kind: Kind) -> st.SearchStrategy[Any]:
    """Return values that are often, not always, of a kind: to get past the first checks."""
    if isinstance(kind, Table):
        keys = {name: like(key.kind) for name, key in kind.keys.items()}
        return st.fixed_dictionaries({}, optional=keys) | ANYTHING
    if isinstance(kind, ListOf):
        return st.lists(like(kind.item), max_size=2) | ANYTHING
    if isinstance(kind, MapOf):
        return st.dictionaries(st.sampled_from(["a", "x", "b c"]), like(kind.item), max_size=2)
    if isinstance(kind, Choice):
        return st.sampled_from([member.value for member in kind.members]) | ANYTHING
    return WORDS | ANYTHING


def to_toml(value: Any) -> str:
    """Write a value as TOML, tables inline."""
    if isinstance(value, dict):
        pairs = (f"{_quote(key)} = {to_toml(item)}" for key, item in value.items())
        return "{" + ", ".join(pairs) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(to_toml, value)) + "]"
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dt.date, dt.time)):
        return value.isoformat()
    return str(value)


def _quote(text: str) -> str:
    plain = text.encode("utf-8", "replace").decode()
    return '"' + "".join(f"\\U{ord(char):08x}" for char in plain) + '"'


def _document(value: Any) -> str:
    if not isinstance(value, dict):
        return f"x = {to_toml(value)}\n"
    return "".join(f"{_quote(key)} = {to_toml(item)}\n" for key, item in value.items())


FEW = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@FEW
@given(like(RULESET))
def test_any_ruleset_loads_or_is_refused(tmp_path: Path, value: Any) -> None:
    """Random tables give a ruleset or a RulesetError, never anything else."""
    path = tmp_path / "ruleset.toml"
    path.write_text(_document(value), encoding="utf-8")
    with contextlib.suppress(RulesetError):
        load_ruleset(str(path), functions=FUNCTIONS)


@FEW
@given(like(CONFIG))
def test_any_configuration_loads_or_is_refused(tmp_path: Path, value: Any) -> None:
    """Random tables give a configuration or a ConfigError, never anything else."""
    (tmp_path / "tfgate.toml").write_text(_document(value), encoding="utf-8")
    with contextlib.suppress(ConfigError):
        load_gate_config(tmp_path, {})


@FEW
@given(st.binary(max_size=100))
def test_any_bytes_are_read_or_refused(tmp_path: Path, data: bytes) -> None:
    """Bytes that are no text, or no TOML, are one problem."""
    (tmp_path / "tfgate.toml").write_bytes(data)
    with contextlib.suppress(ConfigError):
        load_gate_config(tmp_path, {})
