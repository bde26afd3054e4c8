"""Ask git about a repository that nobody vouches for.

Only plumbing that reads objects is run: no index, no working tree, no filters, no hooks, no pager,
no transports. What a repository's configuration could bend (mail maps, replaced objects, grafts,
signature programs, a commit graph that lies) is switched off.
"""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING

from tfgate.errors import TfgateError
from tfgate.model.text import late

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

SECONDS = 30.0
"""For one command. The history of a large repository takes one or two."""

OBJECT_ID = late(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")

_SAFE = (
    "--no-pager",
    "--no-replace-objects",
    "--literal-pathspecs",
    *("-c", "core.commitGraph=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.fsmonitor=false"),
    *("-c", "log.showSignature=false"),
    *("-c", "log.showRoot=true"),
    *("-c", "log.follow=false"),
    *("-c", "log.mailmap=false"),
    *("-c", "diff.external="),
)
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT", "USERPROFILE", "GIT_CONFIG_GLOBAL")


class GitError(TfgateError):
    """Git cannot answer; the text says why, in a clause."""


class Repository:
    """A checkout, and the program to ask about it."""

    def __init__(self, top: Path, git: str, env: Mapping[str, str]) -> None:
        self.top = top
        self._git = git
        self._env = {name: env[name] for name in _KEPT if name in env} | {
            "GIT_OPTIONAL_LOCKS": "0",
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_NO_LAZY_FETCH": "1",
            "GIT_ALLOW_PROTOCOL": "none",
            "GIT_GRAFT_FILE": os.devnull,
            "LC_ALL": "C",
        }

    def run(self, *arguments: str, data: bytes | None = None) -> bytes:
        """Return what git prints. Raises ``GitError``."""
        import subprocess  # 4 ms: docs/performance.md

        try:
            done = subprocess.run(
                [self._git, *_SAFE, *arguments],
                cwd=self.top,
                env=self._env,
                input=data,
                stdin=subprocess.DEVNULL if data is None else None,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise GitError(f"git took longer than {SECONDS:.0f} seconds") from None
        except OSError as error:
            raise GitError(f"git cannot be run: {error.strerror}") from None
        if done.returncode:
            raise GitError(_last_words(done.stderr) or f"git ended with {done.returncode}")
        return done.stdout

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
            end = output.index(b"\n", at)
            words = output[at:end].split(b" ")
            at = end + 1
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
            text = (self.top / where).read_text(encoding="ascii", errors="replace")
        except OSError:
            return frozenset()
        return frozenset(text.split())


def blob_id(data: bytes, length: int) -> str:
    """Compute the id that git gives to a file; ``length`` tells the repository's kind of hash."""
    content = b"blob %d\0" % len(data) + data
    if length == 64:
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _last_words(stderr: bytes) -> str:
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    text = lines[-1].strip().removeprefix("fatal: ").rstrip(".")[:200] if lines else ""
    return "".join(character if character.isprintable() else "�" for character in text)
