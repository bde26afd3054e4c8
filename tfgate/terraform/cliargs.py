"""``TF_CLI_ARGS`` and ``TF_CLI_ARGS_apply``: arguments that come from the environment.

Terraform puts them behind the command's name, before what the user typed (its ``main.go``). Where
one ``apply`` becomes a plan and an apply, they are taken out of the environment and sorted as the
others are; what is set for ``terraform plan`` was never meant for an apply.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from tfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_PREFIX = "TF_CLI_ARGS"


def take_arguments(env: Mapping[str, str], command: str) -> tuple[list[str], dict[str, str]]:
    """Give the arguments that ``env`` adds to ``command``, and ``env`` without any of them.

    Raises ``UsageError`` where they cannot be split into words.
    """
    arguments = [*_words(env, _PREFIX), *_words(env, f"{_PREFIX}_{command}")]
    return arguments, {name: value for name, value in env.items() if not _is_arguments(name)}


def _words(env: Mapping[str, str], name: str) -> list[str]:
    try:
        return shlex.split(env.get(name, ""))
    except ValueError:
        raise UsageError(f"{name} has a quotation mark that is not closed.") from None


def _is_arguments(name: str) -> bool:
    return name == _PREFIX or name.startswith(f"{_PREFIX}_")
