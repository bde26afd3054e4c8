"""Whether two names mean one person, as far as names can tell.

Names come from many places: principals of an allowed-signers file, logins of a CI system, addresses
of commits. Where two could be the same person they are taken to be: the rules that ask this refuse
somebody's approval of their own work, and refusing is the side to err on.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

from tfgate.model.printable import is_printable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


_REPLACED: Final = "\ufffd"
"""Stands in names that were cleaned where a character was that shows nothing."""
_DOTS: Final = str.maketrans({"\u3002": ".", _REPLACED: None})
"""The ideographic full stop is a dot in the names of domains (UTS 46)."""


def spelling(name: str) -> str:
    """Give a name as it is compared: two that a reader cannot tell apart are written alike.

    That is in Unicode's compatibility form (NFKC), without case, without characters that show
    nothing, with single spaces, and without dots at its end. Letters of other alphabets that look
    alike stay different.
    """
    if name.isascii() and name.isprintable():
        return " ".join(name.casefold().split()).rstrip(". ")
    name = "".join(char for char in name if char.isspace() or is_printable(char))
    # Case folding may undo the form, and the form the folding.
    for _ in range(2):
        name = unicodedata.normalize("NFKC", name).casefold()
    name = "".join(char for char in name.translate(_DOTS) if char.isspace() or is_printable(char))
    return " ".join(unicodedata.normalize("NFKC", name).split()).rstrip(". ")


def same_person(one: str, other: str) -> bool:
    """Say whether two names may be one person's.

    They are compared in their `spelling`; ``alice+tf@acme.example`` is ``alice@acme.example``; a
    login (``alice``) may be the owner of any address that begins with it. Addresses in different
    domains are different people. Addresses that GitHub and GitLab make up
    (``12345+alice@users.noreply…``) are logins.
    """
    login, domain = _parts(one)
    other_login, other_domain = _parts(other)
    if login != other_login or not login:
        return False
    return domain == other_domain or not (domain and other_domain)


def any_same(names: Iterable[str], others: Collection[str]) -> str | None:
    """Give the first of ``others`` that may be the person behind one of ``names``."""
    for name in names:
        for other in others:
            if same_person(name, other):
                return other
    return None


def count_people(people: Sequence[Collection[str]]) -> int:
    """Count the people behind several sets of names; sets that share one are one person's."""
    groups: list[list[str]] = []
    for names in people:
        touching = [group for group in groups if any_same(names, group) is not None]
        merged = [*names, *(name for group in touching for name in group)]
        groups = [group for group in groups if group not in touching] + [merged]
    return len(groups)


def _parts(name: str) -> tuple[str, str]:
    """Split a name into login and domain, both in the spelling to compare; a login has none."""
    login, at, domain = spelling(name).rpartition("@")
    if not at:
        return domain, ""
    if domain == "users.noreply.github.com":
        login, domain = login.rpartition("+")[2], ""
    elif domain == "users.noreply.gitlab.com":
        login, domain = login.partition("-")[2] or login, ""
    else:
        login, domain = login.partition("+")[0], domain.strip(" ")
    return login.rstrip(". "), domain
