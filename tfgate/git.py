"""Runs git so that a repository gives data to us and nothing else: no hook, filter, pager, prompt.

Nobody vouches for a repository. Its objects are read by plumbing commands. What its configuration
could bend (mail maps, replaced objects, grafts, signature programs, a commit graph that lies) is
switched off, and nothing in the environment points git at another one. Fetching, which trusts the
user's own configuration, is in `tfgate.ruleset.remote.git`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import time
from typing import TYPE_CHECKING, Final

from tfgate.errors import TfgateError
from tfgate.opening import search_path

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

OBJECT_ID: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

NO_HOOKS: Final = (f"core.hooksPath={os.devnull}", "core.fsmonitor=false")
_SETTINGS: Final = (
    *NO_HOOKS,
    "core.commitGraph=false",
    "core.untrackedCache=false",
    "log.showSignature=false",
    "log.showRoot=true",
    "log.follow=false",
    "log.mailmap=false",
    "diff.external=",
)
_KEPT: Final = (
    "PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT", "USERPROFILE", "GIT_CONFIG_GLOBAL",
)  # fmt: skip
QUIET: Final = {
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "LC_ALL": "C",
}
"""Variables with which git writes, asks and fetches nothing by itself."""


class GitError(TfgateError):
    """Git cannot answer; the text says why, in a clause."""


class Git:
    """Git with one checkout, or below one directory."""

    seconds = 30.0
    """For one command. The history of a large repository takes one or two."""
    tick = seconds
    """How often ``watch`` is called meanwhile."""
    options: Sequence[str] = (
        "--no-pager",
        "--no-replace-objects",
        "--literal-pathspecs",
        *(part for setting in _SETTINGS for part in ("-c", setting)),
    )

    def __init__(self, directory: Path, env: Mapping[str, str]) -> None:
        self.directory = directory
        self.program = search_path("git", env)
        """``None`` where there is no git."""
        self._env = self.environment(env)

    @staticmethod
    def environment(env: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which git asks nobody, fetches nothing and writes nothing."""
        kept = {name: env[name] for name in _KEPT if name in env}
        return {**kept, **QUIET, "GIT_ALLOW_PROTOCOL": "none", "GIT_GRAFT_FILE": os.devnull}

    def start(self, *arguments: str, options: Sequence[str] = ()) -> subprocess.Popen[bytes]:
        """Start git, in a group of its own. Raises ``GitError``."""
        import subprocess  # 4 ms: docs/performance.md

        if self.program is None:
            raise GitError("there is no git on PATH")
        try:
            return subprocess.Popen(
                [self.program, *self.options, *options, *arguments],
                cwd=self.directory,
                env=self._env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
        except OSError as error:
            raise GitError(f"git cannot be started ({error.strerror})") from None

    def attempt(
        self, *arguments: str, data: bytes = b"", options: Sequence[str] = ()
    ) -> tuple[bytes, bytes, int]:
        """Return output, errors and exit code, whatever it is. Raises ``GitError``."""
        process = self.start(*arguments, options=options)
        try:
            output, errors = self._wait(process, data)
        except BaseException:
            end(process)
            raise
        return output, errors, process.returncode

    def _wait(self, process: subprocess.Popen[bytes], data: bytes) -> tuple[bytes, bytes]:
        import subprocess

        deadline = time.monotonic() + self.seconds
        pending: bytes | None = data
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise GitError(f"git was ended after {self.seconds:.0f} seconds")
            try:
                return process.communicate(pending, timeout=min(left, self.tick))
            except subprocess.TimeoutExpired:
                pending = None
                self.watch()

    def watch(self) -> None:
        """Raise ``GitError`` where a command that runs must not go on."""

    def run(self, *arguments: str, data: bytes = b"") -> bytes:
        """Return what git prints. Raises ``GitError``: it refused, hung, or must not go on."""
        output, errors, code = self.attempt(*arguments, data=data)
        if code != 0:
            raise GitError(_first_words(errors) or f"git ended with {code}")
        return output

    def commit_of(self, name: str) -> str | None:
        """Return the commit that a reference (or an abbreviation) names, ``None`` for none."""
        if name.startswith("-") or "\0" in name:
            return None
        try:
            found = self.run("rev-parse", "--verify", "--quiet", "--end-of-options",
                             f"{name}^{{commit}}")  # fmt: skip
        except GitError:
            return None
        text = found.decode("ascii", "replace").strip()
        return text if OBJECT_ID.fullmatch(text) else None

    def tree(self, commit: str, paths: Iterable[str] = ()) -> dict[str, str]:
        """Return the files below ``paths`` (all of them without any): path to the blob's id.

        Symbolic links and submodules are left out.
        """
        listed = self.run("ls-tree", "-r", "-z", "--full-tree", commit, "--", *paths)
        found = {}
        for entry in listed.decode("utf-8", "surrogateescape").split("\0"):
            about, _, path = entry.partition("\t")
            mode, _, rest = about.partition(" ")
            if mode in ("100644", "100755"):
                found[path] = rest.split(" ")[1]
        return found

    def objects(self, ids: Iterable[str]) -> Iterator[tuple[str, bytes | None]]:
        """Return the content of each object, ``None`` for one that is missing."""
        wanted = [*ids]
        if not wanted:
            return
        output = self.run("cat-file", "--batch", data="".join(f"{i}\n" for i in wanted).encode())
        at = 0
        for object_id in wanted:
            stop = output.index(b"\n", at)
            words = output[at:stop].split(b" ")
            at = stop + 1
            if len(words) != 3:
                yield object_id, None
                continue
            size = int(words[2])
            yield object_id, output[at : at + size]
            at += size + 1

    def shallow(self) -> frozenset[str]:
        """Return the commits whose parents this copy does not have (a shallow clone)."""
        where = self.run("rev-parse", "--git-path", "shallow").decode("utf-8", "replace").strip()
        try:
            text = (self.directory / where).read_text(encoding="ascii", errors="replace")
        except OSError:
            return frozenset()
        return frozenset(text.split())


def end(process: subprocess.Popen[bytes]) -> None:
    """End a git that still runs, with whatever it has started."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.communicate()


def blob_id(data: bytes, length: int) -> str:
    """Compute the id that git gives to a file; ``length`` gives the kind of hash."""
    content = b"blob %d\0" % len(data) + data
    if length == 64:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _first_words(errors: bytes) -> str:
    """Return the first line that says what is wrong, made printable."""
    lines = [line.strip() for line in errors[-8_000:].decode("utf-8", "replace").splitlines()]
    telling = [line for line in lines if line.startswith(("fatal:", "error:", "ERROR:", "remote:"))]
    chosen = next(iter(telling), lines[-1] if lines else "")
    text = "".join(character if character.isprintable() else " " for character in chosen)
    return text.removeprefix("fatal: ").removeprefix("error: ")[:300].rstrip(".")
