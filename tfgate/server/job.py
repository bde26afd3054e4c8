"""The request that HCP Terraform sends, read strictly ("Run tasks integration API")."""

from __future__ import annotations

import socket
import struct
from enum import Enum
from typing import Annotated, Any, Final
from urllib.parse import urlsplit

import msgspec

from tfgate.errors import TfgateError
from tfgate.model.decision import Operator
from tfgate.model.text import clean

VERIFICATION_TOKEN: Final = "test-token"  # noqa: S105 - the word by which a test is recognised
"""Token of the request that creating a run task sends; it is never called back."""

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=512, pattern=r"^[^\x00-\x1f\x7f]+\Z")]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9_-]{1,128}\Z")]
Address = Annotated[str, msgspec.Meta(min_length=1, max_length=4096, pattern=r"^[\x21-\x7e]+\Z")]
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=8192, pattern=r"^[\x21-\x7e]+\Z")]
Text = Annotated[str, msgspec.Meta(max_length=65536)]


class PayloadError(TfgateError):
    """The body is not a run task request."""


class Stage(str, Enum):
    """When in a run the task is called."""

    PRE_PLAN = "pre_plan"
    POST_PLAN = "post_plan"
    PRE_APPLY = "pre_apply"
    POST_APPLY = "post_apply"

    def __str__(self) -> str:
        return self.value


class Enforcement(str, Enum):
    """What a failed task does to the run."""

    MANDATORY = "mandatory"
    ADVISORY = "advisory"


class Capabilities(msgspec.Struct, frozen=True):
    """What the other side understands beside the status."""

    outcomes: bool = False


class RunTask(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request. Unknown keys are left out, as the documentation asks of readers."""

    payload_version: Annotated[int, msgspec.Meta(ge=1, le=1)]
    stage: Stage
    access_token: Token
    organization_name: Name
    run_id: Identifier
    task_result_id: Identifier
    task_result_callback_url: Address
    workspace_id: Identifier
    workspace_name: Name
    task_result_enforcement_level: Enforcement = Enforcement.MANDATORY
    capabilities: Capabilities | None = None
    capabilitites: Capabilities | None = None
    """As go-tfe spells it."""
    configuration_version_download_url: Address | None = None
    configuration_version_id: Identifier | None = None
    is_speculative: bool | None = None
    plan_json_api_url: Address | None = None
    project_id: Identifier | None = None
    project_name: Name | None = None
    run_app_url: Text | None = None
    run_created_by: Text | None = None
    run_message: Text | None = None
    vcs_branch: Text | None = None
    vcs_commit_hash: Text | None = None
    vcs_commit_url: Text | None = None
    vcs_pull_request_url: Text | None = None
    vcs_repo_url: Text | None = None
    workspace_working_directory: Text | None = None

    @property
    def takes_outcomes(self) -> bool:
        """Whether outcomes may be sent."""
        return any(
            one is not None and one.outcomes for one in (self.capabilities, self.capabilitites)
        )

    def proves(self) -> Operator | None:
        """Return who started the run, for a request that is signed; ``None`` where nobody is named.

        Whoever has the HMAC key vouches for it: HCP Terraform, by the host that is answered.
        """
        if not self.run_created_by or not (name := clean(self.run_created_by)):
            return None
        origin = urlsplit(self.task_result_callback_url)
        return Operator(
            name=name,
            source="run-task",
            verified=True,
            issuer=f"{origin.scheme}://{origin.netloc}",
            subject=name,
            claims={"organization_name": clean(self.organization_name), "run_id": self.run_id},
            token_id=self.task_result_id,
        )

    def without_token(self) -> bytes:
        """Return the request as it is kept: JSON, with a dash where the token was."""
        return msgspec.json.encode(msgspec.structs.replace(self, access_token="-"))  # noqa: S106


class _Peek(msgspec.Struct):
    access_token: str | None = None


def is_verification(body: bytes) -> bool:
    """Whether this is the request that creating a task sends; its other fields are made up."""
    try:
        return msgspec.json.decode(body, type=_Peek).access_token == VERIFICATION_TOKEN
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False


def read_task(body: bytes) -> RunTask:
    """Read a request. Raises ``PayloadError``, whose text has no value out of the body."""
    try:
        task = msgspec.json.decode(body, type=RunTask)
    except msgspec.ValidationError as error:
        raise PayloadError(f"The body is not a run task request: {_place(error)}.") from None
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        raise PayloadError("The body is not JSON.") from None
    if task.stage in (Stage.POST_PLAN, Stage.PRE_APPLY) and task.plan_json_api_url is None:
        raise PayloadError(f"A {task.stage} request must have plan_json_api_url.")
    return task


def _place(error: msgspec.ValidationError) -> str:
    """Return what is wrong without the value: msgspec quotes unknown words of an enumeration."""
    text = str(error)
    if text.startswith("Invalid enum value"):
        return "unknown word" + text[text.rfind(" - at") :] if " - at" in text else "unknown word"
    return text


def read_kept(data: bytes) -> RunTask:
    """Read a request as it was kept."""
    return msgspec.json.decode(data, type=RunTask)


# What goes to an evaluation and what comes back: plain values, for they cross a process.


class Job(msgspec.Struct, frozen=True):
    """One evaluation. The plan, archive or state comes beside it, as an open file."""

    policy: int
    """Number of the policy."""
    stage: Stage
    workspace: str
    operator: str
    """Who started the run, as the request says."""
    folder: str
    """A private folder that belongs to this job."""
    now: float
    """Seconds since the epoch."""
    run_id: str
    facts: dict[str, Any]
    working_directory: str | None = None
    commit: str | None = None
    decision_id: str | None = None
    """The decision whose obligations are to be checked, after the apply."""
    configuration_bytes: int = 0
    seconds: int = 300
    memory_bytes: int = 0
    has_file: bool = True
    proven: Operator | None = None
    """The same, where the request is signed."""


class Finding(msgspec.Struct, frozen=True, omit_defaults=True):
    """One outcome, as it is sent back: bounded, and nothing in it is markup."""

    id: str
    description: str
    body: str
    """Markdown."""
    status: str
    severity: str
    level: str
    """``none``, ``info``, ``warning`` or ``error``."""


class Evaluation(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of a job."""

    passed: bool
    message: str
    decision_id: str | None = None
    undecided: bool = False
    plan_sha256: str | None = None
    obligations: int = 0
    findings: tuple[Finding, ...] = ()
    left_out: int = 0
    """Findings beyond the limit."""
    page: str | None = None
    """HTML."""


# Messages over a stream socket: four bytes of length, then as many bytes.


MAX_MESSAGE = 256 * 1024**2


def send(connection: socket.socket, message: bytes) -> None:
    """Send one message."""
    connection.sendall(struct.pack(">I", len(message)) + message)


def receive(connection: socket.socket) -> bytes:
    """Receive one message. Raises ``EOFError`` where the other side ended before."""
    (length,) = struct.unpack(">I", _exactly(connection, 4))
    if length > MAX_MESSAGE:
        raise EOFError
    return _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    data = bytearray()
    while len(data) < length:
        piece = connection.recv(min(length - len(data), 1 << 20))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)
