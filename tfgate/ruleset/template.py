"""The message of a finding: text with ``{path}`` placeholders, filled from the redacted subject."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from tfgate.model import Frozen
from tfgate.model.text import is_printable, late
from tfgate.query.values import Maybe, Unknown

if TYPE_CHECKING:
    from collections.abc import Container, Iterable

MAX_VALUE: Final = 200
"""Characters of one value in a message; longer ones end in ``...``."""
MAX_MESSAGE: Final = 4_000
"""Characters of a whole message."""
ITEM: Final = "@item"
"""Root of placeholders on the element of a ``deny`` list."""

_STEP = late(r'\.([A-Za-z_][A-Za-z0-9_-]*)|\."((?:[^"\\]|\\["\\])+)"|\[(\d{1,9})\]')
_ROOT = late(r"@item|[A-Za-z_][A-Za-z0-9_]*")


class _Missing:
    """Stands for "no item": ``None`` is a value."""


MISSING: Final = _Missing()

Step = str | int


class TemplateError(Exception):
    """A template is wrong at ``position`` (0-based)."""

    def __init__(self, message: str, position: int) -> None:
        super().__init__(message)
        self.position = position


class Template(Frozen, frozen=True):
    """A parsed message. ``render`` never raises, whatever the document is."""

    text: str
    parts: tuple[str | tuple[Step, ...], ...]
    """Literal texts and the placeholders' paths, in order."""

    @classmethod
    def parse(cls, text: str, roots: Container[str] | None = None) -> Template:
        """Parse ``{path}`` placeholders; ``{{`` and ``}}`` stand for braces.

        A path is a field of the subject followed by ``.name``, ``."any name"`` or ``[0]``. With
        ``roots``, its first name must be among them. Raises ``TemplateError``.
        """
        return cls(text, tuple(_parts(text, roots)))

    @property
    def fields(self) -> tuple[tuple[str, ...], ...]:
        """Paths read from the subject, list steps left out, as ``Expression.reads`` has them."""
        paths = [part for part in self.parts if not isinstance(part, str) and part[0] != ITEM]
        named = (tuple(step for step in path if isinstance(step, str)) for path in paths)
        return tuple(dict.fromkeys(named))

    @property
    def reads_item(self) -> bool:
        """Whether a placeholder is on ``@item``."""
        return any(not isinstance(part, str) and part[0] == ITEM for part in self.parts)

    def render(self, document: object, item: object = MISSING) -> str:
        """Fill in the placeholders from the redacted ``document``; absent fields read ``null``."""
        out: list[str] = []
        for part in self.parts:
            if isinstance(part, str):
                out.append(part)
            elif part[0] == ITEM:
                out.append(show_value(_walk(None if item is MISSING else item, part[1:])))
            else:
                out.append(show_value(_walk(document, part)))
        return _shorten("".join(out), MAX_MESSAGE)


def _parts(text: str, roots: Container[str] | None) -> Iterable[str | tuple[Step, ...]]:
    # A message is one line: line breaks of a multi-line string and its indentation are a space.
    position, literal = 0, ""
    for match in re.finditer(r"\{\{|\}\}|\{|\}|\s*\n\s*", text):
        if match.start() < position:
            continue
        literal += text[position : match.start()]
        position = match.end()
        mark = match.group()
        if mark.isspace():
            literal += " " if match.start() > 0 and position < len(text) else ""
        elif mark == "}":
            raise TemplateError(
                'a single "}" closes nothing (write "}}" for a brace)', match.start()
            )
        elif mark == "{":
            end = _closing(text, match.start())
            yield visible(literal)
            literal, position = "", end + 1
            yield _path(text[match.end() : end], match.end(), roots)
        else:
            literal += mark[0]
    yield visible(literal + text[position:])


def _closing(text: str, start: int) -> int:
    end = text.find("}", start)
    if end < 0:
        raise TemplateError('"{" is never closed (write "{{" for a brace)', start)
    return end


def _path(text: str, position: int, roots: Container[str] | None) -> tuple[Step, ...]:
    root = _ROOT.match(text)
    if root is None:
        raise TemplateError(
            f"{_quoted(text)} is not a field path such as after.tags.Name", position
        )
    if roots is not None and root.group() != ITEM and root.group() not in roots:
        raise TemplateError(f"{_quoted(root.group())} is not a field of the subject", position)
    path: list[Step] = [root.group()]
    end = root.end()
    while end < len(text):
        step = _STEP.match(text, end)
        if step is None:
            raise TemplateError(
                f"{_quoted(text)} is not a field path such as after.tags.Name", position + end
            )
        name, quoted, number = step.groups()
        path.append(int(number) if number else name or re.sub(r"\\(.)", r"\1", quoted))
        end = step.end()
    return tuple(path)


def _quoted(text: str) -> str:
    return json.dumps(_shorten(text, 60))


def _walk(value: object, path: Iterable[Step]) -> object:
    for step in path:
        if isinstance(value, Maybe):
            value = value.value
        if isinstance(value, Unknown):
            return value
        if isinstance(step, int):
            fits = isinstance(value, (list, tuple)) and step < len(value)
            value = value[step] if fits else None  # type: ignore[index] # checked by `fits`
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


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
