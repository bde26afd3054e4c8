"""The shipped rules as they were checked, kept so that an evaluation need not read their TOML.

One JSON file a ruleset, made by ``scripts/generate``, lies in the package. It stands in for a
rule's file only while that file, and the ruleset's manifest, are byte for byte what they were: the
loader takes the digest of every file, and reads what has another one as it reads anybody's rules.
Only what comes in the package is believed: nothing of the kind is looked for beside other rules.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from tfgate.model.rule import Rule
from tfgate.ruleset.sources import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tfgate.ruleset.ruleset import Ruleset


class CheckedRule(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was read from a rule's file."""

    sha256: str
    """Hex digest of the file."""
    rule: Rule
    """Without examples and mutants."""
    overridable: bool = False
    """Whether the configuration may lower the level, the manifest's word included."""

    def is_of(self, data: bytes) -> bool:
        """Tell whether a file is still what it was."""
        return hashlib.sha256(data).hexdigest() == self.sha256


class _Checked(msgspec.Struct, frozen=True):
    manifest: str
    """Hex digest of ``ruleset.toml``: what a rule may name, and whether it is lowered, is there."""
    rules: dict[str, CheckedRule]
    """By the name of the rule's file."""


def checked_rules(name: str, manifest: str) -> Mapping[str, CheckedRule]:
    """Give the checked rules of a shipped ruleset by file; none where its manifest is another."""
    try:
        checked = msgspec.json.decode(checked_path(name).read_bytes(), type=_Checked)
    except (OSError, msgspec.DecodeError):
        return {}
    return checked.rules if checked.manifest == manifest else {}


def checked_path(name: str) -> Path:
    """Give the path of a ruleset's file in the package."""
    return Path(__file__).parent / "shipped" / f"{name}.json"


def checked_text(ruleset: Ruleset) -> str:
    """Give what the file has to hold, of a shipped ruleset that was loaded with its examples."""
    digests = {file.path: file.sha256 for file in ruleset.files}
    lines = []
    for compiled in ruleset.rules:
        path = compiled.rule.file.removeprefix(f"{ruleset.source}/")
        rule = replace(compiled.rule, tests=(), mutants=())
        checked = CheckedRule(digests[path], rule, compiled.overridable)
        name = path.removeprefix("rules/")
        lines.append(f'"{name}": {msgspec.json.encode(checked).decode()}')
    rules = ",\n".join(lines)
    return f'{{"manifest": "{digests[MANIFEST]}", "rules": {{\n{rules}\n}}}}\n'
