"""Links to the page of a decision: signed, and only for a time."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

if TYPE_CHECKING:
    from tfgate.web.secrets import Vault


class Links:
    """Makes and checks links. A link shows one decision, to whoever has it, until it expires."""

    def __init__(self, vault: Vault, base: str, hours: int) -> None:
        self._vault = vault
        self._base = base.rstrip("/")
        self._seconds = hours * 3600

    def make(self, key: str, now: float) -> str:
        """Give the link to a task's page."""
        expires = str(int(now) + self._seconds)
        signature = self._vault.sign(f"{key}\n{expires}")
        query = urlencode({"expires": expires, "signature": signature})
        return f"{self._base}/decisions/{quote(key, safe='')}?{query}"

    def opens(self, key: str, expires: str, signature: str, now: float) -> bool:
        """Whether these parts of a link are ours and not yet expired."""
        if not (expires.isascii() and expires.isdigit() and len(expires) < 16):
            return False
        return self._vault.is_ours(f"{key}\n{expires}", signature) and int(expires) > now
