"""Which characters show as what they are: what is written out elsewhere is up to the writer.

Python's ``isprintable`` goes by category: it refuses controls, bidirectional and other format
characters, lone surrogates, and every space but the plain one. Left are letters and marks that
show nothing at all: variation selectors, of which a whole text can be made that nobody sees, and
fillers (Unicode's Default_Ignorable_Code_Point, and the blank of Braille).
"""

from __future__ import annotations

from typing import Final

from tfgate.model.pattern import late

_INVISIBLE: Final = late(
    r"[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0"
    r"\U000e0100-\U000e01ef]"
)


def is_printable(text: str) -> bool:
    """Say whether every character of a text shows."""
    return text.isprintable() and (text.isascii() or not _INVISIBLE.search(text))
