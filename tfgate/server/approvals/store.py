"""Approval requests, their answers, logins and what is still to be told, in the server's database.

Nothing here is a token: of a session and of a login under way there are digests of what the browser
holds, and what is sealed by the server's secret.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import msgspec
import sqlalchemy as sa

from tfgate.model.approval import ApprovalRequest
from tfgate.server.store import make_tables

metadata = sa.MetaData()

requests = sa.Table(
    "tfgate_approval_requests",
    metadata,
    sa.Column("id", sa.String(32), primary_key=True),
    sa.Column("live", sa.String(64), unique=True),  # of what is asked by whom, while it counts
    sa.Column("thread", sa.String(64), nullable=False),  # a newer plan of it replaces this one
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("workspace", sa.Text, nullable=False),
    sa.Column("plan_sha256", sa.String(64), nullable=False),
    sa.Column("requester", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("request", sa.LargeBinary, nullable=False),  # JSON, compressed
    sa.Column("review", sa.LargeBinary),  # HTML, compressed
    sa.Column("needs", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("created_at", sa.Float, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("closed_at", sa.Float),
    sa.Column("reminded", sa.Boolean, nullable=False),
    sa.Index("tfgate_approval_requests_by_state", "state", "expires_at"),
    sa.Index("tfgate_approval_requests_by_thread", "thread", "state"),
    sa.Index("tfgate_approval_requests_by_plan", "plan_sha256"),
)

answers = sa.Table(
    "tfgate_approval_answers",
    metadata,
    sa.Column("request_id", sa.String(32), primary_key=True),
    sa.Column("person", sa.String(64), primary_key=True),  # of issuer and subject
    sa.Column("approves", sa.Boolean, nullable=False),
    sa.Column("at", sa.Float, nullable=False),
    sa.Column("approver", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("signed", sa.LargeBinary),  # the envelope of an approval
)

sessions = sa.Table(
    "tfgate_approval_sessions",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # digest of what the cookie holds
    sa.Column("person", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("expires_at", sa.Float, nullable=False),
)

logins = sa.Table(
    "tfgate_approval_logins",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),  # digest of the state
    sa.Column("sealed", sa.LargeBinary, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
)

notices = sa.Table(
    "tfgate_approval_notices",
    metadata,
    sa.Column("id", sa.String(64), primary_key=True),
    sa.Column("webhook", sa.String(200), nullable=False),
    sa.Column("notice", sa.LargeBinary, nullable=False),  # JSON
    sa.Column("attempts", sa.Integer, nullable=False),
    sa.Column("next_at", sa.Float, nullable=False),
    sa.Column("given_up_at", sa.Float),
    sa.Index("tfgate_approval_notices_by_time", "next_at"),
)

WAITING: Final = "waiting"
APPROVED: Final = "approved"
REFUSED: Final = "refused"
ENDED: Final = "ended"
WITHDRAWN: Final = "withdrawn"
REPLACED: Final = "replaced"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who logged in, by the word of the provider."""

    names: tuple[str, ...]
    issuer: str
    subject: str
    groups: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The same for the same person, whatever they are called now."""
        return digest(self.issuer, self.subject)


class Requester(msgspec.Struct, frozen=True, kw_only=True):
    """The job that asks, by its token."""

    name: str
    issuer: str
    subject: str
    claims: dict[str, str] = {}


class Needs(msgspec.Struct, frozen=True, kw_only=True):
    """What it takes, by the gate that asks and by this server."""

    people: int = 1
    roles: tuple[str, ...] = ()


class Answer(NamedTuple):
    """What one person said."""

    approver: Person
    approves: bool
    reason: str
    at: float
    roles: tuple[str, ...]
    signed: bytes | None

    @property
    def person(self) -> tuple[str, ...]:
        """Everything that tells the person from others."""
        return (*self.approver.names, f"{self.approver.issuer} {self.approver.subject}")

    @property
    def marks(self) -> tuple[str, ...]:
        """What globs over people find them by: roles are known for certain here."""
        return self.approver.names


class Closing(NamedTuple):
    """What the answers so far come to."""

    state: str
    expires_at: float
    """Until when that holds."""


class Asked(NamedTuple):
    """One request."""

    id: str
    state: str
    workspace: str
    requester: Requester
    request: ApprovalRequest
    needs: Needs
    created_at: float
    expires_at: float
    closed_at: float | None


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """Something to tell: what a webhook's message is made of."""

    event: str
    request: str
    """The request's id."""
    workspace: str
    operator: str
    requester: str
    rules: tuple[str, ...]
    findings: int
    people: int
    expires_at: float
    at: float
    by: str = ""
    """Who answered."""
    reason: str = ""


class Due(NamedTuple):
    """A notice that it is time to send."""

    id: str
    webhook: str
    notice: Notice
    attempts: int


class _Answered(msgspec.Struct, frozen=True):
    person: Person
    roles: tuple[str, ...]


_ASKED = [requests.c[name] for name in Asked._fields]


def digest(*parts: str) -> str:
    """Return one digest of several texts, none of which can pass for two."""
    return hashlib.sha256("".join(f"{len(one)}:{one}" for one in parts).encode()).hexdigest()


class ApprovalStore:
    """Reads and writes these tables. Times are seconds since 1970, by the caller's clock."""

    def __init__(self, engine: sa.Engine) -> None:
        make_tables(engine, metadata)
        self._engine = engine

    # Requests.

    def add(
        self, asked: Asked, live: str, thread: str, review: str | None, most: int
    ) -> str | None:
        """Store a request that waits, in the place of older ones of its ``thread``.

        Return its id, or that of the one that asks the same; ``None`` where ``most`` wait already.
        """
        row = {
            "id": asked.id,
            "live": live,
            "thread": thread,
            "state": WAITING,
            "workspace": asked.workspace,
            "plan_sha256": asked.request.plan.file_sha256 or asked.request.plan.json_sha256,
            "requester": msgspec.json.encode(asked.requester),
            "request": zlib.compress(msgspec.json.encode(asked.request)),
            "review": None if review is None else zlib.compress(review.encode()),
            "needs": msgspec.json.encode(asked.needs),
            "created_at": asked.created_at,
            "expires_at": asked.expires_at,
            "reminded": False,
        }
        same = sa.select(requests.c.id).where(requests.c.live == live)
        try:
            with self._engine.begin() as connection:
                replaced = sa.and_(
                    requests.c.thread == thread,
                    requests.c.state == WAITING,
                    sa.or_(requests.c.live != live, requests.c.live.is_(None)),
                )
                self._close(connection, replaced, REPLACED, asked.created_at)
                count = sa.select(sa.func.count()).where(requests.c.state == WAITING)
                if connection.execute(same).scalar_one_or_none() is None and (
                    connection.execute(count).scalar_one() >= most
                ):
                    return None
                connection.execute(sa.insert(requests).values(**row))
        except sa.exc.IntegrityError:
            with self._engine.connect() as connection:
                return connection.execute(same).scalar_one_or_none()
        return asked.id

    def read(self, key: str) -> Asked | None:
        """Return a request."""
        with self._engine.connect() as connection:
            query = sa.select(*_ASKED).where(requests.c.id == key)
            row = connection.execute(query).one_or_none()
        return None if row is None else _asked(row)

    def of_plan(self, sha256: str) -> list[Asked]:
        """Return the requests for a plan, newest first."""
        query = sa.select(*_ASKED).where(requests.c.plan_sha256 == sha256)
        return self._many(query.order_by(requests.c.created_at.desc()).limit(50))

    def waiting(self, limit: int) -> list[Asked]:
        """Return what waits, the first to end at the head."""
        query = sa.select(*_ASKED).where(requests.c.state == WAITING)
        return self._many(query.order_by(requests.c.expires_at).limit(limit))

    def closed(self, limit: int) -> list[Asked]:
        """Return what no longer waits, the latest first."""
        query = sa.select(*_ASKED).where(requests.c.state != WAITING)
        return self._many(query.order_by(requests.c.closed_at.desc()).limit(limit))

    def _many(self, query: Any) -> list[Asked]:
        with self._engine.connect() as connection:
            return [_asked(row) for row in connection.execute(query)]

    def review(self, key: str) -> str | None:
        """Return the page that came with a request."""
        with self._engine.connect() as connection:
            query = sa.select(requests.c.review).where(requests.c.id == key)
            data = connection.execute(query).scalar_one_or_none()
        return None if data is None else zlib.decompress(data).decode()

    def withdraw(self, key: str, now: float) -> bool:
        """Take a request back; whether it waited."""
        waits = sa.and_(requests.c.id == key, requests.c.state == WAITING)
        with self._engine.begin() as connection:
            return self._close(connection, waits, WITHDRAWN, now)

    def end(self, now: float) -> None:
        """End what has waited too long; what was answered long ago may be asked again."""
        late = sa.and_(requests.c.state == WAITING, requests.c.expires_at <= now)
        over = sa.and_(requests.c.live.is_not(None), requests.c.expires_at <= now)
        with self._engine.begin() as connection:
            self._close(connection, late, ENDED, now)
            connection.execute(sa.update(requests).where(over).values(live=None))

    @staticmethod
    def _close(connection: sa.Connection, which: Any, state: str, now: float) -> bool:
        """Close without an answer: the same may be asked again."""
        values = {"state": state, "closed_at": now, "live": None}
        return connection.execute(sa.update(requests).where(which).values(**values)).rowcount > 0

    def about_to_end(self, before: float) -> list[Asked]:
        """Return, each once, what waits and ends before a time."""
        soon = sa.and_(
            requests.c.state == WAITING,
            requests.c.expires_at <= before,
            requests.c.reminded.is_(False),
        )
        found = []
        for asked in self._many(sa.select(*_ASKED).where(soon).limit(100)):
            mine = sa.and_(requests.c.id == asked.id, requests.c.reminded.is_(False))
            with self._engine.begin() as connection:
                done = connection.execute(sa.update(requests).where(mine).values(reminded=True))
            if done.rowcount:
                found.append(asked)
        return found

    # Answers.

    def answers(self, key: str) -> list[Answer]:
        """Return what people said of a request, in order."""
        with self._engine.connect() as connection:
            return self._answers(connection, key)

    @staticmethod
    def _answers(connection: sa.Connection, key: str) -> list[Answer]:
        query = sa.select(answers).where(answers.c.request_id == key).order_by(answers.c.at)
        found = []
        for row in connection.execute(query):
            who = msgspec.json.decode(row.approver, type=_Answered)
            found.append(
                Answer(who.person, row.approves, row.reason, row.at, who.roles, row.signed)
            )
        return found

    def answer(
        self, key: str, answer: Answer, decide: Callable[[Sequence[Answer]], Closing]
    ) -> str | None:
        """Store one person's answer to a request that waits, and return the state it is in then.

        ``decide`` returns that state from all answers. Of two answers at once one is first; the
        other finds what that left. ``None`` where nothing waits any more or this person has
        answered: nothing is changed then.
        """
        row = {
            "request_id": key,
            "person": answer.approver.key,
            "approves": answer.approves,
            "at": answer.at,
            "approver": msgspec.json.encode(_Answered(answer.approver, answer.roles)),
            "reason": answer.reason,
            "signed": answer.signed,
        }
        waits = sa.and_(
            requests.c.id == key,
            requests.c.state == WAITING,
            requests.c.expires_at > answer.at,
        )
        try:
            with self._engine.begin() as connection:
                # Takes the row (SQLite: the database) before anything is read.
                lock = sa.update(requests).where(waits).values(state=WAITING)
                if connection.execute(lock).rowcount == 0:
                    return None
                connection.execute(sa.insert(answers).values(**row))
                closing = decide(self._answers(connection, key))
                if closing.state != WAITING:
                    values = {"closed_at": answer.at, **closing._asdict()}
                    connection.execute(sa.update(requests).where(waits).values(**values))
                return closing.state
        except sa.exc.IntegrityError:
            return None

    # Sessions and logins.

    def open_session(self, key: str, person: Person, expires_at: float) -> None:
        """Store a session."""
        row = {"id": key, "person": msgspec.json.encode(person), "expires_at": expires_at}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(sessions).values(**row))

    def session(self, key: str, now: float) -> Person | None:
        """Return whose session it is, ``None`` where it is over."""
        with self._engine.connect() as connection:
            query = sa.select(sessions.c.person).where(
                sessions.c.id == key, sessions.c.expires_at > now
            )
            data = connection.execute(query).scalar_one_or_none()
        return None if data is None else msgspec.json.decode(data, type=Person)

    def close_session(self, key: str) -> None:
        """End a session."""
        with self._engine.begin() as connection:
            connection.execute(sa.delete(sessions).where(sessions.c.id == key))

    def open_login(self, key: str, sealed: bytes, expires_at: float) -> None:
        """Store what a login that begins must come back to."""
        row = {"id": key, "sealed": sealed, "expires_at": expires_at}
        with self._engine.begin() as connection:
            connection.execute(sa.insert(logins).values(**row))

    def take_login(self, key: str, now: float) -> bytes | None:
        """Return it, once: of two that ask one gets it."""
        live = sa.and_(logins.c.id == key, logins.c.expires_at > now)
        with self._engine.begin() as connection:
            sealed = connection.execute(sa.select(logins.c.sealed).where(live)).scalar_one_or_none()
            if connection.execute(sa.delete(logins).where(live)).rowcount == 0:
                return None
        return sealed

    # Notices.

    def add_notice(self, webhook: str, notice: Notice) -> None:
        """Store something to tell; the same a second time changes nothing."""
        key = digest(webhook, notice.event, notice.request, notice.by)
        row = {
            "id": key,
            "webhook": webhook,
            "notice": msgspec.json.encode(notice),
            "attempts": 0,
            "next_at": notice.at,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(sa.insert(notices).values(**row))
        except sa.exc.IntegrityError:
            return

    def take_notices(self, now: float, lease: float, limit: int) -> list[Due]:
        """Take what is due, so that no other server sends it before ``lease`` seconds are over."""
        due = sa.and_(notices.c.next_at <= now, notices.c.given_up_at.is_(None))
        with self._engine.connect() as connection:
            query = sa.select(notices).where(due).order_by(notices.c.next_at).limit(limit)
            rows = list(connection.execute(query))
        taken = []
        for row in rows:
            mine = sa.and_(notices.c.id == row.id, notices.c.attempts == row.attempts, due)
            values = {"next_at": now + lease, "attempts": row.attempts + 1}
            with self._engine.begin() as connection:
                done = connection.execute(sa.update(notices).where(mine).values(**values))
            if done.rowcount:
                notice = msgspec.json.decode(row.notice, type=Notice)
                taken.append(Due(row.id, row.webhook, notice, row.attempts + 1))
        return taken

    def postpone_notice(self, key: str, next_at: float) -> None:
        """Have a notice sent again at a time."""
        self._change_notice(key, {"next_at": next_at})

    def give_notice_up(self, key: str, now: float) -> None:
        """Send a notice no more."""
        self._change_notice(key, {"given_up_at": now})

    def _change_notice(self, key: str, values: dict[str, Any]) -> None:
        with self._engine.begin() as connection:
            connection.execute(sa.update(notices).where(notices.c.id == key).values(**values))

    def sent_notice(self, key: str) -> None:
        """Forget the text of a notice that was taken; its id stays until the request goes."""
        self._change_notice(key, {"given_up_at": 0.0})

    # What is over.

    def forget(self, now: float, older_than: float) -> None:
        """Remove requests closed before a time with all that belongs to them, and old logins."""
        old = sa.and_(requests.c.state != WAITING, requests.c.closed_at < older_than)
        with self._engine.begin() as connection:
            keys = list(
                connection.execute(sa.select(requests.c.id).where(old).limit(500)).scalars()
            )
            connection.execute(sa.delete(answers).where(answers.c.request_id.in_(keys)))
            connection.execute(sa.delete(requests).where(requests.c.id.in_(keys)))
            connection.execute(sa.delete(sessions).where(sessions.c.expires_at < now))
            connection.execute(sa.delete(logins).where(logins.c.expires_at < now))
            over = sa.and_(notices.c.given_up_at.is_not(None), notices.c.next_at < older_than)
            connection.execute(sa.delete(notices).where(over))


def _asked(row: Any) -> Asked:
    return Asked(
        id=row.id,
        state=row.state,
        workspace=row.workspace,
        requester=msgspec.json.decode(row.requester, type=Requester),
        request=msgspec.json.decode(zlib.decompress(row.request), type=ApprovalRequest),
        needs=msgspec.json.decode(row.needs, type=Needs),
        created_at=row.created_at,
        expires_at=row.expires_at,
        closed_at=row.closed_at,
    )
