"""Targets that are text: expressions, rulesets, configuration, locks, Atlantis's settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, ClassVar

from tests.support.fuzzing.clear import check_clear
from tests.support.plans import HEADER, rule
from tfgate import query
from tfgate.atlantis.doctor import Files, examine
from tfgate.engine.functions import rule_functions
from tfgate.query import EvaluationError, ExpressionError
from tfgate.query.functions.registry import FunctionTable
from tfgate.query.shapes import ANY, infer
from tfgate.query.shapes.infer import Nameless
from tfgate.query.traps import misplaced_fields, piped_all
from tfgate.query.unparse import unparse
from tfgate.ruleset import for_workspace, load_gate_config, load_ruleset
from tfgate.ruleset.config_tables import read_waiver_file
from tfgate.ruleset.data import read_data
from tfgate.ruleset.files import Unreadable
from tfgate.ruleset.remote.lock import read_lock
from tfgate.schema.sources import open_schema
from tfgate.server.settings import load_settings
from tfgate.terraform import detect_workspace
from tfgate.terraform.gitdir import GitDir, user_email

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def expression(data: bytes, _folder: Path) -> str:
    """Compile the first line and evaluate it on the JSON behind it, in all ways."""
    text, _, rest = data.partition(b"\n")
    try:
        document = json.loads(rest)
    except (ValueError, RecursionError):
        document = {"a": [query.UNKNOWN, "x", None], "after": query.SENSITIVE}
    try:
        compiled = query.compile(text.decode("utf-8", "replace"), variables=("params", "x"))
    except ExpressionError as error:
        check_clear(error)
        return f"refused at {error.position}"
    assert compiled.reads is not None
    assert {path[0] for path in compiled.variables} <= {"params", "x"}
    verdict = compiled.verdict(document, _GIVEN)
    assert verdict in (True, False, None)
    table = FunctionTable.default()
    query.compile(unparse(compiled.node.tree), variables=("params", "x"))
    infer(compiled, ANY, table=table)
    for trap in piped_all(compiled):
        query.compile(trap.forms[0], variables=("params", "x"))
    misplaced_fields(compiled, ("after", "a"), Nameless, table)
    ways = (compiled.search, compiled.judge, compiled.trace)
    return f"{verdict} {[_evaluate(evaluate, document) for evaluate in ways]}"


class _Given(query.Scope):
    """A scope with variables."""

    variables: ClassVar[Any] = {"params": {"a": ["x", 1]}, "x": query.UNKNOWN}


_GIVEN = _Given()


def _evaluate(evaluate: Callable[[Any, Any], object], document: object) -> str:
    try:
        return type(evaluate(document, _GIVEN)).__name__
    except EvaluationError as error:
        check_clear(error)
        return f"{error.function} {error.position}"


def ruleset(data: bytes, folder: Path) -> None:
    """Load the ruleset, with its examples."""
    path = folder / "rules.toml"
    path.write_bytes(data)
    load_ruleset(str(path), base=folder, functions=rule_functions())


def config(data: bytes, folder: Path) -> None:
    """Read the configuration, and what is in force in a workspace."""
    path = folder / "tfgate.toml"
    path.write_bytes(data)
    if not (folder / "rules.toml").exists():
        (folder / "rules.toml").write_text(HEADER + rule("S-1", deny="`false`"))
    found = load_gate_config(folder, {"HOME": str(folder)})
    named = [str(source) for source in found.values["gate.rulesets"].value]
    if not any("git::" in source or "tfgate:" in source for source in named):  # far, or long known
        for_workspace(found, "default", functions=rule_functions(), shipped_examples=False)


def lock(data: bytes, folder: Path) -> None:
    """Read the pins."""
    path = folder / "tfgate.lock"
    path.write_bytes(data)
    read_lock(path)


def atlantis(data: bytes, folder: Path) -> None:
    """Examine the settings as each of the files that they can be."""
    path = folder / "repos.yaml"
    path.write_bytes(data)
    examine(Files(str(path), str(path), str(path)), [], {})


def data_json(data: bytes, folder: Path) -> None:
    """Read a data file of a ruleset."""
    path = folder / "data.json"
    path.write_bytes(data)
    _usable(read_data, "data", path, "data.json")


def data_toml(data: bytes, folder: Path) -> None:
    """Read a data file of a ruleset, and the same bytes as a file of waivers."""
    path = folder / "data.toml"
    path.write_bytes(data)
    _usable(read_data, "data", path, "data.toml")
    _usable(read_waiver_file, path, "data.toml", [])


def _usable(read: Callable[..., object], *arguments: object) -> None:
    try:
        read(*arguments)
    except Unreadable as error:
        check_clear(Exception(error.problem.render()))


def server(data: bytes, folder: Path) -> None:
    """Read the server's settings."""
    path = folder / "server.toml"
    path.write_bytes(data)
    assert load_settings(path, {}).address


def workspace(data: bytes, folder: Path) -> None:
    """Take the bytes as what ``terraform init`` noted of the backend."""
    place = folder / ".terraform"
    place.mkdir(exist_ok=True)
    (place / "terraform.tfstate").write_bytes(data)
    (place / "environment").write_bytes(data[:100])
    warnings: list[str] = []
    found = detect_workspace({}, None, folder, warn=warnings.append)
    assert found.name.encode() is not None
    assert all(warning.encode() for warning in warnings)


def git(data: bytes, folder: Path) -> None:
    """Take the bytes as each of the files of a git directory that are read."""
    place = folder / ".git"
    (place / "refs" / "heads").mkdir(parents=True, exist_ok=True)
    for name in ("HEAD", "config", "packed-refs", "refs/heads/main", "commondir"):
        (place / name).write_bytes(data)
    for name in ("config", "commondir", "HEAD"):
        repository = GitDir.find(folder)
        assert repository is not None
        for said in (repository.head(), repository.remote(), user_email(folder, {})):
            assert said is None or said.encode("utf-8", "surrogateescape") is not None
        (place / name).write_bytes(b"ref: refs/heads/main")


def provider_schema(data: bytes, folder: Path) -> None:
    """Read a provider's schema, or an index of one, and every type in it."""
    path = folder / "schema"
    path.write_bytes(data)
    for index in open_schema(path):
        for kind in index.types():
            index.get(kind)
