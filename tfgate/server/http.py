"""What every page and interface of the server has in common: headers, and bodies with a bound."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response

HEADERS: Final = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


async def read_body(request: Request, most: int) -> bytes | None:
    """Read a body, ``None`` where it is too large: no more than ``most`` bytes are kept."""
    data = bytearray()
    try:
        async for piece in request.stream():
            data += piece
            if len(data) > most:
                return None
    except ClientDisconnect:
        return b""
    return bytes(data)


def problem_answer(status: int, text: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return a sentence on why not, with more headers."""
    return JSONResponse({"error": text}, status_code=status, headers={**HEADERS, **(headers or {})})
