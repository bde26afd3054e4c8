"""The seven actions a change can have, derived from Terraform's ``actions`` list."""

from __future__ import annotations

from collections.abc import Sequence

from tfgate.model import Word


class Action(Word):
    """What an apply does to one object. ``importing`` and ``moved`` are facts beside it."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    READ = "read"
    NO_OP = "no-op"
    FORGET = "forget"


WILL_EXIST = (Action.CREATE, Action.UPDATE, Action.REPLACE)
"""What the apply will make: where a rule names no actions, it looks at these."""


def action_of(actions: Sequence[str]) -> Action:
    """Name the action that ``actions`` spells (JSON Output Format, "Change Representation").

    Replacement is spelt ``["delete","create"]``, ``["create","delete"]`` and
    ``["create","forget"]``: what counts is which words are in the list, never their position.

    Raises ``ValueError`` for a list that spells no known action.
    """
    words = frozenset(actions)
    if len(words) == len(actions) and words in _BY_WORDS:
        return _BY_WORDS[words]
    raise ValueError(f"no known action is spelt {list(actions)!r}")


_BY_WORDS: dict[frozenset[str], Action] = {
    frozenset({"create", "delete"}): Action.REPLACE,
    frozenset({"create", "forget"}): Action.REPLACE,
    **{frozenset({action.value}): action for action in Action if action is not Action.REPLACE},
}
