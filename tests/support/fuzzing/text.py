"""Targets that are text: expressions, rulesets, configuration, locks, Atlantis's settings."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.support.fuzzing.clear import check_clear
from tests.support.plans import HEADER, rule
from tfgate import query
from tfgate.app.atlantis.doctor import Files, examine
from tfgate.engine.functions import rule_functions
from tfgate.query import EvaluationError, ExpressionError
from tfgate.ruleset import for_workspace, load_gate_config, load_ruleset
from tfgate.ruleset.remote.lock import read_lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def expression(data: bytes, _folder: Path) -> None:
    """Compile the first line and evaluate it on the JSON behind it, in all ways."""
    text, _, rest = data.partition(b"\n")
    try:
        document = json.loads(rest)
    except (ValueError, RecursionError):
        document = {"a": [query.UNKNOWN, "x", None], "after": query.SENSITIVE}
    try:
        compiled = query.compile(text.decode("utf-8", "replace"))
    except ExpressionError as error:
        check_clear(error)
        return
    assert compiled.reads is not None
    assert compiled.verdict(document) in (True, False, None)
    for evaluate in (compiled.search, compiled.judge, compiled.trace):
        _evaluate(evaluate, document)


def _evaluate(evaluate: Callable[[Any], object], document: object) -> None:
    try:
        evaluate(document)
    except EvaluationError as error:
        check_clear(error)


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
    if not any("git::" in str(source) for source in found.values["gate.rulesets"].value):
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
