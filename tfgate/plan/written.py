"""What the sources of a plan say beyond its JSON: expressions as they are written.

Plan JSON gives of an expression which objects it mentions, not what it does with them:
``aws_s3_bucket.a.id`` and ``replace(aws_s3_bucket.a.id, "/.*/", "z")`` look alike, and ``dynamic``
blocks are not in it at all (terraform issues 28346, 29022). Whoever has the configuration gives it
to `tfgate.plan.Plan.use_sources`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

NOT_SET: Final = "null"
"""The expression of an argument that a block at hand does not set."""


class Written(Protocol):
    """The text of a configuration. ``None`` always says that the text is not at hand."""

    def expression(self, module: Sequence[str], block: str, path: Sequence[str]) -> str | None:
        """Give the expression of an argument, `NOT_SET` where the block does not set it.

        ``module`` names the module calls from the root. ``block`` is ``TYPE.NAME``,
        ``data.TYPE.NAME``, ``module.NAME``, ``output.NAME`` (whose argument is ``value``) or
        ``local.NAME`` (with an empty path). ``path`` leads through nested blocks; where one of
        these is written twice or is dynamic, the answer is None.
        """

    def dynamic(self, module: Sequence[str], block: str) -> Mapping[str, Sequence[str]] | None:
        """Give, by label, the ``for_each`` of each ``dynamic`` block at any depth of a block."""


class Step(NamedTuple):
    """One step of a traversal behind its first name."""

    kind: str
    """``attribute``, ``key`` (a constant), ``each`` (``[each.key]``) or ``count``."""
    name: str | int = ""


class Traversal(NamedTuple):
    """An expression that only points: ``aws_s3_bucket.b["x"].id``."""

    root: str
    steps: tuple[Step, ...]


_NAME: Final = r"[^\W\d][\w-]*"
_KEY: Final = re.compile(
    r'"((?:[^"\\$%\n]|\\["\\])*)"|(0|[1-9][0-9]{0,8})|(each\.key)|(count\.index)'
)
_WHOLE: Final = re.compile(rf"({_NAME})((?:\.{_NAME}|\[[ ]*(?:{_KEY.pattern})[ ]*\])*)")
_STEPS: Final = re.compile(rf"\.({_NAME})|\[[ ]*(?:{_KEY.pattern})[ ]*\]")
_LONGEST: Final = 2_000
"""Characters of the longest text that is looked at: no traversal is longer."""


def traversal(text: str | None) -> Traversal | None:
    """Read an expression that is a bare traversal, or a template of nothing else; None for others.

    Its keys are constants, ``each.key`` or ``count.index``.
    """
    if text is None or len(text) > _LONGEST:
        return None
    text = text.strip()
    if text.startswith('"${') and text.endswith('}"'):
        text = text[3:-2].strip("~").strip()
    found = _WHOLE.fullmatch(text)
    if found is None:
        return None
    return Traversal(found.group(1), tuple(map(_step, _STEPS.finditer(found.group(2)))))


def _step(found: re.Match[str]) -> Step:
    name, text, number, each, count = found.groups()
    if name is not None:
        return Step("attribute", name)
    if text is not None:
        return Step("key", re.sub(r'\\(["\\])', r"\1", text))
    if number is not None:
        return Step("key", int(number))
    return Step("each") if each else Step("count" if count else "")


def agrees(pointing: Traversal, references: Any) -> bool:
    """Whether the ``references`` of an expression in plan JSON can be those of a traversal.

    Sources that say something else than the plan are not the plan's.
    """
    if type(references) is not list or not references:
        return False
    plain = [pointing.root, *(str(one.name) for one in pointing.steps if one.kind == "attribute")]
    keys = {_KEPT[one.kind] for one in pointing.steps if one.kind in _KEPT}
    constants = {str(one.name) for one in pointing.steps if one.kind == "key"}
    return all(
        type(reference) is str and (reference in keys or _agrees(reference, plain, constants))
        for reference in references
    )


_KEPT: Final = {"each": "each.key", "count": "count.index"}
_IN_REFERENCE: Final = re.compile(r'\["((?:[^"\\]|\\.)*)"\]|\[([^\[\]"]*)\]')


def _agrees(reference: str, plain: list[str], constants: set[str]) -> bool:
    """Whether one reference is the traversal, or the beginning of it."""
    keys = {text or number for text, number in _IN_REFERENCE.findall(reference)}
    names = _IN_REFERENCE.sub("", reference).split(".")
    return names == plain[: len(names)] and keys <= constants
