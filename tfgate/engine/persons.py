"""Whether two names mean one person, as far as names can tell.

Names come from many places: principals of an allowed-signers file, logins of a CI system, addresses
of commits. Where two could be the same person they are taken to be: the rules that ask this refuse
somebody's approval of their own work, and refusing is the side to err on.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence


def same_person(one: str, other: str) -> bool:
    """Say whether two names may be one person's.

    Upper and lower case are the same; ``alice+tf@acme.example`` is ``alice@acme.example``; a login
    (``alice``) may be the owner of any address that begins with it. Addresses in different domains
    are different people. Addresses that GitHub and GitLab make up (``12345+alice@users.noreply…``)
    are logins.
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
    name = unicodedata.normalize("NFKC", name).strip().casefold()
    login, at, domain = name.rpartition("@")
    if not at:
        return name, ""
    if domain == "users.noreply.github.com":
        return login.rpartition("+")[2], ""
    if domain == "users.noreply.gitlab.com":
        return login.partition("-")[2] or login, ""
    return login.partition("+")[0], domain
