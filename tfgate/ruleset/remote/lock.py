"""``tfgate.lock``: which commit each ruleset in git is, and what its files are."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from tfgate.errors import ConfigError, Problem, RulesetError
from tfgate.git import OBJECT_ID
from tfgate.model import Frozen
from tfgate.opening import replace_file
from tfgate.ruleset.files import Unreadable, read_toml
from tfgate.ruleset.problems import Problems, show_name
from tfgate.ruleset.strict import Integer, Key, ListOf, Table, Text

LOCK_NAME: Final = "tfgate.lock"
_HEAD: Final = (
    "# Which commit each ruleset in git is, and the digest of its files. Keep it under version\n"
    "# control; tfgate writes it, and moves it when told to: tfgate rules update\n"
    "version = 1\n"
)

_ENTRY: Final = Table(
    "a locked ruleset",
    {
        "source": Key(Text(most=1_000, one_line=True), "As configured.", required=True, default=""),
        "commit": Key(
            Text("a full commit id", OBJECT_ID.pattern),
            "The commit it is.",
            required=True,
            default="",
        ),
        "digest": Key(
            Text("sha256: and 64 hexadecimal digits", r"sha256:[0-9a-f]{64}"),
            "Of every file below its path.",
            required=True,
            default="",
        ),
    },
)
LOCK: Final = Table(
    LOCK_NAME,
    {
        "version": Key(Integer(1, 1), "Version of the format.", required=True, default=1),
        "rulesets": Key(ListOf(_ENTRY, unique=False), "The rulesets.", default=()),
    },
)


class Pin(Frozen, frozen=True):
    """What a ruleset is pinned to."""

    commit: str
    digest: str


def read_lock(path: Path) -> dict[str, Pin]:
    """Return the pins by source; none where there is no file. Raises ``ConfigError``.

    A lock that cannot be read is no lock that says nothing: it is a mistake to be fixed.
    """
    if not os.path.lexists(path):
        return {}
    try:
        file = read_toml(path, path.name)
    except Unreadable as error:
        raise ConfigError([error.problem, _mend(path)]) from None
    problems = file.problems()
    read = LOCK.read(file.table, (), problems)
    pins: dict[str, Pin] = {}
    for number, entry in enumerate(read["rulesets"] or ()):
        _check_repeated(entry["source"], pins, number, problems)
        pins[entry["source"]] = Pin(entry["commit"], entry["digest"])
    if problems:
        raise ConfigError([*problems.done(), _mend(path)])
    return pins


def _mend(path: Path) -> Problem:
    return Problem(
        path.name,
        "is written by tfgate alone: take it back to what it was, or delete"
        " the entry and run tfgate rules update",
    )


def _check_repeated(source: str, pins: Mapping[str, Pin], number: int, problems: Problems) -> None:
    if source and source in pins:
        problems.add(f"{show_name(source)} is locked twice", ("rulesets", number, "source"))


def write_lock(path: Path, pins: Mapping[str, Pin]) -> None:
    """Write the lock whole or not at all. Raises ``ConfigError``."""
    try:
        replace_file(path, lock_text(pins).encode())
    except OSError as error:
        message = f"cannot be written: {(error.strerror or 'unknown reason').lower()}"
        raise ConfigError([Problem(path.name, message)]) from None


def lock_text(pins: Mapping[str, Pin]) -> str:
    """Return the file's text: sorted by source, so that it differs only where a pin does."""
    entries = (
        f"\n[[rulesets]]\nsource = {json.dumps(source, ensure_ascii=False)}\n"
        f'commit = "{pin.commit}"\ndigest = "{pin.digest}"\n'
        for source, pin in sorted(pins.items())
    )
    return _HEAD + "".join(entries)


PREFIX: Final = "git::"
PROTOCOLS: Final = ("https", "ssh", "file")
"""What git may speak. Plain http and git:// prove neither who answers nor what was sent."""
_REF: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,199}")
_SCP: Final = re.compile(r"(?P<host>(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9.-]+):(?P<path>(?!//|:)[^\s:]+)")
_STEP: Final = re.compile(r"[A-Za-z0-9_+@ -][A-Za-z0-9._+@ -]{0,199}")
_EXAMPLE: Final = "git::https://git.example/policy.git//sets/net?ref=v1.2.0"


class GitSource(Frozen, frozen=True):
    """A ruleset in a repository."""

    text: str
    """As configured: what ``tfgate.lock`` knows it by."""
    url: str
    """What git fetches from."""
    path: str
    """Folder or TOML file in the repository, with ``/``; empty for its top."""
    ref: str
    """Tag, branch or full commit id."""

    @property
    def is_commit(self) -> bool:
        """Whether the ref is a commit id, which never moves."""
        return OBJECT_ID.fullmatch(self.ref) is not None


def parse_git_source(text: str) -> GitSource:
    """Take a source apart. Raises ``RulesetError`` with what is wrong and how it is written."""
    location, _, query = text.removeprefix(PREFIX).partition("?")
    url, path = _split(location)
    if not url or not text.isprintable() or text.startswith(f"{PREFIX}-"):
        raise _wrong(text, f"names no repository (write it as {_EXAMPLE})")
    return GitSource(text, _checked_url(url, text), _checked_path(path, text), _ref(query, text))


def _split(location: str) -> tuple[str, str]:
    """Part the repository from the path in it: at the ``//`` that is not the URL's own."""
    scheme, found, rest = location.partition("://")
    if not found:
        url, _, path = location.partition("//")
        return url, path
    inside, _, path = rest.partition("//")
    return f"{scheme}://{inside}", path


def _checked_url(url: str, text: str) -> str:
    if "://" not in url:
        return _short_url(url, text)
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        raise _wrong(text, "has a malformed URL") from None
    if parts.scheme not in PROTOCOLS:
        speaks = ", ".join(PROTOCOLS)
        raise _wrong(text, f"is fetched over {show_name(parts.scheme)}, and only {speaks} are used")
    if password is not None:
        # It would stand in tfgate.lock, in records and in messages.
        shown = f"{PREFIX}{parts.scheme}://…@{parts.hostname}"
        message = "holds a password; leave it out, and let git's credential helper give it"
        raise RulesetError([Problem(shown, message)])
    if parts.scheme != "file" and (not parts.hostname or parts.hostname.startswith("-")):
        raise _wrong(text, "names no host")
    return url


def _short_url(url: str, text: str) -> str:
    """Take ``git@host:path`` as ssh, and an absolute path as a file URL."""
    if os.path.isabs(url):
        return f"file://{url}"
    short = _SCP.fullmatch(url)
    if short is None or short["host"].startswith("-"):
        raise _wrong(text, f"names no repository (write it as {_EXAMPLE})")
    return url


def _checked_path(path: str, text: str) -> str:
    steps = [step for step in path.split("/") if step]
    for step in steps:
        if not _STEP.fullmatch(step) or step.startswith("-"):
            raise _wrong(text, f"has the path {show_name(path)}, which is none in a repository")
    return "/".join(steps)


def _ref(query: str, text: str) -> str:
    given = parse_qsl(query, keep_blank_values=True)
    unknown = [name for name, _ in given if name != "ref"]
    if unknown:
        raise _wrong(text, f"has {show_name(unknown[0])} behind the ?, where only ref= may stand")
    refs = [value for _, value in given]
    if len(refs) != 1 or not refs[0]:
        raise _wrong(text, "must say which version it is: ?ref=<tag or commit>")
    ref = refs[0]
    wrong = ".." in ref or "//" in ref or ref.endswith(("/", ".", ".lock"))
    if wrong or not _REF.fullmatch(ref):
        raise _wrong(text, f"has the ref {show_name(ref)}, which is no name of a tag or commit")
    return ref


def _wrong(text: str, message: str) -> RulesetError:
    shown = text if text.isprintable() and len(text) <= 300 else show_name(text)
    return RulesetError([Problem(shown, message)])
