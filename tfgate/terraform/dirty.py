"""Whether a checkout has uncommitted changes: the one fact that needs git itself."""

from __future__ import annotations

import os
import re
import weakref
from typing import TYPE_CHECKING

from tfgate.model.pattern import late

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

    from tfgate.terraform.gitdir import GitDir

SECONDS = 2.0
"""How long git may take; a checkout too large for that has an unknown state."""

# A repository's own configuration can name programs that `git status` runs: filters, the file
# system monitor, hooks, transports of a partial clone. The last three are switched off below; a
# filter cannot be without knowing its name, and an include may bring one, so such a repository is
# not asked at all. Not anchored: git takes several headings on one line.
_RUNS_PROGRAMS = late(r"\[\s*(?:filter|include)", re.IGNORECASE)
_SAFE = (
    "--no-pager",
    *("-c", "core.fsmonitor=false"),
    *("-c", f"core.hooksPath={os.devnull}"),
    *("-c", "core.untrackedCache=false"),
)
_STATUS = ("status", "--porcelain", "--ignore-submodules=all", "--untracked-files=normal")
_KEPT = ("PATH", "HOME", "XDG_CONFIG_HOME", "SYSTEMROOT", "USERPROFILE", "GIT_CONFIG_GLOBAL")


class Dirty:
    """A running ``git status``, which is ended if nobody asks for its answer."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        # Not __del__: in a cycle, the process and its pipe might be finalized before this.
        weakref.finalize(self, _end, process)

    @classmethod
    def begin(cls, checkout: GitDir, env: Mapping[str, str]) -> Dirty | None:
        """Start git in ``checkout``, or give ``None`` where it is missing or must not be asked."""
        config = checkout.config()
        if config is None or _RUNS_PROGRAMS.search(config):
            return None
        # Late: importing subprocess costs 5 ms, and not every run is in a checkout.
        import subprocess

        from tfgate.terraform.find import search_path

        git = search_path("git", env)
        if git is None:
            return None
        try:
            process = subprocess.Popen(
                [git, *_SAFE, *_STATUS],
                cwd=checkout.top,
                env=git_environment(env),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        except OSError:
            return None
        return cls(process)

    def result(self) -> bool | None:
        """Wait for git's answer; ``None`` where it failed or took longer than ``SECONDS``."""
        import subprocess

        try:
            output, _ = self._process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()
            return None
        return bool(output) if self._process.returncode == 0 else None


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.returncode is None:
        process.kill()
        process.communicate()


def git_environment(env: Mapping[str, str]) -> dict[str, str]:
    """Give an environment in which git asks nobody, fetches nothing and writes nothing."""
    kept = {name: env[name] for name in _KEPT if name in env}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "LC_ALL": "C",
    }
