"""Pages, help texts and docstrings use the words of docs/terms.md, each for its own meaning."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.support.click_tree import nodes
from tfgate.cli.main import cli

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
TERMS = ROOT / "docs" / "terms.md"

PATTERNS: Final = {
    "judge": r"judg(?:e|es|ed|ing|e?ments?)",
    "tell": r"(?:tells?|told|telling)",
    "note down": r"(?:note[sd]?|noting) down",
    "mend": r"mend(?:s|ed|ing)?",
    "cure": r"cur(?:e|es|ed|ing)",
    "let pass": r"let(?:s|ting)? pass",
    "object": r"object(?:s|ed|ing)? to",
    "forgive": r"forg(?:ive|ives|iven|iving|ave)",
    "carry out": r"carr(?:y|ies|ied|ying) out",
    "ship": r"ship(?:s|ping)?",
    "hide": r"hid(?:e|es|den|ing)",
    "clean": r"clean(?:s|ed|ing)",
    "cannot go on": r"(?:cannot|could not) go on",
}
"""How each word of the column "not" is written in a sentence."""

HOMONYMS: Final = (
    # Telling apart is comparing, not reporting.
    r"tells?(?: \S+){0,4}? (?:apart|from)",
    r"told apart",
    # Software is shipped with its parts; records are delivered.
    r"ships? (?:with|many|rules)",
    r"hard to ship",
    # What a Terraform file, a page or a shell conceals; a value of a plan is redacted.
    r"hides? (?:its neighbour|no finding)",
)
"""The same letters with another meaning: these phrases are allowed."""

UNDONE: Final[frozenset[str]] = frozenset(
    {
        "docs/approvals.md",
        "docs/reference/audit-record.md",
        "docs/rules",
        "tfgate/server",
    }
)
"""Rooms and pages whose words are still to be rewritten."""

CODE = re.compile(r"^[ ]*```.*?^[ ]*```|^[ ]*~~~.*?^[ ]*~~~", re.MULTILINE | re.DOTALL)
NO_WORDS = re.compile(r"``.*?``|`[^`]*`|\]\([^)]*\)|<!--.*?-->|https?://\S+", re.DOTALL)
WRONG = re.compile(rf"\b(?:{'|'.join(PATTERNS.values())})\b", re.IGNORECASE)
ALLOWED = re.compile(rf"\b(?:{'|'.join(HOMONYMS)})\b", re.IGNORECASE)


def pages() -> Iterator[tuple[str, str]]:
    """Yield the room (a file, or a folder of generated pages) and the text of each page."""
    top = ("README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md")
    for path in [*(ROOT / name for name in top), *sorted((ROOT / "docs").rglob("*.md"))]:
        name = path.relative_to(ROOT).as_posix()
        if path != TERMS:
            room = "docs/rules" if name.startswith("docs/rules/") else name
            yield room, f"{name}: {CODE.sub('', path.read_text(encoding='utf-8'))}"


def docstrings() -> Iterator[tuple[str, str]]:
    """Yield the room and each docstring of the package, those below attributes included."""
    for path in sorted((ROOT / "tfgate").rglob("*.py")):
        name = path.relative_to(ROOT)
        room = "/".join(name.parts[:2]) if len(name.parts) > 2 else "tfgate"
        for node in ast.walk(ast.parse(path.read_bytes())):
            match node:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    yield room, f"{name.as_posix()}:{node.lineno}: {inspect.cleandoc(text)}"


def helps() -> Iterator[tuple[str, str]]:
    """Yield the room of the help, and the help of each command and each of its options."""
    for path, command in nodes(cli):
        yield "help", f"tfgate {path}: {command.help}"
        for parameter in command.params:
            yield "help", f"tfgate {path} {parameter.name}: {getattr(parameter, 'help', '')}"


def wrong_words(text: str) -> list[str]:
    """Return each word that stands for another one, with what is around it."""
    plain = ALLOWED.sub("", NO_WORDS.sub("", " ".join(text.split())))
    return [plain[max(0, found.start() - 40) : found.end() + 30] for found in WRONG.finditer(plain)]


DOCSTRINGS: Final = [*docstrings()]
TEXTS: Final = [*pages(), *DOCSTRINGS, *helps()]
ROOMS: Final = sorted({room for room, _ in TEXTS})


def test_each_word_of_the_terms_is_looked_for() -> None:
    """The column "not" of the table of verbs, and nothing else."""
    verbs = TERMS.read_text(encoding="utf-8").partition("## Verbs")[2].partition("##")[0]
    column = [row.split("|")[3] for row in verbs.splitlines() if row.startswith("| ")][2:]
    assert {word.strip() for cell in column for word in cell.split(",")} == set(PATTERNS)


@pytest.mark.parametrize("room", sorted(set(ROOMS) - UNDONE))
def test_no_word_stands_for_another(room: str) -> None:
    """A page, a room's docstrings or the help uses the one word for the one thing."""
    wrong = {text.partition(": ")[0]: wrong_words(text) for at, text in TEXTS if at == room}
    assert {place: words for place, words in wrong.items() if words} == {}


@pytest.mark.parametrize("room", sorted({room for room, _ in DOCSTRINGS} - UNDONE))
def test_no_docstring_begins_with_give(room: str) -> None:
    """It begins with what the function does or returns."""
    begins = [
        text
        for at, text in DOCSTRINGS
        if at == room and re.match(r"Gives?\b", text.partition(": ")[2])
    ]
    assert begins == []


def test_what_is_undone_exists() -> None:
    """No name stays in the list whose room has gone."""
    assert set(ROOMS) >= UNDONE


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("The gate judges a plan.", True),
        ("It tells the user where.", True),
        ("It tells a denial from a crash.", False),
        ("Mend\nthe configuration.", True),
        ("The command `tell` and [a page](judged.md).", False),
        ("It evaluates and reports.", False),
    ],
)
def test_words_are_found_where_they_are_words(text: str, *, wrong: bool) -> None:
    """In sentences, over line ends too, and neither in code nor in addresses."""
    assert bool(wrong_words(text)) is wrong
