"""``tfgate rules docs``: pages of any ruleset, written or compared with what is there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tfgate.app.rule_page import NOTE
from tfgate.app.rule_pages import pages_of
from tfgate.errors import TfgateError
from tfgate.opening import read_file
from tfgate.terraform.gitdir import GitDir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tfgate.model.rule import Rule
    from tfgate.ruleset import Ruleset


@dataclass(frozen=True)
class Drift:
    """How a folder differs from what the rulesets make."""

    stale: tuple[str, ...]
    """Pages that are missing or differ, as paths below the folder."""
    left_over: tuple[str, ...]
    """Generated pages of rules that are no more."""

    def __bool__(self) -> bool:
        """Whether there is any difference."""
        return bool(self.stale or self.left_over)


def write_docs(rulesets: Sequence[Ruleset], folder: Path, *, check: bool = False) -> Drift:
    """Write the pages below ``folder``, and remove generated ones of rules that are no more.

    With ``check`` nothing is written. Pages that somebody else wrote are left alone. Raises
    ``TfgateError`` where a page cannot be written.
    """
    pages = dict(pages_of(rulesets, "Rules", _file_in_checkout))
    stale = tuple(name for name, text in pages.items() if _text(folder / name) != text)
    left_over = tuple(_left_over(folder, pages))
    if not check:
        try:
            _write(folder, {name: pages[name] for name in stale}, left_over)
        except OSError as error:
            raise TfgateError(
                f"The pages cannot be written to {folder}: {error.strerror}.",
                hint="Name another folder with --out.",
            ) from None
    return Drift(stale, left_over)


def _write(folder: Path, pages: dict[str, str], left_over: Sequence[str]) -> None:
    for name, text in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
    for name in left_over:
        (folder / name).unlink()


def _left_over(folder: Path, pages: dict[str, str]) -> list[str]:
    if not folder.is_dir():
        return []
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*.md"))
    return sorted(
        name
        for name in found
        if name not in pages and (_text(folder / name) or "").startswith(NOTE)
    )


def _text(path: Path) -> str | None:
    try:
        return read_file(path).decode("utf-8")
    except (OSError, UnicodeDecodeError):
        return None


def _file_in_checkout(ruleset: Ruleset, rule: Rule) -> str | None:
    """Give the rule's file as seen from the top of its checkout, where it is in one."""
    if ruleset.source.startswith(("tfgate:", "git::")):
        return None
    path = ruleset.path.absolute()
    file = (
        path / "rules" / Path(rule.file).name if path.is_dir() and "rules/" in rule.file else path
    )
    checkout = GitDir.find(path.parent)
    if checkout is None or not file.is_relative_to(checkout.top):
        return None
    return file.relative_to(checkout.top).as_posix()
