"""What becomes of an approval request: who may ask and answer, and what the answers come to."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from tfgate.audit.signing import PROXIED_APPROVALS
from tfgate.engine.override import (
    Need,
    missing_people,
    operator_names,
    refused_person,
    strictest,
)
from tfgate.errors import TfgateError
from tfgate.gate.approvals import PAYLOAD_TYPE, check_asked
from tfgate.gate.documents import DocumentError, seal
from tfgate.model.approval import ApprovalRequest, ApprovalStatement, ProvenApprover
from tfgate.model.decision import Operator
from tfgate.model.text import any_glob
from tfgate.server.approval_tables import ApprovalsTable
from tfgate.server.approvals.store import (
    APPROVED,
    ENDED,
    REFUSED,
    REPLACED,
    WAITING,
    WITHDRAWN,
    Answer,
    ApprovalStore,
    Asked,
    Closing,
    Needs,
    Notice,
    Person,
    Requester,
    digest,
)

LONGEST_REASON: Final = 2_000
_CLOSED: Final = {
    APPROVED: "it was approved meanwhile",
    REFUSED: "it was refused meanwhile",
    ENDED: "its time is over",
    WITHDRAWN: "the job that asked has taken it back",
    REPLACED: "the plan has changed, and a newer request has taken its place",
}


class NotTakenError(TfgateError):
    """A request or an answer that is not taken; ``status`` is the HTTP status that says so."""

    def __init__(self, message: str, status: int, *, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.status = status


class Asking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a job sends."""

    request: ApprovalRequest
    review: str | None = None
    """The page of the plan's review, to show beside it."""
    needs: Needs = Needs()
    """What it takes by the gate that asks."""
    change: str = ""
    """What is being changed, as the job says (a pull request, a branch): a newer plan of the same
    takes the place of this one."""


class Standing(NamedTuple):
    """One request with everything that was said of it."""

    asked: Asked
    answers: Sequence[Answer]
    need: Need

    @property
    def missing(self) -> str | None:
        """Return, in a clause, what is missing to let the plan through; ``None`` for nothing."""
        given = [one for one in self.answers if one.approves]
        known = {role for one in given for role in one.roles}
        return missing_people(self.need, given, {}, known)


@dataclass
class Desk:
    """Takes requests and answers. ``clock`` gives the time that all servers agree on."""

    table: ApprovalsTable
    store: ApprovalStore
    key: Path
    url: str
    clock: Callable[[], float]

    # What jobs do.

    def ask(self, asking: Asking, requester: Requester) -> Asked:
        """Take a request, once: the same again finds the first. Raises ``NotTakenError``."""
        request = asking.request
        workspace = request.workspace.name
        if request.break_glass:
            raise NotTakenError(
                "Glass is broken by signatures of two people's own keys, and not in a browser.", 422
            )
        try:
            check_asked(request)
        except DocumentError as error:
            raise NotTakenError(f"This is no approval request: {error}.", 422) from None
        if self.table.approvers_of(workspace) is None:
            raise NotTakenError(
                f"Nobody may approve for the workspace {workspace!r} on this server.",
                422,
                hint="See [[approvals.approvers]] of its configuration.",
            )
        if request.operator == "" or request.expires <= request.created:
            raise NotTakenError("This is no approval request: it asks for no time.", 422)
        now = self.clock()
        self.store.end(now)
        asked = Asked(
            id=os.urandom(16).hex(),
            state=WAITING,
            workspace=workspace,
            requester=requester,
            request=request,
            needs=asking.needs,
            created_at=now,
            expires_at=now + self.table.wait_hours * 3600,
            closed_at=None,
        )
        who = (requester.issuer, requester.subject)
        what = msgspec.structs.replace(
            request, decision_id="", created=_EPOCH, expires=_EPOCH + _span(request)
        )
        live = digest(*who, msgspec.json.encode(what, order="sorted").decode())
        state = msgspec.json.encode(request.workspace, order="sorted").decode()
        thread = digest(*who, asking.change, state)
        found = self.store.add(asked, live, thread, asking.review, self.table.waiting)
        if found is None:
            raise NotTakenError("Too many requests wait already; try again later.", 429)
        if found == asked.id:
            self.tell("wanted", asked)
            return asked
        return self.find(found).asked

    def find(self, key: str) -> Standing:
        """Return a request as it stands. Raises ``NotTakenError`` where there is none."""
        asked = self.store.read(key)
        if asked is None:
            raise NotTakenError("There is no such request.", 404)
        if asked.state == WAITING and asked.expires_at <= self.clock():
            self.store.end(self.clock())
            asked = asked._replace(state=ENDED, closed_at=asked.expires_at)
        return Standing(asked, self.store.answers(key), self.need(asked))

    def need(self, asked: Asked) -> Need:
        """Return what it takes: by this server, and by the gate as far as its roles are known."""
        table = self.table.approvers_of(asked.workspace)
        own = Need(1) if table is None else Need(table.required, frozenset(table.roles))
        roles = frozenset(asked.needs.roles).intersection(self.table.roles)
        return strictest([own, Need(asked.needs.people, roles)])

    def withdraw(self, key: str) -> None:
        """Take a request back."""
        self.store.withdraw(key, self.clock())

    # What people do.

    def may_see(self, person: Person, workspace: str) -> bool:
        """Whether a person may see and answer the requests of a workspace."""
        table = self.table.approvers_of(workspace)
        return table is not None and any(map(any_glob(table.groups), person.groups))

    def roles(self, person: Person) -> tuple[str, ...]:
        """Return the roles that a person has by their groups."""
        return tuple(
            role
            for role, groups in sorted(self.table.roles.items())
            if any(map(any_glob(groups), person.groups))
        )

    def refusal(self, standing: Standing, person: Person) -> str | None:
        """Return in a sentence why a person cannot answer; ``None`` where they can."""
        asked, request = standing.asked, standing.asked.request
        if asked.state != WAITING:
            return f"Nothing waits for an answer: {_CLOSED[asked.state]}."
        if not self.may_see(person, asked.workspace):
            return "You are in no group that may answer for this workspace."
        requester = asked.requester
        if (person.issuer, person.subject) == (requester.issuer, requester.subject):
            return "You asked for this yourself, and nobody approves their own."
        known = Operator(requester.name, "", claims=dict(requester.claims))
        operators = (request.operator, *operator_names(known))
        own = refused_person(person.names, operators=operators, authors=request.authors)
        if own is not None:
            return f"You cannot answer: {own}."
        if any(one.approver.key == person.key for one in standing.answers):
            return "You have answered already."
        return None

    def answer(self, key: str, person: Person, *, approves: bool, reason: str) -> Standing:
        """Take an answer, signed where it approves. Raises ``NotTakenError``."""
        standing = self.find(key)
        reason = reason.strip()
        problem = self.refusal(standing, person)
        if problem is not None:
            raise NotTakenError(problem, 409)
        if not reason or len(reason) > LONGEST_REASON:
            raise NotTakenError("A reason is needed, of at most 2,000 characters.", 422)
        asked, now = standing.asked, self.clock()
        roles = self.roles(person)
        signed = self._signed(asked, person, roles, reason, now) if approves else None
        answer = Answer(person, approves, reason, now, roles, signed)
        state = self.store.answer(key, answer, lambda found: self._closing(standing, found))
        standing = self.find(key)
        if state is None:
            raise NotTakenError(
                self.refusal(standing, person) or "Somebody else was quicker; try again.", 409
            )
        self.tell("approved" if approves else "refused", standing.asked, answer)
        return standing

    def _closing(self, standing: Standing, found: Sequence[Answer]) -> Closing:
        asked = standing.asked
        if any(not one.approves for one in found):
            return Closing(REFUSED, asked.expires_at)
        if standing._replace(answers=found).missing is not None:
            return Closing(WAITING, asked.expires_at)
        return Closing(APPROVED, found[0].at + self._seconds(asked.request))

    def _seconds(self, request: ApprovalRequest) -> float:
        """How long an approval holds."""
        return min(_span(request).total_seconds(), self.table.valid_hours * 3600.0)

    def _signed(
        self, asked: Asked, person: Person, roles: Sequence[str], reason: str, now: float
    ) -> bytes:
        approved = dt.datetime.fromtimestamp(now, dt.timezone.utc)
        statement = ApprovalStatement(
            request=asked.request,
            reason=reason,
            approved=approved,
            expires=approved + dt.timedelta(seconds=self._seconds(asked.request)),
            approver=ProvenApprover(
                names=person.names,
                issuer=person.issuer,
                subject=person.subject,
                roles=tuple(roles),
                source="browser",
                where=self.link(asked.id),
            ),
        )
        payload = msgspec.json.encode(statement, order="sorted")
        return seal(payload, PAYLOAD_TYPE, self.key, PROXIED_APPROVALS)

    # Who is told.

    def link(self, key: str) -> str:
        """Return the address of a request's page."""
        return f"{self.url}/approvals/{key}"

    def tell(self, event: str, asked: Asked, answer: Answer | None = None) -> None:
        """Store what each webhook that wants the event is to be told."""
        for hook in self.table.webhooks:
            if event in hook.events and any_glob(hook.workspaces)(asked.workspace):
                self.store.add_notice(hook.name, self._notice(event, asked, answer))

    def _notice(self, event: str, asked: Asked, answer: Answer | None) -> Notice:
        request = asked.request
        return Notice(
            event=event,
            request=asked.id,
            workspace=asked.workspace,
            operator=request.operator,
            requester=asked.requester.name,
            rules=tuple(dict.fromkeys(finding.rule for finding in request.findings))[:20],
            findings=len(request.findings),
            people=self.need(asked).people,
            expires_at=asked.expires_at,
            at=self.clock(),
            by="" if answer is None else answer.approver.names[0],
            reason="" if answer is None else answer.reason,
        )

    def sweep(self) -> None:
        """End what is over, tell of what is about to end, and forget what is old."""
        now = self.clock()
        self.store.end(now)
        for asked in self.store.about_to_end(now + self.table.remind_minutes * 60):
            self.tell("ending", asked)
        self.store.forget(now, now - self.table.keep_days * 86400)


_EPOCH = dt.datetime.fromtimestamp(0, dt.timezone.utc)


def _span(request: ApprovalRequest) -> dt.timedelta:
    """How long an approval is wanted for."""
    return request.expires - request.created


def may_ask(
    table: ApprovalsTable, issuer: str, claims: Mapping[str, Sequence[str]], workspace: str
) -> bool:
    """Whether a job may ask; ``issuer`` is the name of its issuer."""
    return any(
        job.issuer == issuer
        and any_glob(job.workspaces)(workspace)
        and all(
            any(map(any_glob(globs), claims.get(name, ()))) for name, globs in job.claims.items()
        )
        for job in table.jobs
    )
