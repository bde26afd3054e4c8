"""The rulesets that an author works on: those named, the one here, or the configured ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.engine.functions import rule_functions
from tfgate.ruleset import load_gate_config, load_rulesets
from tfgate.ruleset.effective import sources_for
from tfgate.ruleset.loader import MANIFEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tfgate.ruleset import Ruleset


def load_sources(
    sources: Sequence[str], cwd: Path, env: Mapping[str, str], *, config: str | None = None
) -> tuple[Ruleset, ...]:
    """Load ``sources``; without any, the ruleset in ``cwd``, else those of ``tfgate.toml``.

    Raises ``ConfigError`` with every mistake of all of them.
    """
    if not sources and config is None and (cwd / MANIFEST).is_file():
        sources = (".",)
    flags = {"gate.rulesets": list(sources) or None}
    loaded = load_gate_config(cwd, env, config=config, flags=flags)
    return load_rulesets(
        sources_for(loaded, "default"), functions=rule_functions(), remote=lambda: loaded.remote
    )
