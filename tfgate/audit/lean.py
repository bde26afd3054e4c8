"""Import structlog without its developer console.

``import structlog`` imports rich, pygments and asyncio for features that an audit record never
uses: 0.12 s of a command that should take 0.1 s in all. structlog has no smaller entrance, so the
copy that tfgate uses is imported with rich out of sight (structlog treats it as optional) and
asyncio put off until it is used.

A program that uses tfgate as a library never notices: a structlog that it has imported is used as
it is, and otherwise nothing of the lean copy stays in ``sys.modules``, so that its own import
gives the whole of structlog.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import sys
import threading
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

_OPTIONAL = frozenset({"rich", "better_exceptions", "colorama", "twisted"})
"""structlog catches ImportError for each of these."""

# Finder and loader do not subclass importlib.abc's classes: that import alone takes 5 ms.

_copy: ModuleType | None = None  # imported once per process, as any module is
_importing = threading.Lock()


def structlog() -> Any:
    """Give the structlog module: the host's where it has imported one, else the lean copy."""
    global _copy
    whole = sys.modules.get("structlog")
    if whole is not None and hasattr(whole, "wrap_logger"):
        return whole
    with _importing:
        if _copy is None:
            _copy = _import_lean()
    return _copy


def _import_lean() -> ModuleType:
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        return importlib.import_module("structlog")
    finally:
        sys.meta_path.remove(finder)
        for name in [*sys.modules]:
            if name == "structlog" or name.startswith("structlog."):
                del sys.modules[name]
        if isinstance(getattr(sys.modules.get("asyncio"), "__loader__", None), _Later):
            del sys.modules["asyncio"]


class _Finder:
    """Stands before the other finders while the importing thread, and no other, imports."""

    def __init__(self) -> None:
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if threading.get_ident() != self._thread:
            return None
        if fullname in _OPTIONAL:
            raise ModuleNotFoundError(f"{fullname} is not needed here", name=fullname)
        if fullname == "asyncio":
            return importlib.machinery.ModuleSpec(fullname, cast(Any, _Later()))
        return None


class _Later:
    """Loads a stand-in that fetches the real module when an attribute of it is asked for."""

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        def fetch(attribute: str) -> Any:
            if attribute.startswith("__"):
                raise AttributeError(attribute)
            return getattr(importlib.import_module(module.__name__), attribute)

        vars(module)["__getattr__"] = fetch
