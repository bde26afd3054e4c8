"""``tfgate atlantis doctor``: read settings, and list what lets plans through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tfgate.app.atlantis.document import parse_document, read_document
from tfgate.app.atlantis.finding import Danger, Finding
from tfgate.app.atlantis.server import read_flags
from tfgate.app.atlantis.traps import flag_traps, project_traps, server_traps

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tfgate.app.atlantis.document import Item
    from tfgate.app.atlantis.server import Flags

_ORDER = {danger: number for number, danger in enumerate(Danger)}


@dataclass(frozen=True)
class Files:
    """What is to be looked at; ``None`` where it is not given."""

    repos: str | None = None
    """Server-side repository configuration."""
    server: str | None = None
    """Settings file of ``atlantis server``."""
    projects: str | None = None
    """A repository's own ``atlantis.yaml``."""


def examine(files: Files, words: Sequence[str], env: Mapping[str, str]) -> list[Finding]:
    """Give every finding, the worst first. Raises ``UsageError`` for a file that is no YAML."""
    flags = read_flags(words, env, files.server)
    found = [*flag_traps(flags)]
    repos = _repos(files, flags)
    if repos is None:
        found.append(
            Finding(
                Danger.NOTE if files.projects or not flags.known else Danger.OPEN,
                "no-repo-config",
                "atlantis server",
                None,
                "There is no server-side repository configuration to look at.",
                "Name it with --repos FILE; a server without one never runs tfgate.",
            )
        )
    else:
        found += server_traps(repos)
    if files.projects is not None:
        found += project_traps(read_document(files.projects))
    # An entry of repos that inherits a setting has the same trap at the same place.
    once = {(one.name, one.where): one for one in reversed(found)}
    return sorted(once.values(), key=lambda one: (_ORDER[one.danger], one.file, one.line or 0))


def _repos(files: Files, flags: Flags) -> Item | None:
    if files.repos is not None:
        return read_document(files.repos)
    if (inline := flags["repo-config-json"].text) is not None:
        return parse_document(inline, "--repo-config-json")
    named = flags["repo-config"].text
    return None if named is None else read_document(named)
