"""Who asked for the apply."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.model.identity import Operator
from tfgate.terraform.ci import detect_ci, first
from tfgate.terraform.gitdir import user_email
from tfgate.terraform.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


def os_user(env: Mapping[str, str]) -> str | None:
    """Give the name of the account that runs this process, as the system knows it.

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
    """Say who asked for the apply, and what that belief rests on.

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
