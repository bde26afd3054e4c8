"""python-hcl2's grammar, made ready in a tenth of the time.

Building its tables takes Lark about two seconds. python-hcl2 keeps them as a pickle beside its own
code where that can be written to, which a gate should neither count on nor do. Here they are kept
in tfgate's cache as plain numbers and strings (msgpack), which cannot run anything when read.

The parser is made without positions on inner nodes: those of the tokens suffice, and it is twice as
fast. Where Lark's inner format changes, the tables are built anew each time.
"""

from __future__ import annotations

import hashlib
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tfgate.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Callable

    from lark import Lark

    from tfgate.hcl.cache import Cache

_LARGEST = 2**62
"""Lark notes "no limit" as a number that msgpack cannot hold; any number as large will do."""

_AS_BUILT = {"parser": "lalr", "lexer": "contextual", "priority": "normal"}
"""The options as Lark completes them when it builds a parser of this kind."""

_made: list[tuple[Lark, bytes]] = []
"""The parser of this process, with its tables: it costs too much to be made twice."""


def parser(cache: Cache | None) -> tuple[Lark, bytes]:
    """Give the parser and its tables, from ``cache`` where they fit the installed versions."""
    if not _made:
        _made.append(_make(cache))
    return _made[0]


def from_tables(tables: bytes) -> Lark | None:
    """Make a parser from tables that `parser` gave; ``None`` where they are none."""
    from hcl2.postlexer import PostLexer
    from lark import Lark
    from lark.lark import LarkOptions

    try:
        kept = msgspec.msgpack.decode(tables)
        kept["data"]["options"] = {
            name: value
            for name, value in LarkOptions(_AS_BUILT).options.items()
            if name not in ("postlex", "lexer_callbacks")
        }
        load: Callable[..., Lark] = Lark._load_from_dict
        return load(kept["data"], kept["memo"], postlex=PostLexer())
    except Exception:  # whatever a foreign file may raise deep inside Lark: build the tables anew
        return None


def _make(cache: Cache | None) -> tuple[Lark, bytes]:
    try:
        import hcl2
        from hcl2.postlexer import PostLexer
        from lark import Lark
    except ImportError as error:
        message = "python-hcl2 is missing or of a version that tfgate cannot use."
        raise SourceError(message, hint="Install python-hcl2 8.1.3 or newer.") from error

    grammar = Path(hcl2.__file__).with_name("hcl2.lark")
    key = _key(grammar)
    tables = None if cache is None else cache.read(key)
    made = None if tables is None else from_tables(tables)
    if made is not None and tables is not None:
        return made, tables
    made = Lark(grammar.read_text("utf-8"), parser="lalr", postlex=PostLexer())
    tables = _dump(made)
    if cache is not None:
        cache.write(key, tables)
    return made, tables


def _key(grammar: Path) -> str:
    parts = [version("python-hcl2"), version("lark"), sys.version, grammar.read_text("utf-8")]
    return "grammar-" + hashlib.sha256("\0".join(parts).encode()).hexdigest()


def _dump(made: Lark) -> bytes:
    from lark.grammar import Rule
    from lark.lexer import TerminalDef

    data, memo = made.memo_serialize([TerminalDef, Rule])
    data["options"] = {}
    return msgspec.msgpack.encode(_within_bounds({"data": data, "memo": memo}))


def _within_bounds(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _within_bounds(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_within_bounds(one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return max(-_LARGEST, min(_LARGEST, value))
    return value
