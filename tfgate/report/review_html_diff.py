"""Differences of values as HTML. Every text of a plan goes through ``html_text``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tfgate.model.review import Form, Mark, Shape
from tfgate.report import review_words as words
from tfgate.report.neutral import html_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.model.review import Diff, Line, Shown

_SIGNS: Final = {Mark.ADDED: "+", Mark.REMOVED: "-", Mark.CHANGED: "~", Mark.SAME: "="}
_LONG: Final = 240
"""Characters of a value that stand unfolded."""
_LONGEST: Final = 50_000
"""Characters of a value that are in the page at all; the plan has the rest."""
_MANY: Final = 24
"""Lines of a text that stand unfolded."""
_MOST: Final = 2_000
"""Lines of a text, or members of a value, that are in the page at all."""
_CLOSE: Final = 3
"""Characters in common from which on the rest of a changed string is marked."""


def diff_list(diffs: Sequence[Diff]) -> str:
    """Write differences as a list; empty for none."""
    if not diffs:
        return ""
    items = "".join(map(_item, diffs[:_MOST]))
    left = len(diffs) - _MOST
    more = f'<li><p class="note">… {left:,} more in the plan</p></li>' if left > 0 else ""
    return f'<ul class="diff">{items}{more}</ul>'


def _item(diff: Diff) -> str:
    css = diff.mark.value
    if diff.shape is Shape.LEAF:
        css += " leaf"
    if diff.forces:
        css += " forces"
    return f'<li class="{css}"><span class="s">{_SIGNS[diff.mark]}</span>{_inside(diff)}</li>'


def _inside(diff: Diff) -> str:
    label = f'<code class="k">{html_text(diff.label[:500])}</code>' if diff.label else ""
    if diff.shape is Shape.LEAF:
        if not label:
            label, end = '<span class="k v">', "</span>"
        else:
            label, end = f'{label}<span class="v">', "</span>"
        return f"{label}{_values(diff)}{_notes(diff)}{end}"
    kind = {Shape.JSON: "JSON", Shape.LINES: "text"}.get(diff.shape, "")
    hint = f'<span class="hint">{kind}</span>' if kind else ""
    same = f'<p class="note">{diff.same:,} unchanged</p>' if diff.same else ""
    head = f'{label}<span class="v">{hint}{_notes(diff)}</span>'
    return f"{head}{_lines(diff.lines)}{diff_list(diff.members)}{same}"


def _notes(diff: Diff) -> str:
    text = ""
    if diff.note:
        text += f' <span class="note">{html_text(diff.note)}</span>'
    if diff.refers:
        text += f' <span class="note">from <code>{html_text(diff.refers)}</code></span>'
    if diff.forces:
        text += ' <span class="forces-note">forces replacement</span>'
    return text


def _values(diff: Diff) -> str:
    before, after = diff.before, diff.after
    if before is None or after is None or before == after:
        only = after if after is not None else before
        return "" if only is None else _side(only, "del" if diff.mark is Mark.REMOVED else "ins")
    old, new = _marked(before, after)
    return f'{old}<span class="arrow">→</span>{new}'


def _marked(before: Shown, after: Shown) -> tuple[str, str]:
    """Write both sides; where they are short and much alike, mark what is not."""
    old, new = before.text, after.text
    both = before.form is Form.LITERAL and after.form is Form.LITERAL
    if not both or max(len(old), len(new)) > _LONG or old[:1] != '"' or new[:1] != '"':
        return _side(before, "del"), _side(after, "ins")
    start = _common(old, new)
    stop = min(_common(old[::-1], new[::-1]), len(old) - start, len(new) - start)
    if start + stop < _CLOSE + 2:  # the quotes are always in common
        return _side(before, "del"), _side(after, "ins")
    return _partly(old, start, stop, "del"), _partly(new, start, stop, "ins")


def _common(before: str, after: str) -> int:
    count = 0
    for old, new in zip(before, after, strict=False):
        if old != new:
            break
        count += 1
    return count


def _partly(text: str, start: int, stop: int, tag: str) -> str:
    end = len(text) - stop
    middle = f"<mark>{html_text(text[start:end])}</mark>" if end > start else ""
    return f"<{tag}>{html_text(text[:start])}{middle}{html_text(text[end:])}</{tag}>"


def _side(shown: Shown, tag: str) -> str:
    if shown.form is not Form.LITERAL:
        return f'<span class="hint">{words.side(shown)}</span>'
    if len(shown.text) <= _LONG:
        return f"<{tag}>{html_text(shown.text)}</{tag}>"
    return _folded(shown.text, tag)


def _folded(text: str, tag: str) -> str:
    start, whole = html_text(text[:120]), html_text(text[:_LONGEST])
    size = f"{len(text):,} characters"
    cut = f' <span class="note">cut: {size} in the plan</span>' if len(text) > _LONGEST else ""
    return (
        f'<details class="long"><summary data-more="{size}"><code>{start}… </code></summary>'
        f"<{tag}>{whole}</{tag}>{cut}</details>"
    )


def _lines(lines: Sequence[Line]) -> str:
    if not lines:
        return ""
    text = "".join(_line(line) for line in lines[:_MOST])
    if len(lines) > _MOST:
        text += f'<li class="gap">{len(lines) - _MOST:,} more lines in the plan</li>'
    listed = f'<ul class="lines">{text}</ul>'
    if len(lines) <= _MANY:
        return listed
    return f'<details class="lines"><summary>{len(lines):,} lines</summary>{listed}</details>'


def _line(line: Line) -> str:
    css = "gap" if line.skipped else line.mark.value
    if len(line.text) > _LONG:
        return f'<li class="{css}">{_folded(line.text, "code")}</li>'
    return f'<li class="{css}"><code>{html_text(line.text)}</code></li>'


def asides(pairs: Iterator[tuple[str, str]]) -> Iterator[str]:
    """Write what is only listed."""
    for name, text in pairs:
        yield f'<p class="soft">{html_text(name)}: <code>{html_text(text)}</code></p>'
