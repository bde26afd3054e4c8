"""Which CI run and which commit a decision belongs to."""

from __future__ import annotations

import os
import re
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tfgate.model.decision import Operator, Run
from tfgate.model.text import late
from tfgate.terraform.ci import CiSystem, detect_ci, fill, first
from tfgate.terraform.find import search_path
from tfgate.terraform.gitdir import GitDir, user_email
from tfgate.terraform.text import clean, public_url

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping


# --- Whether a checkout has uncommitted changes: the one fact that needs git itself.


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
        import subprocess

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
    """Return an environment in which git asks nobody, fetches nothing and writes nothing."""
    kept = {name: env[name] for name in _KEPT if name in env}
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_ALLOW_PROTOCOL": "none",
        "LC_ALL": "C",
    }


class PendingRun:
    """A run whose ``dirty`` git is still working out; ``result()`` waits for it, once."""

    def __init__(self, run: Run, dirty: Dirty | None) -> None:
        self._run = run
        self._dirty = dirty

    def result(self) -> Run:
        """Return the run. ``dirty`` is ``None`` where git did not answer within its time limit."""
        if self._dirty is not None:
            self._run = replace(self._run, dirty=self._dirty.result())
            self._dirty = None
        return self._run


def begin_run(env: Mapping[str, str], cwd: str | Path) -> PendingRun:
    """Collect what is known at once and start git for the rest, which then runs beside us.

    System, id, URL, repository and commit come from the CI's variables; repository and commit
    from the checkout around ``cwd`` where the CI names none. URLs lose their credentials.
    """
    system = detect_ci(env)
    checkout = GitDir.find(Path(cwd).absolute())
    commit = first(env, system.commit) if system else None
    run = Run(
        system=system.name if system else None,
        id=_run_id(system, env),
        url=public_url_with_query(fill(env, system.url)) if system else None,
        repository=_repository(system, env, checkout),
        commit=commit[1] if commit else checkout.head() if checkout else None,
        details=_details(system, env) if system else {},
    )
    return PendingRun(run, Dirty.begin(checkout, env) if checkout else None)


def detect_run(env: Mapping[str, str], cwd: str | Path) -> Run:
    """Return which CI run and commit this is: ``begin_run`` and its result in one call."""
    return begin_run(env, cwd).result()


def public_url_with_query(url: str | None) -> str | None:
    """Strip credentials, and the query too unless it is the build number of Azure Pipelines."""
    if not url:
        return None
    base, _, query = url.partition("?")
    key, _, value = query.partition("=")
    kept = f"?buildId={value}" if key == "buildId" and value.isdecimal() else ""
    return (public_url(base) + kept) or None


def _details(system: CiSystem, env: Mapping[str, str]) -> dict[str, str]:
    filled = ((name, fill(env, (template,))) for name, template in system.details)
    return {name: value for name, value in filled if value}


def _run_id(system: CiSystem | None, env: Mapping[str, str]) -> str | None:
    named = first(env, system.run_id) if system else None
    return named[1] if named else None


def _repository(
    system: CiSystem | None, env: Mapping[str, str], checkout: GitDir | None
) -> str | None:
    named = fill(env, system.repository) if system else None
    if not named and checkout:
        named = checkout.remote()
    return public_url(named) or None if named else None


# --- Who asked for the apply.


def os_user(env: Mapping[str, str]) -> str | None:
    """Return the name of the account that runs this process, as the system knows it.

    The system's user database comes before ``LOGNAME``, ``USER`` and ``USERNAME``, which anybody
    can set; those are for systems (Windows, containers) where the database has no entry.
    """
    try:
        import pwd
    except ImportError:
        pass
    else:
        try:
            return pwd.getpwuid(os.getuid()).pw_name
        except KeyError:
            pass
    named = first(env, ("LOGNAME", "USER", "USERNAME"))
    return named[1] if named else None


def detect_operator(
    env: Mapping[str, str],
    flag: str | None,
    cwd: str | Path,
    *,
    account: Callable[[Mapping[str, str]], str | None] = os_user,
) -> Operator:
    """Return who asked for the apply, and what that belief rests on.

    The first that answers: ``flag``, ``TFGATE_OPERATOR``, the CI system's variables, git's
    ``user.email``, the account (the one behind ``sudo`` where root runs). Nothing of it is proof:
    ``verified`` is false for all of them. A name is cleaned of control characters and cut at 256.
    Where nobody answers, the name is ``unknown`` and the source ``none``.
    """
    if name := clean(flag or ""):
        return Operator(name=name, source="flag")
    if name := clean(env.get("TFGATE_OPERATOR", "")):
        return Operator(name=name, source="environment")
    system = detect_ci(env)
    if system and (named := first(env, system.operator)):
        return Operator(name=named[1], source=system.name)
    if name := clean(user_email(Path(cwd), env) or ""):
        return Operator(name=name, source="git")
    return _account(env, account)


def _account(
    env: Mapping[str, str], account: Callable[[Mapping[str, str]], str | None]
) -> Operator:
    name = clean(account(env) or "")
    behind = clean(env.get("SUDO_USER", ""))
    # Only root can have made root's environment, so SUDO_USER is as good as the account there.
    if name == "root" and behind:
        return Operator(name=behind, source="sudo")
    return Operator(name=name, source="os") if name else Operator(name="unknown", source="none")


# --- Who wrote the change that was planned, as far as anybody says.


AUTHOR = "TFGATE_AUTHOR"
"""Who wrote the change, where the CI system has no variable for it; several with commas."""
_VARIABLES = (
    "PULL_AUTHOR",  # runatlantis.io/docs/custom-workflows
    "CHANGE_AUTHOR",  # Jenkins, multibranch pipelines
    "CHANGE_AUTHOR_EMAIL",
    "CI_COMMIT_AUTHOR",  # GitLab: Name <address>
    "BUILDKITE_BUILD_AUTHOR_EMAIL",
    "BUILDKITE_BUILD_AUTHOR",
)
_IDENT = late(r"^author (?P<name>.*?) ?<(?P<address>[^<>\n]*)> \d+ [+-]\d{4}$", re.MULTILINE)
_NAMED = late(r"(?P<name>.*?)\s*<(?P<address>[^<>]+)>")
_SECONDS = 5.0
_MAX_COMMIT = 1 << 20


def detect_authors(env: Mapping[str, str], cwd: str | Path) -> tuple[str, ...]:
    """Return every name of the author, by the CI system and by the commit checked out.

    Logins, addresses and plain names, in no order that means anything; empty where nobody knows.
    None of it is proof: of several commits only the last one is looked at, and git believes what
    its user says.
    """
    names = [*_of_environment(env), *_of_commit(env, Path(cwd))]
    return tuple(dict.fromkeys(name for name in map(clean, names) if name))


def _of_environment(env: Mapping[str, str]) -> Iterator[str]:
    yield from env.get(AUTHOR, "").split(",")
    for variable in _VARIABLES:
        value = env.get(variable, "")
        parts = _NAMED.fullmatch(value.strip())
        yield from parts.groups() if parts else (value,)


def _of_commit(env: Mapping[str, str], cwd: Path) -> tuple[str, ...]:
    commit = _read_commit(env, cwd)
    headers = commit.partition("\n\n")[0]
    found = _IDENT.search(headers)
    return (found["name"], found["address"]) if found else ()


def _read_commit(env: Mapping[str, str], cwd: Path) -> str:
    """Return the commit object that is checked out: unlike ``git log``, this runs no program."""
    import subprocess  # approvals alone need it

    checkout, git = GitDir.find(cwd), search_path("git", env)
    if checkout is None or git is None:
        return ""
    try:
        done = subprocess.run(
            [git, "cat-file", "commit", "HEAD"],
            cwd=checkout.top,
            env=git_environment(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout[:_MAX_COMMIT].decode("utf-8", "replace") if not done.returncode else ""
