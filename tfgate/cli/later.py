"""Modules that our dependencies import at their top and that most commands never use.

A gate runs before every apply, so its start is everybody's time. ``click`` imports ``inspect`` for
texts of several lines (with ``ast``, ``dis`` and ``tokenize``: 7 ms), ``urllib.parse`` imports
``ipaddress`` for addresses in brackets, ``msgspec`` imports ``textwrap`` for JSON Schemas, and
``jmespath``'s parser comes with an interpreter that tfgate does not use. What stands in for such a
module loads it when something of it is asked for.

The standard library's ``LazyLoader`` does not serve: before Python 3.14, already ``import inspect``
in the importing module makes it load.
"""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Later(ModuleType):
    """Stands for the module of this name until an attribute is asked for that it has not."""

    def __getattr__(self, name: str) -> Any:
        if name in {"__file__", "__path__"}:  # asked by whoever lists modules: not a use
            raise AttributeError(name)
        if sys.modules.get(self.__name__) is self:
            sys.modules.pop(self.__name__, None)
        module = import_module(self.__name__)
        self.__dict__.update(vars(module))
        return getattr(module, name)


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
    return str(import_module("inspect").cleandoc(text))


def put_off_all() -> None:
    """Put off what a check needs nothing of."""
    put_off("inspect", cleandoc=cleandoc)
    put_off("ipaddress")
    put_off("textwrap")
    put_off("jmespath.functions")
