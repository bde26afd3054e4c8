"""Runs git so that a repository gets data to us and nothing else: no hook, filter, prompt.

The repository that is fetched from is not trusted; the user's own git configuration is (proxies,
credential helpers, certificates live there). What a repository could bring along is not looked
at: the one git works in is bare and made here, objects are read by ``cat-file``.
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tfgate.ruleset.remote.lock import GitSource


SECONDS: Final = 120.0
"""How long one git command may take."""
MAX_REPOSITORY_BYTES: Final = 256 * 1024 * 1024
"""What a fetch may write. One commit is fetched, without its history."""
_TICK: Final = 0.1
_SETTINGS: Final = (
    f"core.hooksPath={os.devnull}",
    "core.fsmonitor=false",
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
    "GIT_ALLOW_PROTOCOL": "https:ssh:file",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS_REQUIRE": "never",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "LC_ALL": "C",
}
_SSH: Final = "ssh -oBatchMode=yes -oConnectTimeout=20"


class GitFailed(Exception):  # noqa: N818 - carries git's words to whoever makes a sentence of them
    """A git command did not do what it should; ``words`` say why, on one printable line."""

    def __init__(self, words: str) -> None:
        super().__init__(words)
        self.words = words


class Git:
    """git with one bare repository, ``repository``, which need not be there yet."""

    def __init__(self, repository: Path, env: Mapping[str, str]) -> None:
        self.repository = repository
        self._env = environment(env)

    def run(self, *arguments: str, data: bytes = b"", settings: Sequence[str] = ()) -> bytes:
        """Return what git prints. Raises ``GitFailed``: it refused, hung, or fetched too much."""
        output, errors, code = self.attempt(*arguments, data=data, settings=settings)
        if code != 0:
            raise GitFailed(_last_words(errors) or f"git ended with {code}")
        return output

    def attempt(
        self, *arguments: str, data: bytes = b"", settings: Sequence[str] = ()
    ) -> tuple[bytes, bytes, int]:
        """Return output, errors and exit code, whatever it is. Raises ``GitFailed``."""
        process = self._start([*arguments], settings)
        deadline = time.monotonic() + SECONDS
        pending: bytes | None = data
        while True:
            try:
                output, errors = process.communicate(pending, timeout=_TICK)
            except subprocess.TimeoutExpired:
                pending = None
                self._check(process, deadline)
                continue
            return output, errors, process.returncode

    def _start(self, arguments: Sequence[str], settings: Sequence[str]) -> subprocess.Popen[bytes]:
        options = [part for setting in (*_SETTINGS, *settings) for part in ("-c", setting)]
        where = f"--git-dir={self.repository}"
        try:
            return subprocess.Popen(
                ["git", "--no-pager", *options, where, *arguments],  # noqa: S607 - from the user's PATH
                cwd=self.repository.parent,
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except FileNotFoundError:
            raise GitFailed("there is no git on PATH") from None
        except OSError as error:
            raise GitFailed(f"git cannot be started ({error.strerror})") from None

    def _check(self, process: subprocess.Popen[bytes], deadline: float) -> None:
        """End a git that takes too long or writes too much, with whatever it has started."""
        if time.monotonic() > deadline:
            _end(process)
            raise GitFailed(f"git was ended after {SECONDS:.0f} seconds")
        if _size(self.repository) > MAX_REPOSITORY_BYTES:
            _end(process)
            raise GitFailed(
                f"it is larger than {MAX_REPOSITORY_BYTES // 1024**2} MiB, the most that is fetched"
            )


def environment(env: Mapping[str, str]) -> dict[str, str]:
    """Return the environment that git runs in: nothing that points it at another repository."""
    kept = {name: env[name] for name in _KEPT if name in env}
    kept.setdefault("GIT_SSH_COMMAND", _SSH)
    return {**kept, **_ALWAYS}


def _end(process: subprocess.Popen[bytes]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()


def _size(folder: Path) -> int:
    total = 0
    for root, _, files in os.walk(folder):
        for name in files:
            with contextlib.suppress(OSError):  # renamed by git between the two
                total += os.lstat(os.path.join(root, name)).st_size
    return total


def _last_words(errors: bytes) -> str:
    """Return the first line that says what is wrong, made printable."""
    lines = [line.strip() for line in errors[-8_000:].decode("utf-8", "replace").splitlines()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "remote:"))]
    chosen = next(iter(telling), lines[-1] if lines else "")
    text = "".join(character if character.isprintable() else " " for character in chosen)
    return text.removeprefix("fatal: ").removeprefix("error: ")[:300].rstrip(".")


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
    """Return the ref's full name: a tag's before a branch's."""
    wanted = (f"refs/tags/{source.ref}", f"refs/heads/{source.ref}")
    listed = git.run("ls-remote", "--quiet", "--", source.url, *wanted).decode("utf-8", "replace")
    known = {line.partition("\t")[2] for line in listed.splitlines()}
    found = next((name for name in wanted if name in known), None)
    if found is None:
        raise NoSuchRef(f"there is no tag or branch {source.ref} in it")
    return found


def _commit_of(git: Git, name: str) -> str:
    return git.run("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}").decode().strip()


_GOOD: Final = re.compile(rb'^Good "git" signature for (.+) with [A-Z0-9-]+ key ', re.MULTILINE)
_SIGNED: Final = re.compile(rb"^gpgsig|^-----BEGIN (?:SSH|PGP) ", re.MULTILINE)


class NotSigned(Exception):  # noqa: N818 - carries a sentence to whoever knows the source
    """There is no signature that counts; the text says what there is instead."""


def signer_of(git: Git, commit: str, ref: str, signers: Path) -> str:
    """Return who signed the commit, or the tag ``ref`` on it, as the file ``signers`` names them.

    Raises ``NotSigned``. Only SSH signatures count: an OpenPGP one would be checked with a key ring
    that nobody named.
    """
    if not signers.is_file():
        raise NotSigned(f"there is no allowed-signers file {signers}")
    settings = (
        f"gpg.ssh.allowedSignersFile={signers.absolute()}",
        "gpg.ssh.program=ssh-keygen",
        "gpg.minTrustLevel=fully",
        # Not found wherever it is looked for.
        "gpg.openpgp.program=/nonexistent/openpgp-is-not-accepted",
        "gpg.x509.program=/nonexistent/x509-is-not-accepted",
    )
    tag = f"refs/tags/{ref}"
    signed = False
    for what, name in (("commit", commit), ("tag", tag)):
        if what == "tag" and not _is_tag_on(git, tag, commit):
            continue
        _, said, code = git.attempt(f"verify-{what}", "--raw", name, settings=settings)
        found = _GOOD.search(said)
        if code == 0 and found is not None:
            return found[1].decode("utf-8", "replace")
        signed = signed or _SIGNED.search(git.run("cat-file", what, name)) is not None
    if signed:
        raise NotSigned(f"its signature is of no key in {signers.name}")
    raise NotSigned("neither its commit nor its tag is signed")


def _is_tag_on(git: Git, tag: str, commit: str) -> bool:
    """Whether ``tag`` is a tag object, and on this commit."""
    try:
        if git.run("cat-file", "-t", tag).strip() != b"tag":
            return False
        return git.run("rev-parse", "--verify", f"{tag}^{{commit}}").decode().strip() == commit
    except GitFailed:
        return False
