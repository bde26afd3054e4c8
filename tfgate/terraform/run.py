"""Which CI run and which commit a decision belongs to."""

from __future__ import annotations

import os
import re
import weakref
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from tfgate.git import Git, GitError, end
from tfgate.model.decision import Operator, Run
from tfgate.model.text import clean, late
from tfgate.terraform.ci import CiSystem, detect_ci, fill, first
from tfgate.terraform.gitdir import GitDir, user_email
from tfgate.terraform.text import public_url

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping


SECONDS = 2.0
"""How long ``git status`` may take; a checkout too large for that has an unknown state."""

# A repository's own configuration can name programs that `git status` runs: filters, the file
# system monitor, hooks, transports of a partial clone. The last three are switched off; a filter
# cannot be without knowing its name, and an include may bring one, so such a repository is not
# asked at all. Not anchored: git takes several headings on one line.
_RUNS_PROGRAMS = late(r"\[\s*(?:filter|include)", re.IGNORECASE)
_STATUS = ("status", "--porcelain", "--ignore-submodules=all", "--untracked-files=normal")


class PendingRun:
    """A run whose ``dirty`` git is still working out; ``result()`` waits for it, once."""

    def __init__(self, run: Run, status: subprocess.Popen[bytes] | None) -> None:
        self._run = run
        self._status = status
        if status is not None:
            # Not __del__: in a cycle, the process and its pipe might be finalized before this.
            weakref.finalize(self, end, status)

    def result(self) -> Run:
        """Return the run. ``dirty`` is ``None`` where git did not answer within its time limit."""
        if self._status is not None:
            self._run = replace(self._run, dirty=_is_dirty(self._status))
            self._status = None
        return self._run


def _begin_status(checkout: GitDir, env: Mapping[str, str]) -> subprocess.Popen[bytes] | None:
    """Start git in ``checkout``; ``None`` where it is missing or must not be asked."""
    config = checkout.config()
    if config is None or _RUNS_PROGRAMS.search(config):
        return None
    try:
        return Git(checkout.top, env).start(*_STATUS)
    except GitError:
        return None


def _is_dirty(status: subprocess.Popen[bytes]) -> bool | None:
    """Wait for git's answer; ``None`` where it failed or took longer than ``SECONDS``."""
    import subprocess  # 4 ms: docs/performance.md

    try:
        output, _ = status.communicate(timeout=SECONDS)
    except subprocess.TimeoutExpired:
        end(status)
        return None
    return bool(output) if status.returncode == 0 else None


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
    return PendingRun(run, _begin_status(checkout, env) if checkout else None)


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
    ``verified`` is false for all of them. A name loses its control characters and is cut at 256.
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
    """Read the commit object that is checked out: unlike ``git log``, this runs no program."""
    checkout = GitDir.find(cwd)
    if checkout is None:
        return ()
    try:
        commit = Git(checkout.top, env).run("cat-file", "commit", "HEAD")
    except GitError:
        return ()
    headers = commit[:_MAX_COMMIT].decode("utf-8", "replace").partition("\n\n")[0]
    found = _IDENT.search(headers)
    return (found["name"], found["address"]) if found else ()
