"""Command blocks of the documentation: found, and run as a reader would run them.

A block is ``sh`` (a script) or ``console`` (commands behind ``$``, and what they print). A comment
before it says what a reader would know and a test does not::

    <!-- docs: fixture=demo exit=1 typed=yes each -->
    <!-- docs: skip="needs a GitLab server" -->

``fixture`` is the folder it runs in (blocks of a page with the same one share it), ``exit`` the
code of the block, ``typed`` what a person types, ``each`` gives every command a folder of its own,
``needs`` is a program that not every machine has, ``file`` the name under which a reader writes the
block down.
In a block, ``# exit code 1`` behind a command says that command's. In what is printed, ``…`` stands
for any text and a line ``...`` for any lines.
"""

from __future__ import annotations

import os
import pty
import re
import shlex
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROOT = Path(__file__).parents[2]
LANGUAGES = {"sh", "console"}
_FENCE = re.compile(r"^(?P<fence>`{3,})(?P<language>[\w-]*)[^\n`]*$")
_MARK = re.compile(r"<!-- docs: (.*?) -->")
_EXIT = re.compile(r"^(?P<command>.*?)\s+#.*?\bexit code (?P<code>\d+)", re.DOTALL)
_WAIT = 60


@dataclass(frozen=True)
class Block:
    """One block of a page."""

    page: str
    line: int
    language: str
    text: str
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Page and line."""
        return f"{self.page}:{self.line}"


def pages() -> list[Path]:
    """Return every page with commands in it that people follow."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(path: Path) -> Iterator[Block]:
    """Yield every fenced block of a page."""
    page = path.relative_to(ROOT).as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    number, mark = 0, ""
    while number < len(lines):
        line = lines[number]
        fence = _FENCE.match(line)
        number += 1
        if fence is None:
            if line.strip():
                found = _MARK.fullmatch(line.strip())
                mark = found[1] if found else ""
            continue
        end = next(n for n in range(number, len(lines)) if lines[n] == fence["fence"])
        text = "\n".join(lines[number:end]) + "\n"
        yield Block(page, number, fence["language"], text, _options(mark))
        number, mark = end + 1, ""


def _options(text: str) -> dict[str, str]:
    pairs = (word.partition("=") for word in shlex.split(text))
    return {name: value if equals else "true" for name, equals, value in pairs}


@dataclass(frozen=True)
class Command:
    """One command, the exit code that it is said to have, and what it is said to print."""

    text: str
    code: int | None
    printed: str = ""


def commands(block: Block) -> list[Command]:
    """Return the commands of a block in order."""
    if block.language == "sh":
        return [_command(text) for text in _joined(block.text.splitlines())]
    found: list[tuple[list[str], list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append(([line[2:]], []))
        elif line.startswith("> ") and found and not found[-1][1]:
            found[-1][0].append(line[2:])
        else:
            found[-1][1].append(line)
    return [_command("\n".join(command), "\n".join(out)) for command, out in found]


def _joined(lines: list[str]) -> Iterator[str]:
    """Put together what belongs to one command: continued lines, here documents, loops."""
    kept: list[str] = []
    for line in lines:
        kept.append(line)
        text = "\n".join(kept)
        if line.endswith("\\") or not _is_whole(text):
            continue
        if text.strip() and not text.lstrip().startswith("#"):
            yield text
        kept = []
    assert not kept, f"unfinished: {kept}"


def _is_whole(text: str) -> bool:
    done = subprocess.run(["bash", "-n"], input=text.encode(), capture_output=True, check=False)
    return done.returncode == 0 and b"here-document" not in done.stderr


def _command(text: str, printed: str = "") -> Command:
    found = _EXIT.match(text)
    return Command(text, int(found["code"]) if found else None, printed.strip("\n"))


def run(block: Block, folder: Path, env: Mapping[str, str], *, one: Command | None = None) -> str:
    """Run a block, or one command of it; gives what went wrong, or an empty text."""
    script, chosen = [], [one] if one is not None else commands(block)
    for number, command in enumerate(chosen):
        script.append(f"{command.text}\n__code=$?; printf '\\n\\036%s %s\\n' {number} $__code")
    output = _bash("\n".join([*script, ""]), folder, env, block.options.get("typed"))
    pieces = re.split(r"\n\x1e(\d+) (\d+)\n", output)
    last = len(chosen) - 1
    for number, command in enumerate(chosen):
        if len(pieces) <= number * 3 + 2:
            return f"{command.text}\nnever ended:\n{output}"
        printed, code = pieces[number * 3], int(pieces[number * 3 + 2])
        wanted = command.code
        if wanted is None:
            wanted = int(block.options.get("exit", "0")) if number == last else 0
        if code != wanted:
            return f"{command.text}\nended with {code}, not {wanted}:\n{printed[:2000]}"
        if command.printed and not fits(command.printed, printed):
            return f"{command.text}\nprinted\n{printed}\nand not\n{command.printed}"
    return ""


def fits(pattern: str, text: str) -> bool:
    """Tell whether a text is what a page says, in which ``…`` and ``...`` stand for anything."""
    lines = [
        r"(?:[^\n]*\n)*" if line == "..." else re.escape(line).replace("…", r"[^\n]*") + "\n"
        for line in map(str.rstrip, pattern.splitlines())
    ]
    shown = "".join(f"{line.rstrip()}\n" for line in text.strip("\n").splitlines())
    return re.fullmatch("".join(lines), shown) is not None


def _bash(script: str, folder: Path, env: Mapping[str, str], typed: str | None) -> str:
    if typed is not None:
        return _on_terminal(script, folder, env, typed)
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=_WAIT,
        check=False,
    )
    return done.stdout.decode("utf-8", "replace")


def _on_terminal(script: str, folder: Path, env: Mapping[str, str], typed: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env={**env, "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    os.write(ours, f"{typed}\n".encode())
    stop = threading.Timer(_WAIT, process.kill)
    stop.start()
    pieces = []
    try:
        while piece := os.read(ours, 65536):
            pieces.append(piece)
    except OSError:  # the other end is closed
        pass
    finally:
        stop.cancel()
        os.close(ours)
        process.wait()
    return b"".join(pieces).decode("utf-8", "replace").replace("\r\n", "\n")
