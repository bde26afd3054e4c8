"""Reviews on GitHub and GitHub Enterprise (docs.github.com/rest/pulls, version 2022-11-28)."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from tfgate.approvals.codeowners import parse
from tfgate.approvals.reviews import Api, Change, Given, the_one
from tfgate.errors import TfgateError
from tfgate.model.text import any_glob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.approvals.reviews import Asked

_LOGIN: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98})", re.ASCII)
_PULL_REF: Final = re.compile(r"refs/pull/(\d{1,10})/(?:merge|head)", re.ASCII)
_DECIDES: Final = ("APPROVED", "CHANGES_REQUESTED", "DISMISSED")
"""A comment, and a review that is not sent yet, change nothing of what was said before."""
_PLACES: Final = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
_MOST_COMMITS: Final = 250
"""The API lists no more of them."""
_MOST_FILES: Final = 3_000


class _User(msgspec.Struct):
    login: str
    id: int
    type: str = "User"


class _Repository(msgspec.Struct):
    full_name: str
    default_branch: str


class _Base(msgspec.Struct):
    ref: str
    sha: str
    repo: _Repository


class _Head(msgspec.Struct):
    sha: str


class _Pull(msgspec.Struct):
    number: int
    html_url: str
    user: _User | None
    head: _Head
    base: _Base
    merged: bool
    merge_commit_sha: str | None
    commits: int
    changed_files: int


class _Listed(msgspec.Struct):
    number: int


class _Review(msgspec.Struct):
    id: int
    user: _User | None
    state: str
    html_url: str
    commit_id: str | None = None
    submitted_at: str | None = None


class _Person(msgspec.Struct):
    name: str = ""
    email: str = ""


class _Details(msgspec.Struct):
    author: _Person | None
    committer: _Person | None


class _Commit(msgspec.Struct):
    sha: str
    commit: _Details
    author: _User | None = None
    committer: _User | None = None
    parents: list[_Head] = []


class _File(msgspec.Struct):
    filename: str
    previous_filename: str | None = None


class _Membership(msgspec.Struct):
    state: str


def api_of(url: str) -> str:
    """Return where the API of a GitHub is."""
    host = url.removeprefix("https://")
    if host == "github.com" or host.endswith(".ghe.com"):
        return f"https://api.{host}"
    return f"{url}/api/v3"


def read(asked: Asked) -> Change:
    """Read the pull request of the commit that was planned. Raises ``TfgateError``."""
    headers = {
        "Authorization": f"Bearer {asked.token}",
        "X-GitHub-Api-Version": "2022-11-28",
    }
    api = Api(api_of(asked.table.url), asked, headers)
    at = f"/repos/{asked.repository}"
    pull = api.get(f"{at}/pulls/{_number(api, at, asked)}", _Pull)
    _check(api, at, asked, pull)
    commits = [*api.pages(f"{at}/pulls/{pull.number}/commits", _Commit)]
    if len(commits) != pull.commits or pull.commits > _MOST_COMMITS:
        raise TfgateError(
            f"{pull.html_url} has {pull.commits} commits, and who wrote them cannot all be read."
        )
    accounts = [pull.user, *(user for one in commits for user in (one.author, one.committer))]
    people = [who for one in commits for who in (one.commit.author, one.commit.committer) if who]

    @cache
    def is_member(login: str, team: str) -> bool:
        org, _, slug = team.partition("/")
        path = f"/orgs/{quote(org, safe='')}/teams/{quote(slug, safe='')}/memberships/{login}"
        found = api.find(path, _Membership)
        return found is not None and found.state == "active"

    def owners(standing: Sequence[Given]) -> frozenset[int]:
        return _owners(api, at, pull, standing, is_member)

    return Change(
        number=pull.number,
        url=pull.html_url,
        head=pull.head.sha,
        writers=frozenset(user.id for user in accounts if user is not None),
        names=tuple(
            dict.fromkeys(
                name
                for name in (
                    *(user.login for user in accounts if user is not None),
                    *(text for who in people for text in (who.email, who.name)),
                )
                if name
            )
        ),
        given=tuple(_given(api.pages(f"{at}/pulls/{pull.number}/reviews", _Review), pull.head.sha)),
        is_in=lambda one, team: is_member(one.login, team),
        owners=owners,
    )


def _number(api: Api, at: str, asked: Asked) -> int:
    if asked.change is not None:
        return asked.change
    if found := _PULL_REF.fullmatch(asked.env.get("GITHUB_REF", "")):
        return int(found[1])
    listed = api.pages(f"{at}/commits/{asked.commit}/pulls", _Listed)
    return the_one([one.number for one in listed], asked.commit)


def _check(api: Api, at: str, asked: Asked, pull: _Pull) -> None:
    """Check that this is the change that was planned, and where it goes."""
    repo = pull.base.repo
    if repo.full_name.lower() != asked.repository.lower():
        raise TfgateError(f"{pull.html_url} goes to another repository, {repo.full_name}.")
    if not any_glob(asked.table.branches or (repo.default_branch,))(pull.base.ref):
        raise TfgateError(
            f"{pull.html_url} goes to the branch {pull.base.ref}, and reviews of changes that go "
            "there do not count.",
            hint="See branches in [approvals.github].",
        )
    if asked.commit == pull.head.sha:
        return
    if asked.commit == pull.merge_commit_sha:
        # GitHub made it: of the head, before the merge, with what else is in the branch.
        parents = [one.sha for one in api.get(f"{at}/commits/{asked.commit}", _Commit).parents]
        if pull.merged or pull.head.sha in parents:
            return
    raise TfgateError(
        f"The commit {asked.commit[:12]} that was planned is neither the head of {pull.html_url} "
        "nor what that is merged as.",
        hint="Plan again: the change or its branch has moved.",
    )


def _given(reviews: Iterator[_Review], head: str) -> Iterator[Given]:
    """Yield the last word of each account that approved or asked for changes, in their order."""
    last: dict[int, _Review] = {}
    for review in reviews:
        if review.user is not None and review.state in _DECIDES:
            last[review.user.id] = review
    for number, review in last.items():
        user = review.user
        assert user is not None, "left out above"
        yield Given(
            login=user.login,
            id=number,
            review=str(review.id),
            url=review.html_url,
            given=review.submitted_at or "",
            refused=_refused(review, user, head),
        )


def _refused(review: _Review, user: _User, head: str) -> str | None:
    if user.type != "User" or not _LOGIN.fullmatch(user.login):
        return "it is not a person's account"
    if review.state == "DISMISSED":
        return "it was dismissed"
    if review.state != "APPROVED":
        return "it asks for changes"
    if review.commit_id != head:
        return f"it is of the commit {(review.commit_id or 'none')[:12]}, and the head is another"
    return None


def _owners(
    api: Api, at: str, pull: _Pull, standing: Sequence[Given], is_member: _Member
) -> frozenset[int]:
    """Return who of those who approve owns something, if every changed file has such an owner."""
    ref = pull.base.sha if pull.merged else pull.base.ref
    texts = (api.text(f"{at}/contents/{place}", _RAW, ref=ref) for place in _PLACES)
    text = next((text for text in texts if text is not None), None)
    if text is None:
        return frozenset()
    files = [*api.pages(f"{at}/pulls/{pull.number}/files", _File)]
    if len(files) != pull.changed_files or not 0 < len(files) <= _MOST_FILES:
        return frozenset()
    owners_of, found = parse(text), set[int]()
    for path in {path for one in files for path in (one.filename, one.previous_filename) if path}:
        names = owners_of(path)
        own = {one.id for one in standing if _owns(one, names, is_member)}
        if not own:
            return frozenset()
        found |= own
    return frozenset(found)


def _owns(one: Given, names: Sequence[str], is_member: _Member) -> bool:
    for name in names:
        if name.startswith("@") and "/" in name:
            if is_member(one.login, name[1:]):
                return True
        elif name.lower() == f"@{one.login}".lower():
            return True
    return False


_RAW: Final = "application/vnd.github.raw+json"
if TYPE_CHECKING:
    from collections.abc import Callable

    _Member = Callable[[str, str], bool]
