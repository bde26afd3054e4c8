"""Rulesets as they were when a decision was made, for a bundle: from disk, else from git."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tfgate.app.provenance import checkout_of, repository_of
from tfgate.app.rules_at import READ, write_tree
from tfgate.audit.canonical import sha256
from tfgate.audit.scratch import scratch
from tfgate.engine.functions import rule_functions
from tfgate.errors import TfgateError
from tfgate.opening import read_file
from tfgate.provenance.git import GitError
from tfgate.ruleset.loader import inspect_ruleset

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tfgate.app.rules_at import RulesPlace
    from tfgate.ruleset import Ruleset


def ruleset_files(
    rulesets: Iterable[Mapping[str, Any]], place: RulesPlace | None, made: dict[str, bytes]
) -> tuple[dict[str, str], list[str]]:
    """Put the files of each ruleset into ``made``.

    ``rulesets`` are those of the record, with their digests: nothing else is taken for them. Gives
    the folder of each by digest, and sentences on those that are not to be had.
    """
    places: dict[str, str] = {}
    missing = []
    now = _in_force(place)
    for told in rulesets:
        digest, name = str(told.get("digest")), str(told.get("id"))
        if digest in places or not digest.startswith("sha256:"):
            continue
        folder = f"rulesets/{_plain(name)}-{digest[7:19]}"
        found = _find(told, digest, now, place)
        if found is None:
            missing.append(
                f"The ruleset {name} {told.get('version')} ({digest}) is not here any more: its "
                "files are to be had where it is kept."
            )
            continue
        made |= {f"{folder}/{path}": data for path, data in found.items()}
        places[digest] = folder
    return places, missing


def _in_force(place: RulesPlace | None) -> tuple[Ruleset, ...]:
    if place is None:
        return ()
    try:
        return place.effective().rulesets
    except TfgateError:
        # Rules that do not load today say nothing of those of the decision.
        return ()


def _find(
    told: Mapping[str, Any], digest: str, now: tuple[Ruleset, ...], place: RulesPlace | None
) -> dict[str, bytes] | None:
    for ruleset in now:
        if ruleset.digest == digest and (found := _read(ruleset)) is not None:
            return found
    commit = told.get("commit")
    for ruleset in now:
        if place is not None and ruleset.id == told.get("id") and isinstance(commit, str):
            return _from_git(ruleset, commit, digest, place)
    return None


def _read(ruleset: Ruleset) -> dict[str, bytes] | None:
    """Read the files of a loaded ruleset, as long as they are what was loaded."""
    folder = ruleset.path if ruleset.path.is_dir() else ruleset.path.parent
    found = {}
    for file in ruleset.files:
        try:
            data = read_file(folder / file.path)
        except OSError:
            return None
        if sha256(data) != file.sha256:
            return None
        found[file.path] = data
    return found


def _from_git(
    ruleset: Ruleset, commit: str, digest: str, place: RulesPlace
) -> dict[str, bytes] | None:
    checkout = checkout_of(ruleset)
    repository = None if checkout is None else repository_of(checkout, place.env)
    if checkout is None or repository is None:
        return None
    inside = Path(os.path.realpath(ruleset.path)).relative_to(checkout.top.resolve())
    with scratch() as folder:
        try:
            tree = repository.tree(commit)
        except GitError:
            return None
        write_tree(repository, tree, folder, lambda path: path.endswith(READ))
        source = str(folder / inside)
        then = inspect_ruleset(source, functions=rule_functions()).ruleset
        return _read(then) if then is not None and then.digest == digest else None


def _plain(name: str) -> str:
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_") else "_" for c in name)[:60]
