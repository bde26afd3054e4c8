"""Modules that our dependencies import at their top and that most commands never use.

A gate runs before every apply, so its start is everybody's time. ``click`` imports ``inspect`` for
texts of several lines (with ``ast``, ``dis`` and ``tokenize``: 7 ms), ``urllib.parse`` imports
``ipaddress`` for addresses in brackets, ``msgspec`` imports ``textwrap`` and ``msgspec.inspect``
for JSON Schemas and ``uuid``, which asks ``platform`` for the system's name, and
``jmespath``'s parser comes with an interpreter that tfgate does not use. What stands in for such a
module loads it when something of it is asked for. Together they are a tenth of a check of a small
plan.

The standard library's ``LazyLoader`` does not serve: before Python 3.14, already ``import inspect``
in the importing module makes it load.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for the module of this name until an attribute is asked for that it has not."""

    def __getattr__(self, name: str) -> Any:
        if name in {"__file__", "__path__"}:  # asked by whoever lists modules: not a use
            raise AttributeError(name)
        return getattr(_load(self.__name__), name)


def _load(name: str) -> ModuleType:
    """Import a module in the place of what stands for it, which becomes its likeness."""
    later = sys.modules.get(name)
    if isinstance(later, _Later):
        sys.modules.pop(name, None)
    module = import_module(name)
    if isinstance(later, _Later):
        vars(later).update(vars(module))
    return module


def put_off(module: str, **known: Any) -> None:
    """Import ``module`` when it is used, unless it is there already.

    ``known`` are attributes that can be had without it.
    """
    if module not in sys.modules:
        sys.modules[module] = later = _Later(module)
        vars(later).update(known)


def cleandoc(text: str) -> str:
    """Do what ``inspect.cleandoc`` does, and for one line without ``inspect``."""
    if text.isprintable():
        return text.lstrip(" ")
    return str(_load("inspect").cleandoc(text))


def put_off_all() -> None:
    """Put off what a check needs nothing of."""
    put_off("inspect", cleandoc=cleandoc)
    put_off("ipaddress")
    put_off("textwrap")
    put_off("msgspec.inspect")
    put_off("jmespath.functions")
    if sys.platform == "linux":
        put_off("platform", system=_system)


def _system() -> str:
    """Do what ``platform.system`` does on Linux."""
    return os.uname().sysname
