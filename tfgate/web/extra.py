"""The packages that the server needs and that no other command does."""

from __future__ import annotations

from importlib.util import find_spec

from tfgate.errors import UsageError

PACKAGES = ("starlette", "uvicorn", "httpx", "prometheus_client", "cryptography", "dbos")


def require_extra() -> None:
    """Raise ``UsageError`` with one sentence where a package of the extra is missing."""
    missing = [name for name in PACKAGES if find_spec(name) is None]
    if missing:
        raise UsageError(
            f"tfgate serve needs {', '.join(missing)}, which is not installed.",
            hint="Install it with: pip install 'tfgate[server]'",
        )
