"""``git::https://git.example/policy.git//sets/net?ref=v3.1.0``, taken apart."""

from __future__ import annotations

import os
import re
from typing import Final
from urllib.parse import parse_qsl, urlsplit

from tfgate.errors import Problem, RulesetError
from tfgate.ruleset.frozen import Frozen
from tfgate.ruleset.problems import show_name

PREFIX: Final = "git::"
PROTOCOLS: Final = ("https", "ssh", "file")
"""What git may speak. Plain http and git:// prove neither who answers nor what was sent."""
COMMIT: Final = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
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
        return COMMIT.fullmatch(self.ref) is not None


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
