"""Approvals by review: what GitHub or GitLab says of a change, and whose reviews count.

Nothing of an answer is believed beyond its shape: what cannot be read as it should be counts
nobody. Who may forge what: docs/threat-model.md, "The reviewer's system".
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar
from urllib.parse import urlencode

from tfgate.engine.override import refused_person
from tfgate.errors import TfgateError, UsageError
from tfgate.outbound import AGENT, Peer, shaped
from tfgate.report.escape import clip, console

if TYPE_CHECKING:
    from tfgate.model.approval import ApprovalRequest
    from tfgate.outbound import Answer
    from tfgate.ruleset.config import ReviewTable

MOST_BYTES: Final = 16 * 1024 * 1024
"""Of one answer: a hundred reviews of 64 KiB each, and what is around them."""
MOST_REQUESTS: Final = 300
SECONDS: Final = 120
"""For all requests together."""
_PAGE: Final = 100
_MOST_PAGES: Final = 30

Shape = TypeVar("Shape")


class Given(NamedTuple):
    """What a reviewer's last word on a change is."""

    login: str
    id: int
    """Of the account: it never changes hands."""
    review: str
    """Id of the review."""
    url: str
    given: str
    refused: str | None
    """Why it does not count, whoever it is by; in a clause."""
    names: tuple[str, ...] = ()
    """Other names of the account, which may show that it is the author's."""


class Change(NamedTuple):
    """A pull request or merge request, with its reviews."""

    number: int
    url: str
    head: str
    writers: frozenset[int]
    """Accounts that opened it, or wrote or committed some of it."""
    names: tuple[str, ...]
    """Names and addresses of whoever did."""
    given: tuple[Given, ...]
    is_in: Callable[[Given, str], bool]
    """Whether a reviewer is in a team."""
    owners: Callable[[Sequence[Given]], frozenset[int]]
    """The accounts among those who approve that own what is changed, where all of it has one."""


class Counted(NamedTuple):
    """A review that counts."""

    by: Given
    teams: tuple[str, ...]
    code_owner: bool


class Asked(NamedTuple):
    """What is looked for, and where."""

    table: ReviewTable
    repository: str
    change: int | None
    commit: str
    token: str
    env: Mapping[str, str]


def counted(
    change: Change, request: ApprovalRequest, table: ReviewTable
) -> tuple[list[Counted], list[str]]:
    """Return the reviews that count, and a sentence for each that does not."""
    why = {one.id: _refused(one, change, request) for one in change.given}
    standing = [one for one in change.given if why[one.id] is None]
    owners = change.owners(standing) if table.code_owners and standing else frozenset()
    found, left = [], []
    for one in change.given:
        reason = why[one.id]
        if reason is None:
            teams = tuple(team for team in table.teams if change.is_in(one, team))
            if teams or one.id in owners:
                found.append(Counted(one, teams, one.id in owners))
                continue
            reason = "is in no team whose reviews count, and no code owner of all that is changed"
        left.append(console(clip(f"The review of {one.login} does not count: {reason}.", 300)))
    return found, left


def _refused(one: Given, change: Change, request: ApprovalRequest) -> str | None:
    if one.refused is not None:
        return one.refused
    if one.id in change.writers:
        return "they opened the change, or wrote some of it"
    names = (one.login, *one.names)
    authors = (*request.authors, *change.names)
    return refused_person(names, operators=(request.operator,), authors=authors)


class Api:
    """Asks a system's REST API: bounded, over TLS, to no redirect, the token to nobody else."""

    def __init__(self, base: str, asked: Asked, headers: Mapping[str, str]) -> None:
        self._base = base
        self._env = asked.env
        self._token = asked.token
        self._headers = {"User-Agent": AGENT, "Accept": "application/json", **headers}
        self._end = time.monotonic() + SECONDS
        self._left = MOST_REQUESTS

    def get(self, path: str, shape: type[Shape], **query: str | int) -> Shape:
        """Return what is there. Raises ``TfgateError`` where nothing is, or something else."""
        found = self.find(path, shape, **query)
        if found is None:
            raise TfgateError(
                f"{self._base}{path} is not there (404), or not for this token.",
                hint="Give the job a token that may read pull requests and teams.",
            )
        return found

    def find(self, path: str, shape: type[Shape], **query: str | int) -> Shape | None:
        """Return what is there; ``None`` for nothing (404)."""
        body = self.text(path, "application/json", **query)
        return None if body is None else self._shaped(body, shape, path)

    def pages(self, path: str, shape: type[Shape], **query: str | int) -> Iterator[Shape]:
        """Yield every item of a list. Raises ``TfgateError`` for one without end.

        A page may lack a link to the next (a proxy takes headers out) and have a full number of
        items, or the other way round: either says that more may follow. What was left unread could
        be the word that takes an approval back.
        """
        for page in range(1, _MOST_PAGES + 1):
            body, headers = self._ask(path, {**query, "per_page": _PAGE, "page": page}, None)
            if body is None:
                raise TfgateError(f"{self._base}{path} is not there (404), or not for this token.")
            items = self._shaped(body, list[shape], path)  # type: ignore[valid-type] # a TypeVar's
            yield from items
            linked = 'rel="next"' in headers.get("link", "") or headers.get("x-next-page")
            if len(items) < _PAGE and not linked:
                return
        raise TfgateError(f"{self._base}{path} has more than {_MOST_PAGES * _PAGE:,} items.")

    def text(self, path: str, accept: str, **query: str | int) -> bytes | None:
        """Return a body as it is; ``None`` for nothing (404)."""
        return self._ask(path, query, accept)[0]

    def _shaped(self, body: bytes, shape: type[Shape], path: str) -> Shape:
        found = shaped(body, shape)
        if found is None:
            raise TfgateError(f"{self._base}{path} has not the shape that its documentation gives.")
        return found

    def _ask(
        self, path: str, query: Mapping[str, str | int], accept: str | None
    ) -> tuple[bytes | None, Mapping[str, str]]:
        self._left -= 1
        seconds = min(30.0, self._end - time.monotonic())
        if self._left < 0 or seconds <= 0:
            raise TfgateError(
                f"Reading the reviews took more than {MOST_REQUESTS} requests or {SECONDS} s."
            )
        url = f"{self._base}{path}{'?' if query else ''}{urlencode(query)}"
        peer = Peer(url, seconds=seconds, env=self._env, hide=self._hide)
        headers = {**self._headers, **({"Accept": accept} if accept else {})}
        answer = peer.get(headers, largest=MOST_BYTES + 1)
        if answer.status == 404:
            return None, answer.headers
        if 300 <= answer.status < 400:
            raise TfgateError(
                f"{peer.host} answered {answer.status}: a redirect, which no token follows.",
                hint="Correct the url in [approvals], and the name of the repository.",
            )
        if answer.status != 200:
            raise TfgateError(f"{peer.host} answered {answer.status} to {path}.{_limit(answer)}")
        if len(answer.body) > MOST_BYTES:
            raise TfgateError(f"{self._base}{path} has more than {MOST_BYTES // 1024**2} MiB.")
        if not _is_whole(answer):
            raise TfgateError(f"{peer.host} did not send all of {path}.")
        return answer.body, answer.headers

    def _hide(self, text: str) -> str:
        return console(text.replace(self._token, "(token)"))


def _is_whole(answer: Answer) -> bool:
    """Whether a body came to its end: half of a list of owners reads like a whole one."""
    length = answer.headers.get("content-length", "")
    chunked = answer.headers.get("transfer-encoding", "").lower() == "chunked"
    return chunked or (length.isdecimal() and len(answer.body) == int(length))


def _limit(answer: Answer) -> str:
    """Say when to come again, where a limit on requests is the reason."""
    after = answer.headers.get("retry-after", "")
    if after.isdecimal():
        return f" It asks to wait {int(after[:6])} s."
    left = answer.headers.get("x-ratelimit-remaining", answer.headers.get("ratelimit-remaining"))
    return " The token's limit of requests is used up." if left == "0" else ""


def the_one(numbers: Sequence[int], commit: str) -> int:
    """Return the change that a commit belongs to. Raises ``UsageError`` for none or several."""
    if len(set(numbers)) == 1:
        return numbers[0]
    number = "no change" if not numbers else "several changes"
    raise UsageError(
        f"The commit {commit[:12]} belongs to {number}.", hint="Name the one with --change."
    )
