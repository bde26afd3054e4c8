"""Read the few facts that git keeps in plain files, without starting git.

A git process costs about 4 ms, these reads a tenth of that, and no file of a repository can make
them run anything. What plain files do not hold (a repository with reftable, an ``include``) is
not known here, and the caller goes without it.
"""

from __future__ import annotations

import contextlib
import errno
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from tfgate.git import OBJECT_ID
from tfgate.model.text import late
from tfgate.opening import NotAFileError, open_file

LARGEST = 1 << 20
"""Bytes. The files read through here hold a name or a page of settings."""


class UnreadableError(Exception):
    """A file is there and must not, or cannot, be read; the text says why."""


def read_small(path: Path, *, follow: bool = False) -> bytes | None:
    """Return the bytes of a regular file, or ``None`` where there is none.

    Raises ``UnreadableError`` for a symbolic link (unless ``follow``), a directory, a device or
    pipe (never waited for), a file above ``LARGEST``, or one that permissions close.
    """
    try:
        with open_file(path, follow=follow) as file:
            data = file.read(LARGEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (IsADirectoryError, NotAFileError):
        raise UnreadableError("it is not a regular file") from None
    except OSError as error:
        # Of a link the text says itself what it is.
        reason = f"it cannot be opened ({error.strerror or 'bad path'})"
        raise UnreadableError(error.strerror if error.errno == errno.ELOOP else reason) from None
    if len(data) > LARGEST:
        raise UnreadableError(f"it is larger than {LARGEST} bytes")
    return data


_SECTION = late(r'\s*\[\s*([A-Za-z0-9.-]+)\s*(?:"((?:[^"\\]|\\.)*)")?\s*\]\s*(.*)')
_DEEPEST = 64


class GitDir:
    """The git directory of a checkout: ``path`` its own, ``common`` the one its worktrees share."""

    def __init__(self, top: Path, path: Path) -> None:
        self.top = top
        self.path = path
        shared = _text(path / "commondir").strip()
        self.common = path / shared if shared else path

    @classmethod
    def find(cls, cwd: Path) -> GitDir | None:
        """Look for ``.git`` in ``cwd`` and above it; a file there (worktree) is followed once."""
        try:
            for top in [cwd, *cwd.parents][:_DEEPEST]:
                candidate = top / ".git"
                if candidate.is_dir():
                    return cls(top, candidate)
                pointer = _text(candidate)
                if pointer.startswith("gitdir:"):
                    return cls(top, top / pointer.removeprefix("gitdir:").strip())
        except (OSError, UnreadableError):
            pass
        return None

    def head(self) -> str | None:
        """Return the commit that is checked out, or ``None`` where plain files do not say."""
        try:
            return self._head()
        except UnreadableError:
            return None

    def _head(self) -> str | None:
        head = _text(self.path / "HEAD").strip()
        if not head.startswith("ref:"):
            return head if OBJECT_ID.fullmatch(head) else None
        return self.commit_of(head.removeprefix("ref:").strip())

    def commit_of(self, ref: str) -> str | None:
        """Return the commit of a reference (``refs/heads/main``), ``None`` if no plain file has it.

        Raises ``UnreadableError``.
        """
        if not ref.startswith("refs/") or ".." in ref:
            return None
        loose = _text(self.common / ref).strip()
        return loose if OBJECT_ID.fullmatch(loose) else self._packed(ref)

    def _packed(self, ref: str) -> str | None:
        for line in _text(self.common / "packed-refs").splitlines():
            commit, _, name = line.partition(" ")
            if name == ref and OBJECT_ID.fullmatch(commit):
                return commit
        return None

    def config(self) -> str | None:
        """Return the text of the repository's own configuration, a worktree's included.

        ``None`` where a part of it is there and cannot be read.
        """
        try:
            return _text(self.common / "config") + "\n" + _text(self.path / "config.worktree")
        except UnreadableError:
            return None

    def remote(self) -> str | None:
        """Return the URL of ``origin`` as configured: it may hold credentials."""
        return config_value(self.config() or "", "remote", "origin", "url")


def user_email(cwd: Path, env: Mapping[str, str]) -> str | None:
    """Return git's ``user.email`` as set in the repository, else in the user's own files.

    ``include`` and ``includeIf`` are not followed.
    """
    repository = GitDir.find(cwd)
    texts = [repository.config() or ""] if repository else []
    for text in [*texts, *_global_configs(env)]:
        if email := config_value(text, "user", None, "email"):
            return email
    return None


def config_value(text: str, section: str, subsection: str | None, key: str) -> str | None:
    """Return the last value of ``[section "subsection"] key`` in git's configuration syntax."""
    found = None
    for its_section, its_subsection, its_key, value in _settings(text):
        if (its_section, its_subsection, its_key) == (section, subsection, key):
            found = value
    return found


def _global_configs(env: Mapping[str, str]) -> Iterator[str]:
    home = env.get("HOME") or env.get("USERPROFILE") or ""
    chosen = env.get("GIT_CONFIG_GLOBAL")
    if chosen is not None:
        paths = [chosen] if chosen else []
    else:
        xdg = env.get("XDG_CONFIG_HOME") or (f"{home}/.config" if home else "")
        paths = [f"{home}/.gitconfig"] if home else []
        paths += [f"{xdg}/git/config"] if xdg else []
    for path in paths:
        with contextlib.suppress(UnreadableError):
            yield _text(Path(path), follow=True)


def _settings(text: str) -> Iterator[tuple[str, str | None, str, str]]:
    section, subsection = "", None
    for line in text.splitlines():
        heading = _SECTION.match(line)
        rest = line
        if heading:
            section = heading[1].lower()
            subsection = re.sub(r"\\(.)", r"\1", heading[2]) if heading[2] is not None else None
            rest = heading[3]
        key, equals, value = rest.partition("=")
        if equals and not key.lstrip().startswith(("#", ";")):
            yield section, subsection, key.strip().lower(), _unquoted(value)


def _unquoted(value: str) -> str:
    """Undo git's quoting of one value, and drop a comment behind it."""
    kept: list[str] = []
    quoted = False
    characters = iter(value.strip())
    for character in characters:
        if character == "\\":
            kept.append(next(characters, ""))
        elif character == '"':
            quoted = not quoted
        elif character in "#;" and not quoted:
            break
        else:
            kept.append(character)
    return "".join(kept).strip()


def _text(path: Path, *, follow: bool = False) -> str:
    """Return a file as text, ``""`` where it is missing. Raises ``UnreadableError``."""
    return (read_small(path, follow=follow) or b"").decode("utf-8", "replace")
