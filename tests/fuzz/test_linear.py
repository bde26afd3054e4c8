"""What takes text apart goes through it once: a long hostile text takes no longer than it must."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.fuzzing.limits import bounded_memory, bounded_time
from tfgate.authoring.lint.findings import _IGNORE
from tfgate.authoring.lsp.answers import place_at
from tfgate.errors import PlanError
from tfgate.examples.configuration import _KEYS
from tfgate.examples.plan import parse_path, put
from tfgate.hcl.paths import path_steps
from tfgate.model.address import _MODULE
from tfgate.plan import read_plan
from tfgate.plan.configuration import without_keys
from tfgate.plan.resolver import mentions

if TYPE_CHECKING:
    from collections.abc import Callable

PUMPS = (
    "[",
    '["',
    '[\\"',
    '\\"',
    "\n",
    "\n ",
    "module.a[",
    "a.",
    "/**/",
    "#\n",
    ".",
    'a["x"',
    "a[0",
    "[[rules]",
    "#",
)


def no_plan(text: str) -> None:
    """Read what is no plan, and is told what it looks like."""
    with pytest.raises(PlanError):
        read_plan(text.encode())


READERS: dict[str, Callable[[str], object]] = {
    "keys of an address": without_keys,
    "keys of an example's address": lambda text: _KEYS.sub("", text),
    "modules of an address": lambda text: list(_MODULE.finditer(text)),
    "what is no plan": no_plan,
    "references": lambda text: mentions([text, text[:-1]]),
    "attribute paths": path_steps,
    "comments of the linter": lambda text: list(_IGNORE.finditer(text)),
    "the place of a cursor": lambda text: place_at(text, len(text)),
}


def test_an_index_makes_no_long_list() -> None:
    """Whatever index an example names, the list made for it is of a bounded length."""
    with bounded_memory(256 * 1024**2):
        assert len(put([], parse_path(f"[{'9' * 5000}].x"), 1)) == 10_000
    assert put([], parse_path("[1].x"), 1) == [None, {"x": 1}]


@pytest.mark.parametrize("pump", PUMPS)
@pytest.mark.parametrize("name", READERS)
def test_long_texts(name: str, pump: str) -> None:
    """A quarter of a megabyte of one thing over and over; at a quadratic pace it takes minutes."""
    with bounded_time(5):
        READERS[name](pump * (250_000 // len(pump)))
