"""``TF_CLI_ARGS`` and ``TF_CLI_ARGS_<command>``: words that come from the environment.

Terraform puts them behind the command's name, before what the user typed (``mergeEnvArgs`` in its
``main.go``): first those of ``TF_CLI_ARGS``, then, in front of these, those of the command's own
variable. Where no command was typed they come first of all, and so may name one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tfgate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PREFIX = "TF_CLI_ARGS"
# Terraform's splitter (github.com/mattn/go-shellwords) ends at some of these, fails at others, and
# its versions differ. Nobody means them.
_UNCLEAR = frozenset("`();&|<>")


def merge_arguments(env: Mapping[str, str], command: str, words: Sequence[str]) -> list[str]:
    """Return ``words`` with those of ``env`` in their place.

    ``words`` is a command line without ``-chdir``, in which Terraform reads ``command`` (empty
    where it reads none). Raises ``UsageError`` where a variable cannot be split into words.
    """
    merged = list(words)
    searched = command.rpartition(" ")[2]
    for name in (_PREFIX, arguments_variable(command)):
        place = merged.index(searched) + 1 if searched in merged else 0
        merged[place:place] = _split(name, env.get(name, ""))
    return merged


def arguments_variable(command: str) -> str:
    """Return the name of the variable that holds arguments of one command."""
    return f"{_PREFIX}_{command.replace('-', '_').replace(' ', '_')}"


def without_arguments(env: Mapping[str, str]) -> dict[str, str]:
    """Return ``env`` without any of these variables."""
    return {
        name: value
        for name, value in env.items()
        if name != _PREFIX and not name.startswith(f"{_PREFIX}_")
    }


def _split(name: str, text: str) -> list[str]:
    """Split as Terraform does; unlike in a shell, a backslash counts in double quotes as well."""
    words: list[str] = []
    word: str | None = None
    quote = ""
    characters = iter(text)
    for character in characters:
        if character == "\\" and quote != "'":
            escaped = next(characters, None)
            if escaped is None:
                raise UsageError(f"{name} ends with a backslash.")
            word = (word or "") + escaped
        elif quote:
            if character == quote:
                quote = ""
            else:
                word = (word or "") + character
        elif character in "'\"":
            quote, word = character, word or ""
        elif character in " \t\r\n":
            words += [] if word is None else [word]
            word = None
        elif character in _UNCLEAR:
            raise UsageError(f"{name} has a {character} outside of quotation marks.")
        else:
            word = (word or "") + character
    if quote:
        raise UsageError(f"{name} has a quotation mark that is not closed.")
    return words if word is None else [*words, word]
