"""HCL's two syntaxes behind one interface: native (``.tf``) and JSON (``.tf.json``)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from tfgate.hcl.elements import elements
from tfgate.hcl.forms import form_of, json_form_of
from tfgate.hcl.jsonsyntax import json_body, json_elements, json_literal, scan_json
from tfgate.hcl.scanner import scan, scan_body

if TYPE_CHECKING:
    from collections.abc import Callable

    from tfgate.hcl.elements import Element
    from tfgate.hcl.forms import Form
    from tfgate.hcl.scanner import Block, Body

_PLAIN_STRING = re.compile(r'\s*"([^"\\$%\n]*)"\s*')


class Syntax(NamedTuple):
    """What the rest of the room asks of a syntax; texts are whole files, offsets in characters."""

    name: str
    scan: Callable[[str], Body]
    """The blocks at the top of a file."""
    body: Callable[[str, Block], Body]
    """What stands directly in a block."""
    elements: Callable[[str, int, int, int], list[Element]]
    """The elements of the object or tuple at ``text[start:end]``, whose line is given last."""
    literal: Callable[[str, int, int], str | None]
    """The plain string at ``text[start:end]``, or ``None``."""
    form: Callable[[str, int, int], Form | None]
    """What the expression at ``text[start:end]`` is made of; ``None``: more than references."""


def _native_literal(text: str, start: int, end: int) -> str | None:
    found = _PLAIN_STRING.fullmatch(text, start, end)
    return None if found is None else found.group(1)


NATIVE = Syntax("native", scan, scan_body, elements, _native_literal, form_of)
JSON = Syntax("json", scan_json, json_body, json_elements, json_literal, json_form_of)
