"""A desk of approvals whose clock the test moves, on a database of the test's own."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from tfgate.engine.decide import fingerprint
from tfgate.model.approval import (
    ApprovalRequest,
    ApprovedFinding,
    ApprovedPlan,
    ApprovedWorkspace,
)
from tfgate.server.approval_tables import ApprovalsTable
from tfgate.server.approvals.desk import Asking, Desk, NotTakenError
from tfgate.server.approvals.store import ApprovalStore, Person, Requester
from tfgate.server.store import open_engine

if TYPE_CHECKING:
    from pathlib import Path

START = 1_800_000_000.0
TABLE = {
    "key": "server",
    "config": "tfgate.toml",
    "provider": {"issuer": "https://login.acme.example", "client_id": "tfgate"},
    "jobs": [{"issuer": "github"}],
    "approvers": [
        {"workspaces": ["two-*"], "groups": ["sre"], "required": 2},
        {"workspaces": ["db-*"], "groups": ["sre"], "roles": ["dba"]},
        {"workspaces": ["locked"], "groups": ["nobody"]},
        {"groups": ["sre", "on-call-*"]},
    ],
    "roles": {"dba": ["db-admins"]},
    "webhooks": [
        {"name": "all", "url": "https://hook.example", "workspaces": ["told*"]},
        {"name": "last", "url": "https://hook.example", "events": ["ending"]},
    ],
    "waiting": 5,
}
JOB = Requester(
    name="alice@github", issuer="https://jobs.example", subject="repo:acme/infra:pull_request"
)
DORA = Person(
    names=("dora@acme.example",), issuer="https://login.acme.example", subject="1", groups=("sre",)
)
ERIN = msgspec.structs.replace(DORA, names=("erin@acme.example",), subject="2")


class DeskBench:
    """A desk whose clock the test moves."""

    def __init__(self, folder: Path, url: str, key: Path, **changed: Any) -> None:
        self.now = START
        self.engine = open_engine(url)
        self.store = ApprovalStore(self.engine)
        table = msgspec.convert({**TABLE, **changed}, ApprovalsTable)
        table.check()
        self.table = table
        self.desk = Desk(table, self.store, key, "https://gate.example", lambda: self.now)
        self.key = key
        self.folder = folder

    def asking(self, workspace: str = "prod", plan: str = "a", **more: Any) -> Asking:
        """Return what a job sends."""
        created = dt.datetime.fromtimestamp(self.now, dt.timezone.utc)
        message = "it is public"
        finding = ApprovedFinding(
            rule="R-1", title="T", severity="high", enforcement="soft-mandatory", outcome="fail",
            address="a.b", deposed=None, action="create", message=message,
            fingerprint=fingerprint("R-1", "a.b", None, message),
        )  # fmt: skip
        fields: dict[str, Any] = {
            "decision_id": f"d-{self.now}",
            "created": created,
            "expires": created + dt.timedelta(hours=4),
            "bind": "plan",
            "plan": ApprovedPlan(plan * 64, None),
            "workspace": ApprovedWorkspace(workspace, None, {}),
            "operator": "olga",
            "authors": ("otto",),
            "findings": (finding,),
        }
        parts = {name: more.pop(name) for name in ("change", "needs", "review") if name in more}
        return Asking(request=ApprovalRequest(**{**fields, **more}), **parts)

    def ask(self, workspace: str = "prod", plan: str = "a", **more: Any) -> str:
        """Ask, and return the request's id."""
        return self.desk.ask(self.asking(workspace, plan, **more), JOB).id

    def answer(self, key: str, person: Person = DORA, *, approves: bool = True) -> str:
        """Answer, and return the state that the request is in then."""
        standing = self.desk.answer(key, person, approves=approves, reason="because")
        return standing.asked.state

    def refused(self, key: str, person: Person = DORA) -> str:
        """Answer in vain, and return why."""
        with pytest.raises(NotTakenError) as caught:
            self.answer(key, person)
        return caught.value.message
