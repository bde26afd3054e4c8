"""Approvals of merge requests on GitLab (docs.gitlab.com/api, version 4)."""

from __future__ import annotations

import datetime as dt
import re
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import quote

import msgspec

from tfgate.approvals.reviews import Api, Change, Given, the_one
from tfgate.errors import TfgateError
from tfgate.model.approval import Moment
from tfgate.model.text import any_glob

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tfgate.approvals.reviews import Asked

_LOGIN: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}", re.ASCII)
_BOT: Final = re.compile(r"(?:project|group)_\d+_bot.*|ghost\d*|.*-bot", re.ASCII)
_APPROVED: Final = "approved this merge request"
"""Of a note that the system writes, and nobody else can."""


class _User(msgspec.Struct):
    id: int
    username: str
    name: str = ""
    state: str = "active"


class _Account(msgspec.Struct):
    id: int
    username: str
    state: str
    name: str = ""
    bot: bool = False


class _Project(msgspec.Struct):
    id: int
    path_with_namespace: str
    default_branch: str


class _Request(msgspec.Struct):
    iid: int
    web_url: str
    state: str
    sha: str
    target_branch: str
    target_project_id: int
    author: _User | None
    merge_commit_sha: str | None = None
    squash_commit_sha: str | None = None


class _Listed(msgspec.Struct):
    iid: int
    target_project_id: int


class _MergeRef(msgspec.Struct):
    commit_id: str


class _Parents(msgspec.Struct):
    parent_ids: list[str]


class _Commit(msgspec.Struct):
    author_name: str = ""
    author_email: str = ""
    committer_name: str = ""
    committer_email: str = ""


class _Version(msgspec.Struct):
    head_commit_sha: str
    created_at: Moment


class _Approval(msgspec.Struct):
    user: _User
    approved_at: Moment | None = None


class _Approvals(msgspec.Struct):
    approved_by: list[_Approval]


class _Note(msgspec.Struct):
    id: int
    body: str
    system: bool
    author: _User
    created_at: Moment


class _Rule(msgspec.Struct):
    rule_type: str
    approved_by: list[_User] = []


class _Rules(msgspec.Struct):
    rules: list[_Rule]


class _Member(msgspec.Struct):
    id: int
    state: str


def read(asked: Asked) -> Change:
    """Read the merge request of the commit that was planned. Raises ``TfgateError``."""
    api = Api(f"{asked.table.url}/api/v4", asked, {"PRIVATE-TOKEN": asked.token})
    at = f"/projects/{quote(asked.repository, safe='')}"
    project = api.get(at, _Project)
    if project.path_with_namespace.lower() != asked.repository.lower():
        raise TfgateError(f"{asked.repository} is now {project.path_with_namespace}.")
    request = api.get(f"{at}/merge_requests/{_number(api, at, asked, project)}", _Request)
    own = f"{at}/merge_requests/{request.iid}"
    _check(api, at, asked, project, request)
    commits = [*api.pages(f"{own}/commits", _Commit)]

    @cache
    def is_member(user: int, group: str) -> bool:
        found = api.find(f"/groups/{quote(group, safe='')}/members/all/{user}", _Member)
        return found is not None and found.id == user and found.state == "active"

    def owners(standing: Sequence[Given]) -> frozenset[int]:
        rules = api.get(f"{own}/approval_state", _Rules).rules
        return _owners([one for one in rules if one.rule_type == "code_owner"], standing)

    author = request.author
    return Change(
        number=request.iid,
        url=request.web_url,
        head=request.sha,
        writers=frozenset() if author is None else frozenset([author.id]),
        names=tuple(dict.fromkeys(_names(commits, author))),
        given=tuple(_given(api, own, request)),
        is_in=lambda one, group: is_member(one.id, group),
        owners=owners,
    )


def _names(commits: Sequence[_Commit], author: _User | None) -> Iterator[str]:
    yield from () if author is None else (author.username,)
    for one in commits:
        texts = (one.author_email, one.author_name, one.committer_email, one.committer_name)
        yield from (text for text in texts if text)


def _number(api: Api, at: str, asked: Asked, project: _Project) -> int:
    if asked.change is not None:
        return asked.change
    said = asked.env.get("CI_MERGE_REQUEST_IID", "")
    if said.isdecimal() and len(said) <= 10:
        return int(said)
    listed = api.pages(f"{at}/repository/commits/{asked.commit}/merge_requests", _Listed)
    fitting = [one.iid for one in listed if one.target_project_id == project.id]
    return the_one(fitting, asked.commit)


def _check(api: Api, at: str, asked: Asked, project: _Project, request: _Request) -> None:
    """Check that this is the change that was planned, and where it goes."""
    if request.target_project_id != project.id:
        raise TfgateError(f"{request.web_url} goes to another project.")
    if not any_glob(asked.table.branches or (project.default_branch,))(request.target_branch):
        raise TfgateError(
            f"{request.web_url} goes to the branch {request.target_branch}, and approvals of "
            "changes that go there do not count.",
            hint="See branches in [approvals.gitlab].",
        )
    if asked.commit == request.sha:
        return
    if request.state == "merged":
        if asked.commit in (request.merge_commit_sha, request.squash_commit_sha):
            return
    elif _is_merge_of(api, at, asked.commit, request):
        return
    raise TfgateError(
        f"The commit {asked.commit[:12]} that was planned is neither the head of "
        f"{request.web_url} nor what that is merged as.",
        hint="Plan again: the change or its branch has moved.",
    )


def _is_merge_of(api: Api, at: str, commit: str, request: _Request) -> bool:
    """Whether GitLab itself made the commit of the head and the branch that it goes to."""
    made = api.find(f"{at}/merge_requests/{request.iid}/merge_ref", _MergeRef)
    if made is None or made.commit_id != commit:
        return False
    return request.sha in api.get(f"{at}/repository/commits/{commit}", _Parents).parent_ids


def _given(api: Api, own: str, request: _Request) -> Iterator[Given]:
    """Yield every approval that stands, with why it does not count."""
    approvals = api.get(f"{own}/approvals", _Approvals).approved_by
    if not approvals:
        return
    versions = [*api.pages(f"{own}/versions", _Version)]
    last = max(versions, key=lambda one: one.created_at, default=None)
    known = last is not None and last.head_commit_sha == request.sha
    notes: dict[int, _Note] = {}
    if any(one.approved_at is None for one in approvals):
        for note in api.pages(f"{own}/notes", _Note, sort="asc", order_by="created_at"):
            if note.system and note.body.startswith(_APPROVED):
                notes[note.author.id] = note
    for one in approvals:
        account = api.find(f"/users/{one.user.id}", _Account)
        said = notes.get(one.user.id)
        at = one.approved_at or (None if said is None else said.created_at)
        yield Given(
            login=one.user.username,
            id=one.user.id,
            review=f"approval of {one.user.id}" if said is None else str(said.id),
            url=request.web_url if said is None else f"{request.web_url}#note_{said.id}",
            given="" if at is None else at.isoformat(),
            refused=_refused(one.user, account, at, last.created_at if last and known else None),
            names=(one.user.name,) if one.user.name else (),
        )


def _refused(
    user: _User, account: _Account | None, at: dt.datetime | None, pushed: dt.datetime | None
) -> str | None:
    if account is None or account.id != user.id or account.bot or _BOT.fullmatch(user.username):
        return "it is not a person's account"
    if account.state != "active" or user.state != "active" or not _LOGIN.fullmatch(user.username):
        return "the account is not active"
    if pushed is None or at is None:
        return "it is not known whether it was given after the last push"
    return "it was given before the last push" if at <= pushed else None


def _owners(rules: Sequence[_Rule], standing: Sequence[Given]) -> frozenset[int]:
    """Return who of those who approve is a code owner, if each rule has such a one."""
    standing_ids = {one.id for one in standing}
    found = [standing_ids & {user.id for user in rule.approved_by} for rule in rules]
    return frozenset().union(*found) if found and all(found) else frozenset()
