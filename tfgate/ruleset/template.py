"""The text of a finding: a message or remediation with ``{expression}`` placeholders.

A placeholder is filled in from the redacted view of the subject alone, where a secret is an unknown
value: whatever a function computes from it is unknown too.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

from tfgate.model import Frozen
from tfgate.model.text import is_printable, late
from tfgate.query import EvaluationError, Expression
from tfgate.query.values import SENSITIVE, Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tfgate.query.state import Meter, Scope

    CompileAt = Callable[[str, int], "tuple[Expression, frozenset[tuple[str, ...]]] | None"]

MAX_VALUE: Final = 200
"""Characters of one value in a message; longer ones end in ``...``."""
MAX_MESSAGE: Final = 4_000
"""Characters of a whole message."""
ITEM: Final = "item"
"""Field of the document that holds the element of a ``deny`` list; ``@item`` is the same."""
FAILED: Final = "(not evaluated)"
"""What stands for an expression that raises."""

_ITEM = late(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`\\]|\\.)*`|(@)(?=item\b)", re.DOTALL)
"""Skips what is quoted; the group is the ``@`` of ``@item``."""
_INSIDE = late(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|`(?:[^`\\]|\\.)*`|[{}]", re.DOTALL)
"""What stands inside of a placeholder and matters for where it ends."""


class _Missing:
    """Stands for "no item": ``None`` is a value."""


MISSING: Final = _Missing()


class TemplateError(Exception):
    """A template is wrong at ``position`` (0-based)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Placeholder(Frozen, frozen=True):
    """An expression in a template."""

    text: str
    """As written between the braces."""
    position: int
    """Where in the template it begins, 0-based."""
    expression: Expression
    reads: frozenset[tuple[str, ...]]
    """What it reads of the document, what its variables read included."""

    def show(self, document: Any, scope: Scope | None, meter: Meter | None) -> str:
        """Write the value for people; never raises."""
        try:
            judgement = self.expression.judge(document, scope, meter)
            value = judgement.value
        except EvaluationError:
            return FAILED
        if judgement.may_raise or isinstance(value, Unknown):
            return show_value(self._unknown(document))
        return show_value(value)

    def _unknown(self, document: Any) -> Unknown:
        """Return what an unknown value is for want of: the apply, or the right to see a secret."""
        secret = any(_holds_secret(document, path) for path in self.reads)
        return SENSITIVE if secret else Unknown()


class Template(Frozen, frozen=True):
    """A parsed text. ``render`` never raises, whatever the document is."""

    text: str
    parts: tuple[str | Placeholder, ...]
    """Literal texts and the placeholders, in order."""

    @classmethod
    def parse(
        cls,
        text: str,
        compile_at: CompileAt,
        *,
        prose: bool = False,
    ) -> Template:
        """Parse ``{expression}`` placeholders; ``{{`` and ``}}`` stand for braces.

        ``compile_at`` compiles an expression that begins at a position of the text, and returns
        what that reads as well; it records what is wrong, and the placeholder is left out.

        A message is one line: line breaks and the indentation behind them are a space. ``prose``
        may have several lines, and the braces of code in it: ``{}``, a ``{`` before white space and
        a ``}`` that closes nothing stand for themselves. Raises ``TemplateError``.
        """
        return cls(text, tuple(_parts(text, compile_at, prose=prose)))

    @property
    def placeholders(self) -> tuple[Placeholder, ...]:
        """Its expressions."""
        return tuple(part for part in self.parts if isinstance(part, Placeholder))

    @property
    def reads_item(self) -> bool:
        """Whether a placeholder is on the element of a list."""
        return any(path[:1] == (ITEM,) for each in self.placeholders for path in each.reads)

    def render(
        self,
        document: Mapping[str, Any],
        item: object = MISSING,
        scope: Scope | None = None,
        meter: Meter | None = None,
    ) -> str:
        """Fill in the placeholders from the redacted ``document``; absent fields read ``null``."""
        whole = document if item is MISSING else {**document, ITEM: item}
        out = [
            part if isinstance(part, str) else part.show(whole, scope, meter) for part in self.parts
        ]
        return _shorten("".join(out), MAX_MESSAGE)


def _holds_secret(value: Any, path: tuple[str, ...]) -> bool:
    """Whether a secret stands at a path, above it or below it."""
    if isinstance(value, Maybe):
        value = value.value
    if isinstance(value, Unknown):
        return value.sensitive
    if isinstance(value, list):
        return any(_holds_secret(element, path) for element in value)
    if not isinstance(value, dict):
        return False
    if path:
        return _holds_secret(value.get(path[0]), path[1:])
    return any(_holds_secret(part, ()) for part in value.values())


def _parts(text: str, compile_at: CompileAt, *, prose: bool) -> Iterator[str | Placeholder]:
    position, literal = 0, ""
    for match in re.finditer(r"\{\{|\}\}|\{|\}|\s*\n\s*", text):
        if match.start() < position:
            continue
        literal += text[position : match.start()]
        position = match.end()
        mark = match.group()
        if mark.isspace():
            line_end = mark if prose else " "
            literal += line_end if match.start() > 0 and position < len(text) else ""
        elif mark == "}" and not prose:
            raise TemplateError(
                'a single "}" closes nothing (write "}}" for a brace)', match.start()
            )
        elif mark == "{" and not (prose and _opens_code(text[position : position + 1])):
            end = _closing(text, match.start())
            yield _literal(literal, prose=prose)
            literal, position = "", end + 1
            written = text[match.end() : end]
            compiled = compile_at(_ITEM.sub(_without_at, written), match.end())
            if compiled is not None:
                yield Placeholder(written, match.end(), *compiled)
        else:
            literal += mark[0]
    yield _literal(literal + text[position:], prose=prose)


def _opens_code(behind: str) -> bool:
    return behind.isspace() or behind == "}"


def _literal(text: str, *, prose: bool) -> str:
    return "\n".join(map(visible, text.split("\n"))) if prose else visible(text)


def _without_at(found: re.Match[str]) -> str:
    """``@item`` is the field ``item``; a space keeps the columns."""
    return " " if found[1] else found[0]


def _closing(text: str, start: int) -> int:
    """Return where the brace that opens at ``start`` closes: an expression may have some itself."""
    depth = 0
    for found in _INSIDE.finditer(text, start):
        depth += {"{": 1, "}": -1}.get(found.group(), 0)
        if depth == 0:
            return found.start()
    raise TemplateError('"{" is never closed (write "{{" for a brace)', start)


def show_value(value: object) -> str:
    """Write one JSON value, shortened and with nothing in it that a terminal would obey."""
    if isinstance(value, str):
        return _shorten(visible(value[: MAX_VALUE + 1]), MAX_VALUE)
    if isinstance(value, Unknown):
        return _marker(value)
    return _shorten(visible(_compact(value)), MAX_VALUE)


def _compact(value: object) -> str:
    """Write compact JSON, but no further than will be shown: the value may be megabytes."""
    text = ""
    try:
        for chunk in _ENCODER.iterencode(value):
            text += chunk[: MAX_VALUE + 1]
            if len(text) > MAX_VALUE:
                break
    except (TypeError, ValueError, RecursionError):
        return f"{text}..."
    return text


def _marker(value: object) -> str:
    if isinstance(value, Maybe):
        return value.value  # type: ignore[no-any-return] # the encoder writes what it is given
    if isinstance(value, Unknown):
        return "(sensitive)" if value.sensitive else "(known after apply)"
    return "(not JSON)"


_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(", ", ": "), default=_marker)


def visible(text: str) -> str:
    r"""Write every control, bidirectional or else invisible character as ``\n``, ``\u202e``."""
    if is_printable(text):
        return text
    return "".join(char if is_printable(char) else _escape(char) for char in text)


def _escape(char: str) -> str:
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def _shorten(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."
