"""Which CI run and which commit a decision belongs to."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.model.identity import Run
from tfgate.terraform.ci import CiSystem, detect_ci, fill, first
from tfgate.terraform.dirty import Dirty
from tfgate.terraform.gitdir import GitDir
from tfgate.terraform.text import public_url

if TYPE_CHECKING:
    from collections.abc import Mapping


class PendingRun:
    """A run whose ``dirty`` git is still working out; ``result()`` waits for it, once."""

    def __init__(self, run: Run, dirty: Dirty | None) -> None:
        self._run = run
        self._dirty = dirty

    def result(self) -> Run:
        """Give the run. ``dirty`` is ``None`` where git did not answer within its time limit."""
        from msgspec.structs import replace

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
    """Say which CI run and commit this is: ``begin_run`` and its result in one call."""
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
