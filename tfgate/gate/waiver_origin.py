"""When a waiver was written down, by whom, and who approved that: from the history of its file."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tfgate.gate.rule_origin import RulesOrigin, repository_of
from tfgate.git import Git, GitError, blob_id
from tfgate.model.decision import Waiver
from tfgate.provenance.history import Touch, mainline, read_commits
from tfgate.ruleset import GateConfig
from tfgate.ruleset.config import find_config
from tfgate.ruleset.files import Unreadable, decode_text, parse_toml
from tfgate.ruleset.settings import place
from tfgate.terraform.gitdir import GitDir

MAX_VERSIONS = 1_000
"""Of one file that are looked at, the newest first."""

Key = tuple[str, str, str, str, str]
"""Rule, address, owner, reason, last day: what makes a waiver the one it is."""


class WaiverOrigin(NamedTuple):
    """The change by which a waiver came to be in force as it is."""

    commit: str
    time: str
    authors: tuple[str, ...]
    approvers: tuple[str, ...]
    """Who approved all of the change, and wrote none of it."""


def key_of(waiver: Waiver) -> Key:
    """Return what makes a waiver the one it is."""
    return (
        waiver.rule, waiver.address, waiver.owner, waiver.reason, waiver.expires.isoformat()
    )  # fmt: skip


def waiver_origins(
    config: GateConfig, cwd: Path, env: Mapping[str, str], named: str | None
) -> dict[Key, WaiverOrigin]:
    """Return where the waivers of the configuration and its waiver files come from.

    What is in no checkout, or not committed, has no origin. ``named`` is the configuration that
    was asked for.
    """
    found: dict[Key, WaiverOrigin] = {}
    for path in _files(config, cwd, env, named):
        found |= dict(_of_file(Path(os.path.realpath(path)), config, env))
    return found


def comment_doubts(
    root: Path, files: Mapping[Path, bytes], env: Mapping[str, str], planned: str | None
) -> dict[Path, str]:
    """Say of files below (or beside) ``root`` why their comments waive no more than advisory rules.

    A file is named, with the reason in a clause, unless the commit that is checked out has it with
    this content, and had it when the plan was made (``planned``, RFC 3339; ``None`` where that is
    not in question). A file elsewhere in the repository with the same content is not this file.
    """
    checkout = GitDir.find(Path(os.path.realpath(root)))
    if checkout is None:
        return dict.fromkeys(files, "is in no git repository")
    repository = repository_of(checkout, env)
    if repository is None:
        return dict.fromkeys(files, "cannot be looked up: git is not on PATH")
    try:
        return dict(_doubts(repository, checkout.top, root, files, planned))
    except GitError as error:
        return dict.fromkeys(files, f"cannot be looked up in git: {error.message}")


def _doubts(
    repository: Git, top: Path, root: Path, files: Mapping[Path, bytes], planned: str | None
) -> Iterator[tuple[Path, str]]:
    real = Path(os.path.realpath(root))
    places = {
        path: os.path.relpath(os.path.normpath(real / os.path.relpath(path, root)), top)
        for path in files
    }
    names = {path: place.replace(os.sep, "/") for path, place in places.items()}
    head = repository.commit_of("HEAD")
    inside = [name for name in names.values() if not name.startswith("../")]
    blobs = {} if head is None or not inside else repository.tree(head, inside)
    for path, name in names.items():
        if head is None or blobs.get(name) not in _blob_ids(files[path], head):
            yield path, "is not committed as it was planned"
        elif planned is not None and _landed_after(repository, head, name, planned):
            yield path, "was committed after the plan was made"


def _blob_ids(data: bytes, like: str) -> list[str]:
    """Return git's ids of a file: as it is, and without the line ends of Windows."""
    return [blob_id(content, len(like)) for content in (data, data.replace(b"\r\n", b"\n"))]


def _landed_after(repository: Git, head: str, name: str, planned: str) -> bool:
    """Return whether a file came to be as it is after a moment, as far as commits show."""
    output = repository.run("log", "-1", "--first-parent", "--format=%ct", head, "--", name)
    try:
        moment = dt.datetime.fromisoformat(planned.replace("Z", "+00:00"))
        return int(output) > moment.timestamp()
    except ValueError:
        return True


def _files(
    config: GateConfig, cwd: Path, env: Mapping[str, str], named: str | None
) -> Iterator[Path]:
    main = find_config(cwd, env, named)
    if main is not None:
        yield main[0]
    listed = config.values["gate.waiver_files"]
    for name in listed.value:
        yield place(name, listed.base, env.get("HOME"))


def _of_file(
    path: Path, config: GateConfig, env: Mapping[str, str]
) -> Iterator[tuple[Key, WaiverOrigin]]:
    checkout = GitDir.find(path.parent)
    repository = None if checkout is None else repository_of(checkout, env)
    if checkout is None or repository is None:
        return
    inside = path.relative_to(checkout.top.resolve()).as_posix()
    try:
        head = repository.commit_of("HEAD")
        touches = [] if head is None else mainline(repository, head, [inside])[:MAX_VERSIONS]
        added = _added(repository, touches)
        yield from _landed(repository, added, inside, config, env)
    except GitError:
        return


def _added(repository: Git, touches: Sequence[Touch]) -> dict[Key, str]:
    """Return, for each waiver of the newest version, the commit since which it is there."""
    blobs = {blob for touch in touches for blob in (touch.old, touch.new) if blob is not None}
    versions = {blob: _keys(data) for blob, data in repository.objects(sorted(blobs))}
    none: frozenset[Key] = frozenset()
    open_ = versions.get(touches[0].new or "", none) if touches else none
    found: dict[Key, str] = {}
    for touch in touches:
        before = versions.get(touch.old or "", none)
        found |= dict.fromkeys(open_ - before, touch.commit)
        open_ &= before
    return found


def _landed(
    repository: Git,
    added: Mapping[Key, str],
    path: str,
    config: GateConfig,
    env: Mapping[str, str],
) -> Iterator[tuple[Key, WaiverOrigin]]:
    landings = RulesOrigin(config, env, None).landings(repository)
    changes = {
        commit_id: landings.changes(commit, [path])[path]
        for commit_id, commit in read_commits(repository, added.values()).items()
    }
    for key, commit_id in added.items():
        change = changes[commit_id]
        yield (
            key,
            WaiverOrigin(
                commit_id,
                change.landed.time,
                tuple(who.shown for who in change.authors),
                tuple(who.shown for who in change.approvers),
            ),
        )


def _keys(data: bytes | None) -> frozenset[Key]:
    """Read the waivers of one version; one that is no TOML has none."""
    try:
        table = parse_toml(decode_text(data or b"", "waivers"), "waivers")
    except Unreadable:
        return frozenset()
    entries = table.get("waivers")
    names = ("rule", "address", "owner", "reason", "expires")
    keys = (
        tuple(str(entry.get(name, "")) for name in names)
        for entry in (entries if isinstance(entries, list) else ())
        if isinstance(entry, dict)
    )
    return frozenset(keys)  # type: ignore[arg-type] # five names give five texts
