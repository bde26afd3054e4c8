"""Data files: what rules read as ``$data``, from the ruleset, the configuration or a flag.

Who gives one may be anybody: the facts of a pull request are the word of its author. So a file is
bounded in size, in depth and in how many values it holds, and a ruleset may say with a JSON Schema
what it takes.
"""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any, Final

import msgspec

from tfgate.errors import Problem
from tfgate.model import Frozen
from tfgate.ruleset.files import Unreadable, decode_text, parse_toml, read_bytes
from tfgate.ruleset.problems import Problems, show_path
from tfgate.ruleset.strict import INVALID, Json

MAX_DATA_BYTES: Final = 32 * 1024 * 1024
"""Of one data file."""
MAX_YAML_BYTES: Final = 1024 * 1024
"""Of one in YAML, whose reader takes a hundred times as long."""
MAX_VALUES: Final = 2_000_000
"""Of one data file, those inside others counted as well."""
MAX_DEPTH: Final = 100
"""Levels of lists and objects."""
_SUFFIXES: Final = (".json", ".toml", ".yaml", ".yml")
_SHOWN: Final = 200
"""Characters that an error shows of a schema."""


class DataFile(Frozen, frozen=True):
    """One data file as it was read."""

    name: str
    """What ``$data`` calls it."""
    file: str
    """Path as a user would write it."""
    sha256: str
    """Hex digest of its bytes."""
    value: Any
    """Plain JSON."""
    source: str = "ruleset"
    """Who named it: ``ruleset``, ``configuration`` or ``flag``."""


class DataSchema(Frozen, frozen=True):
    """The JSON Schema that a ruleset has for a data file."""

    file: str
    """Path as a user would write it."""
    sha256: str
    """Hex digest of its bytes."""
    value: Any


def read_data(
    name: str,
    path: Path,
    shown: str,
    *,
    schema: DataSchema | None = None,
    source: str = "ruleset",
) -> DataFile:
    """Read a ``.json``, ``.toml`` or ``.yaml`` file. Raises ``Unreadable``."""
    suffix = path.suffix.lower()
    if suffix not in _SUFFIXES:
        raise Unreadable(Problem(shown, "a data file is named *.json, *.toml or *.yaml"))
    is_yaml = suffix in (".yaml", ".yml")
    content = read_bytes(path, shown, MAX_YAML_BYTES if is_yaml else MAX_DATA_BYTES)
    text = decode_text(content, shown)
    if is_yaml:
        value = _parse_yaml(text, shown)
    else:
        value = _parse_json(text, shown) if suffix == ".json" else _parse_plain_toml(text, shown)
    _check_bounds(value, shown)
    if schema is not None:
        _check_schema(value, schema, shown)
    return DataFile(name, shown, hashlib.sha256(content).hexdigest(), value, source)


def read_schema(path: Path, shown: str) -> DataSchema:
    """Read a JSON Schema. Raises ``Unreadable``."""
    file = read_data("schema", path, shown)
    if not isinstance(file.value, dict):
        raise Unreadable(Problem(shown, "is no JSON Schema: it holds no object"))
    return DataSchema(shown, file.sha256, file.value)


def _parse_json(text: str, shown: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        raise Unreadable(Problem(shown, f"is not valid JSON: {error}")) from None
    except RecursionError:
        raise _too_deep(shown) from None


def _parse_plain_toml(text: str, shown: str) -> Any:
    value = parse_toml(text, shown)
    problems = Problems(shown, text)
    if Json().read(value, (), problems) is INVALID:
        raise Unreadable(problems.found[0])  # which knows the line
    return value


def _parse_yaml(text: str, shown: str) -> Any:
    """Read YAML without aliases: each of them would double what is behind it."""
    try:
        import yaml
    except ImportError:
        message = "is YAML, which needs PyYAML: run `pip install 'tfgate[yaml]'`, or give JSON"
        raise Unreadable(Problem(shown, message)) from None
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise Unreadable(Problem(shown, "has an alias: write the value out"))
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        raise Unreadable(Problem(shown, "is not valid YAML", line=line)) from None
    except (yaml.YAMLError, ValueError, TypeError):
        raise Unreadable(Problem(shown, "is not valid YAML")) from None
    except RecursionError:
        raise _too_deep(shown) from None


def _too_deep(shown: str) -> Unreadable:
    return Unreadable(Problem(shown, "nests arrays or objects too deeply"))


def _check_bounds(value: Any, shown: str) -> None:
    """Refuse what is no JSON, or too much of it."""
    level, seen = [value], 0
    for _ in range(MAX_DEPTH + 1):
        seen += len(level)
        if seen > MAX_VALUES:
            raise Unreadable(Problem(shown, f"holds more than {MAX_VALUES:,} values"))
        inner: list[Any] = []
        for part in level:
            if type(part) is dict:
                if not all(type(key) is str for key in part):
                    raise Unreadable(Problem(shown, "has a key that is no text: quote it"))
                inner.extend(part.values())
            elif type(part) is list:
                inner.extend(part)
            elif type(part) is float and not math.isfinite(part):
                raise Unreadable(Problem(shown, "nan and inf are not JSON values"))
            elif part is not None and type(part) not in (str, int, float, bool):
                kind = type(part).__name__
                message = f"a {kind} is not a JSON value; write it as a string"
                raise Unreadable(Problem(shown, message))
        if not inner:
            return
        level = inner
    raise _too_deep(shown)


# --- Whether a file is what the ruleset takes.


def _check_schema(value: Any, schema: DataSchema, shown: str) -> None:
    """Refuse what does not fit the schema. The error shows where, and never a value."""
    try:
        import jsonschema
        import referencing
        import referencing.exceptions
    except ImportError:
        message = (
            f"has the schema {schema.file}, and checking it needs the package jsonschema: run "
            "`pip install 'tfgate[schema]'`"
        )
        raise Unreadable(Problem(shown, message)) from None
    try:
        kind: Any = jsonschema.validators.validator_for(
            schema.value, default=jsonschema.Draft202012Validator
        )
        kind.check_schema(schema.value)
        extend: Any = jsonschema.validators.extend
        # With a registry of its own, it fetches nothing.
        validator = extend(kind, {"pattern": _pattern})(
            schema.value, registry=referencing.Registry()
        )
        found = next(validator.iter_errors(value), None)
    except jsonschema.SchemaError as error:
        raise Unreadable(Problem(schema.file, "is no valid JSON Schema")) from error
    except (referencing.exceptions.Unresolvable, RecursionError):
        message = "refers to a schema that is not in it, or to itself without end"
        raise Unreadable(Problem(schema.file, message)) from None
    if found is not None:
        at = show_path(tuple(found.absolute_path)) or "the top"
        wanted = msgspec.json.encode(found.validator_value).decode()
        wanted = wanted if len(wanted) <= _SHOWN else f"{wanted[:_SHOWN]}…"
        message = f"does not fit {schema.file} at {at}: {found.validator} is {wanted}"
        raise Unreadable(Problem(shown, message))


def _pattern(_: Any, pattern: str, instance: Any, __: Any) -> Any:
    """Search with RE2, which takes linear time whatever the pattern and the text."""
    import jsonschema
    import re2

    if type(instance) is not str:
        return
    try:
        found = re2.compile(pattern).search(instance)
    except re2.error:
        yield jsonschema.ValidationError("the pattern is none of RE2")
        return
    if not found:
        yield jsonschema.ValidationError("the text does not match the pattern")
