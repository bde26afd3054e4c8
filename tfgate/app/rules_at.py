"""The rules as they were at another commit of the checkout: configuration, rulesets, data files."""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from tfgate.app.provenance import repository_of
from tfgate.audit.scratch import scratch
from tfgate.engine.functions import rule_functions
from tfgate.errors import UsageError
from tfgate.ruleset import for_workspace, load_gate_config
from tfgate.ruleset.config import find_config
from tfgate.ruleset.loader import MANIFEST
from tfgate.ruleset.sources import GIT_PREFIX, SHIPPED_PREFIX
from tfgate.terraform.gitdir import GitDir

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from tfgate.provenance.git import Repository
    from tfgate.ruleset import Effective, GateConfig

MAX_FILES = 50_000
"""Of one commit that are written out: all of its TOML and JSON files."""
READ = (".toml", ".json", "tfgate.lock")
"""How the names of files end that rules may be made of."""


@dataclass(frozen=True)
class RulesPlace:
    """Where rules are looked for, as on the command line."""

    cwd: Path
    env: Mapping[str, str]
    config: str | None = None
    rulesets: tuple[str, ...] = ()

    def gate_config(self) -> GateConfig:
        """Read the configuration as it is now. Raises ``ConfigError``.

        In the folder of a ruleset, without any configuration, that ruleset is meant.
        """
        named: Sequence[str] = self.rulesets
        if not named and (self.cwd / MANIFEST).is_file():
            named = () if find_config(self.cwd, self.env, self.config) else (".",)
        flags = {"gate.rulesets": list(named) or None}
        return load_gate_config(self.cwd, self.env, config=self.config, flags=flags)

    def effective(self, workspace: str = "default") -> Effective:
        """Load the rules as they are now. Raises ``ConfigError``."""
        return for_workspace(self.gate_config(), workspace, functions=rule_functions())

    def checkout(self) -> tuple[GitDir, Repository]:
        """Give the checkout that the working directory is in. Raises ``UsageError``."""
        found = GitDir.find(self.cwd)
        if found is None:
            raise UsageError(
                f"{self.cwd} is in no git checkout, so there is nothing to compare with.",
                hint="Run this in the checkout that has the rules.",
            )
        repository = repository_of(found, self.env)
        if repository is None:
            raise UsageError("There is no git on PATH.", hint="Install git.")
        return found, repository


@contextmanager
def rules_at(place: RulesPlace, ref: str) -> Iterator[tuple[GateConfig, str]]:
    """Give the configuration with the rulesets of ``ref``, and its commit.

    Its files are in a temporary folder while the block runs. Rulesets outside of the checkout are
    as they are now. Raises ``UsageError`` for a reference that there is not.
    """
    found, repository = place.checkout()
    commit = repository.commit_of(ref)
    if commit is None:
        raise UsageError(
            f"The checkout has no commit {ref}.", hint="Name a branch, a tag or a commit; fetch it."
        )
    with scratch() as folder:
        copy = folder.resolve()
        write_tree(repository, repository.tree(commit), copy, lambda path: path.endswith(READ))
        yield _config_at(place, found.top.resolve(), copy), commit


def write_tree(
    repository: Repository, tree: Mapping[str, str], folder: Path, wanted: Callable[[str], bool]
) -> None:
    """Write the wanted files of a tree: content alone, through no filter, into ``folder``."""
    paths: dict[str, list[str]] = {}
    for path, blob in tree.items():
        if wanted(path) and _is_plain(path):
            paths.setdefault(blob, []).append(path)
    if sum(map(len, paths.values())) > MAX_FILES:
        raise UsageError(f"The commit has more than {MAX_FILES:,} files that could be rules.")
    for blob, data in repository.objects(paths):
        for path in paths[blob] if data is not None else ():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data or b"")


def _is_plain(path: str) -> bool:
    """Whether a path from a tree that nobody vouches for stays inside the folder."""
    parts = PurePosixPath(path).parts
    return bool(parts) and not path.startswith("/") and not {"..", "\\"} & {*parts}


def _config_at(place: RulesPlace, top: Path, copy: Path) -> GateConfig:
    now = place.gate_config()
    named = find_config(place.cwd, place.env, place.config)
    file = None if named is None else Path(os.path.realpath(named[0]))
    then = now
    moved = None if file is None else _moved(file, top, copy)
    if moved is not None and moved.is_file():
        flags = {"gate.rulesets": None}
        then = load_gate_config(moved.parent, place.env, config=str(moved), flags=flags)
        if place.rulesets:
            values = {**then.values, "gate.rulesets": now.values["gate.rulesets"]}
            then = replace(then, values=values)
    return _with_sources(then, top, copy)


def _with_sources(config: GateConfig, top: Path, copy: Path) -> GateConfig:
    """Let every source that lies in the checkout lie in the copy."""
    listed = config.values["gate.rulesets"]

    def moved(texts: Iterable[str], base: Path) -> tuple[str, ...]:
        return tuple(_source(text, base, top, copy) for text in texts)

    values: dict[str, Any] = {
        **config.values,
        "gate.rulesets": replace(listed, value=moved(listed.value, listed.base)),
    }
    tables = tuple(
        replace(table, rulesets=moved(table.rulesets, config.folder)) for table in config.workspaces
    )
    return replace(config, values=values, workspaces=tables)


def _source(text: str, base: Path, top: Path, copy: Path) -> str:
    if text.startswith((SHIPPED_PREFIX, GIT_PREFIX)):
        return text
    there = _moved(Path(os.path.realpath(base / text)), top, copy)
    return text if there is None else str(there)


def _moved(path: Path, top: Path, copy: Path) -> Path | None:
    """Give the place in the copy of a path in the checkout; ``None`` for one outside of it."""
    return copy / path.relative_to(top) if top in (path, *path.parents) else None
