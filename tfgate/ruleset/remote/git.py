"""Fetches rulesets with git, and checks who signed them.

The repository that is fetched from is not trusted; the user's own git configuration is (proxies,
credential helpers, certificates live there). What a repository could bring along is not looked
at: the one git works in is bare and made here, objects are read by ``cat-file``.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tfgate.git import NO_HOOKS, QUIET, Git, GitError
from tfgate.ruleset.remote.lock import GitSource

MAX_REPOSITORY_BYTES: Final = 256 * 1024 * 1024
"""What a fetch may write. One commit is fetched, without its history."""
_SETTINGS: Final = (
    *NO_HOOKS,
    "core.askPass=",
    "credential.interactive=never",
    "submodule.recurse=false",
    "fetch.recurseSubmodules=false",
    "fetch.fsckObjects=true",
    "fetch.bundleURI=",
    "transfer.bundleURI=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "init.defaultBranch=main",
    "http.lowSpeedLimit=1000",
    "http.lowSpeedTime=20",
    "protocol.allow=never",
    "protocol.https.allow=always",
    "protocol.ssh.allow=always",
    "protocol.file.allow=always",
)
_KEPT: Final = (
    "PATH", "HOME", "USERPROFILE", "SYSTEMROOT", "TMPDIR", "TEMP", "TMP", "XDG_CONFIG_HOME",
    "GIT_CONFIG_GLOBAL", "GIT_CONFIG_SYSTEM", "GIT_CONFIG_NOSYSTEM", "GIT_SSH_COMMAND",
    "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "SSH_AUTH_SOCK",
    "http_proxy", "https_proxy", "no_proxy", "all_proxy",
    "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY",
)  # fmt: skip
_ALWAYS: Final = {
    **QUIET,
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
}
_SSH: Final = "ssh -oBatchMode=yes -oConnectTimeout=20"


class RemoteGit(Git):
    """Git with one bare repository, ``repository``, which need not be there yet."""

    seconds = 120.0
    tick = 0.1

    def __init__(self, repository: Path, env: Mapping[str, str]) -> None:
        super().__init__(repository.parent, env)
        self.repository = repository
        settings = (part for setting in _SETTINGS for part in ("-c", setting))
        self.options = ("--no-pager", "--no-replace-objects", *settings, f"--git-dir={repository}")

    @staticmethod
    def environment(env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment with what fetching needs, and nothing that git could ask."""
        kept = {name: env[name] for name in _KEPT if name in env}
        kept.setdefault("GIT_SSH_COMMAND", _SSH)
        return {**kept, **_ALWAYS}

    def watch(self) -> None:
        """Raise ``GitError`` where a fetch has written too much."""
        if _size(self.repository) > MAX_REPOSITORY_BYTES:
            raise GitError(
                f"it is larger than {MAX_REPOSITORY_BYTES // 1024**2} MiB, the most that is fetched"
            )


def _size(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):  # renamed by git between the two
                total += os.lstat(os.path.join(root, name)).st_size
    return total


class NoSuchRef(Exception):  # noqa: N818 - carries a sentence to whoever knows the source
    """The repository has no such tag, branch or commit."""


def fetch(git: RemoteGit, source: GitSource) -> str:
    """Fetch what the ref of ``source`` is now; give its commit.

    Raises ``GitError`` where the repository cannot be reached, and ``NoSuchRef``.
    """
    git.run("init", "--bare", "--quiet", "--template=")
    if source.is_commit:
        return fetch_commit(git, source, source.ref)
    name = _full_name(git, source)
    git.run("fetch", "--quiet", "--no-tags", "--depth=1", "--", source.url, f"+{name}:{name}")
    return _commit_of(git, name)


def fetch_commit(git: RemoteGit, source: GitSource, commit: str) -> str:
    """Fetch one commit by its id into a repository that was made."""
    try:
        git.run("fetch", "--quiet", "--no-tags", "--depth=1", "--", source.url, commit)
    except GitError:
        # Some servers give single commits only where a ref stands on them: take all refs.
        refs = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        git.run("fetch", "--quiet", "--no-tags", "--", source.url, *refs)
    return _commit_of(git, commit)


def _full_name(git: RemoteGit, source: GitSource) -> str:
    """Return the ref's full name: a tag's before a branch's."""
    wanted = (f"refs/tags/{source.ref}", f"refs/heads/{source.ref}")
    listed = git.run("ls-remote", "--quiet", "--", source.url, *wanted).decode("utf-8", "replace")
    known = {line.partition("\t")[2] for line in listed.splitlines()}
    found = next((name for name in wanted if name in known), None)
    if found is None:
        raise NoSuchRef(f"there is no tag or branch {source.ref} in it")
    return found


def _commit_of(git: RemoteGit, name: str) -> str:
    found = git.commit_of(name)
    if found is None:
        raise NoSuchRef(f"there is no commit {name} in it")
    return found


_GOOD: Final = re.compile(rb'^Good "git" signature for (.+) with [A-Z0-9-]+ key ', re.MULTILINE)
_SIGNED: Final = re.compile(rb"^gpgsig|^-----BEGIN (?:SSH|PGP) ", re.MULTILINE)


class NotSigned(Exception):  # noqa: N818 - carries a sentence to whoever knows the source
    """There is no signature that counts; the text says what there is instead."""


def signer_of(git: RemoteGit, commit: str, ref: str, signers: Path) -> str:
    """Return who signed the commit, or the tag ``ref`` on it, as the file ``signers`` names them.

    Raises ``NotSigned``. Only SSH signatures count: an OpenPGP one would be checked with a key ring
    that nobody named.
    """
    if not signers.is_file():
        raise NotSigned(f"there is no allowed-signers file {signers}")
    options = (
        "-c", f"gpg.ssh.allowedSignersFile={signers.absolute()}",
        "-c", "gpg.ssh.program=ssh-keygen",
        "-c", "gpg.minTrustLevel=fully",
        # Not found wherever it is looked for.
        "-c", "gpg.openpgp.program=/nonexistent/openpgp-is-not-accepted",
        "-c", "gpg.x509.program=/nonexistent/x509-is-not-accepted",
    )  # fmt: skip
    tag = f"refs/tags/{ref}"
    signed = False
    for what, name in (("commit", commit), ("tag", tag)):
        if what == "tag" and not _is_tag_on(git, tag, commit):
            continue
        _, said, code = git.attempt(f"verify-{what}", "--raw", name, options=options)
        found = _GOOD.search(said)
        if code == 0 and found is not None:
            return found[1].decode("utf-8", "replace")
        signed = signed or _SIGNED.search(git.run("cat-file", what, name)) is not None
    if signed:
        raise NotSigned(f"its signature is of no key in {signers.name}")
    raise NotSigned("neither its commit nor its tag is signed")


def _is_tag_on(git: RemoteGit, tag: str, commit: str) -> bool:
    """Whether ``tag`` is a tag object, and on this commit."""
    try:
        kind = git.run("cat-file", "-t", tag)
    except GitError:
        return False
    return kind.strip() == b"tag" and git.commit_of(tag) == commit
