"""Fetches one commit of a repository into a new bare repository."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.ruleset.remote.git import GitFailed

if TYPE_CHECKING:
    from tfgate.ruleset.remote.git import Git
    from tfgate.ruleset.remote.source import GitSource


class NoSuchRef(Exception):  # noqa: N818 - carries a sentence to whoever knows the source
    """The repository has no such tag, branch or commit."""


def fetch(git: Git, source: GitSource) -> str:
    """Fetch what the ref of ``source`` is now; give its commit.

    Raises ``GitFailed`` where the repository cannot be reached, and ``NoSuchRef``.
    """
    git.run("init", "--bare", "--quiet", "--template=")
    if source.is_commit:
        return fetch_commit(git, source, source.ref)
    name = _full_name(git, source)
    git.run("fetch", "--quiet", "--no-tags", "--depth=1", "--", source.url, f"+{name}:{name}")
    return _commit_of(git, name)


def fetch_commit(git: Git, source: GitSource, commit: str) -> str:
    """Fetch one commit by its id into a repository that was made."""
    try:
        git.run("fetch", "--quiet", "--no-tags", "--depth=1", "--", source.url, commit)
    except GitFailed:
        # Some servers give single commits only where a ref stands on them: take all refs.
        refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        git.run("fetch", "--quiet", "--no-tags", "--", source.url, *refs)
    try:
        return _commit_of(git, commit)
    except GitFailed:
        raise NoSuchRef(f"there is no commit {commit} in it") from None


def _full_name(git: Git, source: GitSource) -> str:
    """Give the ref's full name: a tag's before a branch's."""
    wanted = (f"refs/tags/{source.ref}", f"refs/heads/{source.ref}")
    listed = git.run("ls-remote", "--quiet", "--", source.url, *wanted).decode("utf-8", "replace")
    known = {line.partition("\t")[2] for line in listed.splitlines()}
    found = next((name for name in wanted if name in known), None)
    if found is None:
        raise NoSuchRef(f"there is no tag or branch {source.ref} in it")
    return found


def _commit_of(git: Git, name: str) -> str:
    return git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode().strip()
