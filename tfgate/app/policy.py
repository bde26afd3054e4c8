"""The policy that a decision was made under, in one digest."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.audit.canonical import canonical
from tfgate.audit.neutral import neutralise

if TYPE_CHECKING:
    from tfgate.app.request import Gathered


def policy_digest(gathered: Gathered) -> str:
    """Give the SHA-256 (hex) of the RFC 8785 form of everything that judges, bar the plan itself.

    Equal exactly where rulesets, data files, levels, parameters, waivers of files and settings of
    ``[gate]`` are, whatever files they were read from.
    """
    return hashlib.sha256(canonical(neutralise(_policy(gathered)))).hexdigest()


def rulesets_of(gathered: Gathered) -> list[dict[str, str]]:
    """Give id, version and digest of each ruleset in force, by id."""
    return [
        {"id": ruleset.id, "version": ruleset.version, "digest": ruleset.digest}
        for ruleset in sorted(gathered.effective.rulesets, key=lambda ruleset: ruleset.id)
    ]


def _policy(gathered: Gathered) -> dict[str, Any]:
    config, effective = gathered.config, gathered.effective
    return {
        "rulesets": rulesets_of(gathered),
        "data": {
            ruleset: {name: file.sha256 for name, file in files.items()}
            for ruleset, files in effective.data.items()
        },
        "levels": dict(effective.levels),
        "params": {ruleset: dict(values) for ruleset, values in effective.params.items()},
        "waivers": [msgspec.to_builtins(waiver) for waiver in config.waivers],
        "evaluate": config.evaluate.value,
        "allow_empty": config.allow_empty,
        "uncommitted_waivers": config.on("gate.uncommitted_waivers"),
        "comment_waivers": sorted(level.value for level in config.comment_waivers),
    }
