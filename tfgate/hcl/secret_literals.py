"""Finds the literals of a block that should not be there: where they stand, never what they say."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from tfgate.hcl.secrets import is_secret_name, looks_secret

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tfgate.hcl.subject import SourceBlock

_NAMED_BY_BLOCK: Final = {"variable": "default", "output": "value"}
"""Kinds whose own name says what an argument is."""
_BY_NAME: Final = "a secret, by its name"
_RANDOM: Final = "a random string"
_REFERENCE: Final = re.compile(r"arn:|projects/[^/]+/secrets/|https://[\w.-]+\.vault\.azure\.net/")
"""What stands under the name of a secret and says where it is kept."""
_NOT_SECRET: Final = re.compile(
    r"hash|sha\d*|md5|checksum|digest|fingerprint|thumbprint|etag|public_key|certificate|_pem$"
    r"|_ids?(?:_list)?$|^ids?$|arn|version|source$",
    re.IGNORECASE,
)
"""Names of arguments that are random strings and no secret."""
_PUBLIC: Final = re.compile(r"(?:ssh|ecdsa|sk)-|-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC)")
_PLAIN: Final = re.compile(r"[A-Za-z_][\w-]*")


def secret_literals(block: SourceBlock) -> list[dict[str, str]]:
    """Give ``{"path": …, "looks_like": …}`` for each literal that is, or looks like, a secret.

    A path such as ``environment[0].variables.TOKEN`` leads to the literal in the block's body.
    """
    named = _NAMED_BY_BLOCK.get(block.kind)
    found = []
    for name, value in block.known.items():
        called = block.name if name == named else name
        found += [
            {"path": path, "looks_like": kind} for path, kind in _walk(_step(name), called, value)
        ]
    return found


def _walk(path: str, name: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        kind = _kind(name, value)
        if kind is not None:
            yield path, kind
    elif isinstance(value, list):
        for number, one in enumerate(value):
            yield from _walk(f"{path}[{number}]", name, one)
    elif isinstance(value, dict):
        for key, one in value.items():
            yield from _walk(path + _step(key, below=True), key, one)


def _kind(name: str, value: str) -> str | None:
    if not value.strip() or _REFERENCE.match(value) or _PUBLIC.match(value):
        return None
    kind = looks_secret(value)
    if kind == _RANDOM and _NOT_SECRET.search(name):
        kind = None
    return kind or (_BY_NAME if is_secret_name(name) else None)


def _step(name: str, *, below: bool = False) -> str:
    if _PLAIN.fullmatch(name):
        return f".{name}" if below else name
    if looks_secret(name):
        return "[…]"
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'["{escaped}"]'
