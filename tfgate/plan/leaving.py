"""Which arguments a block leaves to the provider: it says nothing, and the plan cannot say yet.

An argument that is optional and computed is unknown in the plan of a new resource when nobody sets
it: what it will be is the provider's or the cloud's default. That nobody sets it is no value that
the apply may still change, but a fact of the configuration.

An argument that is written out as "", 0, false, [] or {} and is unknown all the same is left to the
provider as well: providers on the legacy SDK cannot tell such a value from none
(https://developer.hashicorp.com/terraform/plugin/framework/migrating/benefits).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

from tfgate.plan.arguments import is_expression
from tfgate.plan.change import Change
from tfgate.plan.reads import Reads
from tfgate.query.values import UNKNOWN, Unknown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.plan.plan import Plan
    from tfgate.plan.subject import Subject


def left_to_provider(plan: Plan, subject: Subject, argument: str) -> Any:
    """Say whether ``subject``'s block leaves the argument at a dotted path to the provider.

    True, False, or `UNKNOWN` where the value is not known and the plan has no block to look at. A
    ``dynamic`` block whose ``for_each`` is not known yet looks like one that nobody wrote, and
    counts as such; one that the plan shows the content of does not.
    """
    if not isinstance(subject, Change):
        return UNKNOWN
    path, reads = _asked(argument)
    after = subject.document(reads)["after"]
    if not _is_open(after, path):
        return False
    block = plan.configuration.block(subject)
    if block is None:
        return UNKNOWN
    return _is_left(block["expressions"], after, path)


@lru_cache(maxsize=1024)
def _asked(argument: str) -> tuple[tuple[str, ...], Reads]:
    path = tuple(argument.split("."))
    return path, Reads.of([("after", *path)])


def _is_open(value: Any, path: Sequence[str]) -> bool:
    """Say whether anything at the path is unknown: what is known was left to nobody."""
    if isinstance(value, Unknown):
        return True
    if type(value) is list:
        return any(_is_open(element, path) for element in value)
    return bool(path) and type(value) is dict and _is_open(value.get(path[0]), path[1:])


def _is_left(part: Any, value: Any, path: Sequence[str]) -> bool:
    if not path:
        return isinstance(value, Unknown) and (part is None or _is_nothing(part))
    if type(part) is list or type(value) is list:
        return _any_is_left(part, value, path)
    if is_expression(part) and part:
        return False
    inner = part.get(path[0]) if type(part) is dict else None
    within = value.get(path[0]) if type(value) is dict else value
    return _is_left(inner, within, path[1:])


def _is_nothing(part: Any) -> bool:
    return type(part) is dict and "constant_value" in part and not part["constant_value"]


def _any_is_left(part: Any, value: Any, path: Sequence[str]) -> bool:
    """Look at each nested block; those that no block stands for come from a dynamic one."""
    blocks = part if type(part) is list else [part]
    if isinstance(value, Unknown):
        return all(_is_left(block, value, path) for block in blocks)
    values = value if type(value) is list else [value]
    if part is None or len(blocks) != len(values):
        return False
    return any(_is_left(*pair, path) for pair in zip(blocks, values, strict=True))
