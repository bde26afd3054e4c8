"""structlog's bound logger, without the rest of structlog.

``import structlog`` imports a developer console, traceback formatters and the standard library's
logging, for features that an audit record never uses: 0.09 s of a command that should take 0.1 s in
all. What a record goes through is `structlog.BoundLogger` and its chain of processors. Its module
needs nothing else of the package, so it is imported by itself, under a bare package of the same
name and place.

A program that uses tfgate as a library never notices: a structlog that it has imported is used as
it is, and otherwise nothing stays in ``sys.modules``, so that its own import gives the whole.
"""

from __future__ import annotations

import importlib
import sys
import threading
from importlib.machinery import PathFinder
from types import ModuleType
from typing import Any

_NAME = "structlog"

_bound_logger: Any = None  # imported once per process, as any module is
_importing = threading.Lock()


def bound_logger() -> Any:
    """Give the class `structlog.BoundLogger`: the host's where it has imported structlog."""
    global _bound_logger
    whole = sys.modules.get(_NAME)
    if whole is not None and hasattr(whole, "BoundLogger"):
        return whole.BoundLogger
    with _importing:
        if _bound_logger is None:
            _bound_logger = _import_alone() or importlib.import_module(_NAME).BoundLogger
    return _bound_logger


def _import_alone() -> Any:
    """Import the one module; ``None`` where a release of structlog keeps it elsewhere."""
    spec = PathFinder.find_spec(_NAME)
    if spec is None or spec.submodule_search_locations is None or _NAME in sys.modules:
        return None
    bare = ModuleType(_NAME)
    bare.__path__ = list(spec.submodule_search_locations)
    sys.modules[_NAME] = bare
    try:
        return importlib.import_module(f"{_NAME}._generic").BoundLogger
    except (ImportError, AttributeError):
        return None
    finally:
        for name in [*sys.modules]:
            if name == _NAME or name.startswith(f"{_NAME}."):
                del sys.modules[name]
