"""Approvals handed in: found, their signatures checked, and applied to a decision."""

from __future__ import annotations

import datetime as dt
import hashlib
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from tfgate.audit.signing import APPROVALS, PROXIED_APPROVALS
from tfgate.engine.decide import fingerprint
from tfgate.engine.override import (
    ApprovalTerms,
    GlassTerms,
    Need,
    ReviewTerms,
    SignedApproval,
    apply_overrides,
    may_be_overridden,
    may_break_glass,
    missing_people,
    refused_person,
    strictest,
)
from tfgate.errors import UsageError
from tfgate.gate.documents import (
    MAX_DOCUMENT,
    DocumentError,
    decode_json,
    encode_document,
    read_document,
    read_sealed,
    shaped,
    write_document,
)
from tfgate.gate.signers import PossibleSigner, Signers, allowed_signers, possible_signers
from tfgate.model.approval import (
    ApprovalRequest,
    ApprovalStatement,
    ApprovedFinding,
    ApprovedPlan,
    ApprovedWorkspace,
)
from tfgate.model.decision import Approval
from tfgate.model.rule import Enforcement
from tfgate.model.text import any_glob
from tfgate.ruleset import Bind
from tfgate.terraform import detect_authors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tfgate.gate.check import Evaluated
    from tfgate.gate.request import Gathered, Request
    from tfgate.model.decision import Decision, Outcome
    from tfgate.ruleset import GateConfig
    from tfgate.ruleset.config import BreakGlass


PAYLOAD_TYPE = "application/vnd.tfgate.approval+json"
MOST_APPROVALS = 200
"""Files that are looked at; each costs several processes to check."""


def with_approvals(decision: Decision, gathered: Gathered, request: Request) -> Decision:
    """Return the decision with what the approvals of ``request`` let through.

    Raises ``UsageError`` where a file that was named cannot be read, or nobody may approve.
    """
    files = [*approval_files(map(Path, request.approvals))]
    warnings: list[str] = []
    with trusted(gathered.config) as signers:
        read = _Reader(signers, request.now)
        signed = [approval for file in files if (approval := read(file)) is not None]
        warnings += [*read.refused, *signers.warnings]
    terms = terms_of(gathered, request)
    decision = msgspec.structs.replace(decision, warnings=(*decision.warnings, *warnings))
    return apply_overrides(decision, signed, terms)


def approval_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files named, and of folders the ``*.json`` in them, by name.

    What else lies in a folder is passed over: it may be a checkout, or a place for artifacts.
    Raises ``UsageError`` where there are more than ``MOST_APPROVALS``.
    """
    number = 0
    for path in paths:
        for file in _in_folder(path) if path.is_dir() else (path,):
            number += 1
            if number > MOST_APPROVALS:
                raise UsageError(f"There are more than {MOST_APPROVALS} approvals.")
            yield file


def _in_folder(folder: Path) -> Iterator[Path]:
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise UsageError(f"The folder {folder} cannot be read: {error.strerror}.") from None
    for entry in entries:
        if entry.suffix == ".json" and not entry.name.startswith("."):
            if entry.is_symlink() or not entry.is_file():
                continue
            yield entry


class Trusted(NamedTuple):
    """Whose signatures count: those of people, and those of servers that sign for people."""

    people: Signers | None
    servers: Signers | None

    @property
    def warnings(self) -> tuple[str, ...]:
        """What the owner should fix."""
        return tuple(each.warning for each in self if each is not None and each.warning)


@contextmanager
def trusted(config: GateConfig) -> Iterator[Trusted]:
    """Yield copies of the files of ``[approvals]``. Raises ``UsageError``."""
    approvals = config.approvals
    with ExitStack() as stack:

        def opened(file: Path | None, setting: str) -> Signers:
            return stack.enter_context(allowed_signers(file, f"approvals.{setting}"))

        servers = None if approvals.servers is None else opened(approvals.servers, "servers")
        people = None
        if approvals.allowed_signers is not None or servers is None:
            people = opened(approvals.allowed_signers, "allowed_signers")
        yield Trusted(people, servers)


class _Reader:
    """Reads approvals. One that does not count becomes a warning: it lets nothing through."""

    def __init__(self, signers: Trusted, now: dt.datetime) -> None:
        self._signers = signers
        self._now = now
        self.refused: list[str] = []

    def __call__(self, file: Path) -> SignedApproval | None:
        """Return the approval in a file whose signature is good; ``None`` for anything else."""
        data = read_document(file, "approval")
        try:
            return read_approval(data, file.name, self._signers, self._now)
        except DocumentError as error:
            self.refused.append(f"The approval {file.name} does not count: {error}.")
            return None


def read_approval(data: bytes, name: str, signers: Trusted, now: dt.datetime) -> SignedApproval:
    """Read an approval and check its signature. Raises ``DocumentError``.

    One that names its approver is a server's, and no person's key can sign it; one that names
    nobody is a person's own, and no server's key can.
    """
    sealed = read_sealed(data, PAYLOAD_TYPE)
    payload = decode_json(sealed.payload)
    own = not (isinstance(payload, dict) and "approver" in payload)
    file = signers.people if own else signers.servers
    if file is None:
        setting = "approvals.allowed_signers" if own else "approvals.servers"
        raise DocumentError(f"nobody is trusted to sign it: {setting} names no file")
    namespace = APPROVALS if own else PROXIED_APPROVALS
    signer = sealed.signer(signers=file.path, namespace=namespace, now=now)
    statement = shaped(payload, ApprovalStatement)
    proven = statement.approver
    approval = Approval(
        approver=signer.principals[0],
        principals=signer.principals,
        key=signer.key,
        digest=hashlib.sha256(sealed.payload).hexdigest(),
        reason=statement.reason,
        approved=statement.approved,
        expires=statement.expires,
        signers_sha256=file.sha256,
    )
    if not isinstance(proven, msgspec.UnsetType):
        approval = msgspec.structs.replace(
            approval,
            approver=proven.names[0],
            principals=proven.names,
            issuer=proven.issuer,
            subject=proven.subject,
            roles=proven.roles,
            source=proven.source,
            where=proven.where,
            review=None if isinstance(proven.review, msgspec.UnsetType) else proven.review,
        )
    return SignedApproval(statement, approval, name)


def terms_of(gathered: Gathered, request: Request) -> ApprovalTerms:
    """Return what the gate's configuration and the rules ask of approvals."""
    config = gathered.config
    return ApprovalTerms(
        now=request.now,
        bind_to_plan=config.approvals.bind is Bind.PLAN,
        longest=dt.timedelta(hours=config.approvals.max_hours),
        authors=detect_authors(request.env, request.directory),
        roles=config.approval_roles,
        need=needs_of(gathered),
        reviews={
            name: ReviewTerms(
                table.url, table.repositories, frozenset(table.teams), table.code_owners
            )
            for name, table in config.reviews.items()
        },
        glass=glass_terms(config),
    )


def glass_terms(config: GateConfig) -> GlassTerms | None:
    """Return who may break the glass, by the configuration; ``None``: nobody."""
    glass = config.break_glass
    if glass is None:
        return None
    return GlassTerms(glass.approvers, glass.rules, dt.timedelta(hours=glass.max_hours))


def needs_of(gathered: Gathered) -> Callable[[str], Need]:
    """Return what each rule needs, by the configuration, its tables that fit, and the rule."""
    config, workspace = gathered.config, gathered.workspace.name
    rules = {
        compiled.rule.id: compiled.rule
        for ruleset in gathered.effective.rulesets
        for compiled in ruleset.rules
    }
    tables = [need for need in config.approval_needs if any_glob(need.workspaces)(workspace)]

    def need(rule: str) -> Need:
        own = rules.get(rule)
        fitting = [table for table in tables if any_glob(table.rules)(rule)]
        return strictest(
            [
                Need(config.approvals.required),
                Need(1 if own is None else own.approvals),
                *(Need(table.required, frozenset(table.roles)) for table in fitting),
            ]
        )

    return need


# --- The request that approvers are asked with.


def check_asked(request: ApprovalRequest) -> None:
    """Check that a request asks for what can be approved. Raises ``DocumentError``."""
    if not request.findings:
        raise DocumentError("it lists no finding")
    levels = [Enforcement.SOFT_MANDATORY.value]
    if request.break_glass:
        levels.append(Enforcement.HARD_MANDATORY.value)
    for finding in request.findings:
        if finding.enforcement not in levels:
            raise DocumentError(
                f"it lists a finding of the level {_level(finding)}, which no approval lets through"
            )
        # A gate compares every field with its own; an honest request cannot differ here already.
        own = fingerprint(finding.rule, finding.address, finding.deposed, finding.message)
        if own != finding.fingerprint:
            raise DocumentError("the fingerprint of a finding does not fit what it says")


def _level(finding: ApprovedFinding) -> str:
    known = {level.value for level in Enforcement}
    return finding.enforcement if finding.enforcement in known else "(unknown)"


_AROUND = 32 * 1024
"""Bytes of an approval beside the request: the reason (2,000 characters), the signature."""


def prepare_request(evaluated: Evaluated, request: Request) -> ApprovalRequest | str:
    """Return the request for what blocks, or in a sentence why no approval is of use."""
    decision = evaluated.result.decision
    blocking = [outcome for outcome in decision.outcomes if outcome.blocks]
    firm = sorted({outcome.rule for outcome in blocking if not _may_yield(outcome, evaluated)})
    if decision.undecided:
        return "There is nothing to approve: the plan could not be evaluated."
    if not blocking:
        return "There is nothing to approve: nothing blocks this plan."
    if firm:
        names = ", ".join(firm[:3]) + (f" and {len(firm) - 3} more" if len(firm) > 3 else "")
        return f"No approval can let this plan through: {names} would block it all the same."
    asked = request_for(evaluated, request)
    if lacking := _lacking(evaluated, request, asked):
        return f"No approval can let this plan through: {lacking}."
    return asked


def write_request(evaluated: Evaluated, request: Request, path: Path) -> str:
    """Write the request for what blocks, where approvals could let it through; say what was done.

    Raises ``TfgateError`` where it cannot be written.
    """
    asked = prepare_request(evaluated, request)
    if isinstance(asked, str):
        return asked
    write_document(path, encode_document(asked), "approval request")
    done = f"Wrote {path}: whoever may approve signs it with `tfgate approve {path}`."
    if asked.break_glass:
        done = (
            f"Wrote {path}: what blocks is hard-mandatory, so two people must break the glass "
            f"(`tfgate approve {path} --break-glass`)."
        )
    approvals = evaluated.gathered.config.approvals
    if approvals.allowed_signers is None and approvals.servers is None:
        done += " By this configuration nobody may: approvals.allowed_signers names no file."
    return done


def _may_yield(outcome: Outcome, evaluated: Evaluated) -> bool:
    glass = evaluated.gathered.config.break_glass
    broken = glass is not None and may_break_glass(outcome, glass.rules)
    return broken or may_be_overridden(outcome)


def _lacking(evaluated: Evaluated, request: Request, asked: ApprovalRequest) -> str | None:
    """Say in a clause why all who may sign could not let the plan through together.

    Nothing where the configuration does not say who they are, or where certificates and servers
    bring names that nobody knows yet.
    """
    gathered, approvals = evaluated.gathered, evaluated.gathered.config.approvals
    file = approvals.allowed_signers
    if evaluated.result.decision.operator.source == "none":
        return "it is not known who the operator is, who must be somebody else"
    if _sealed_size(asked) > MAX_DOCUMENT:
        return "an approval of so many findings would be larger than 16 MiB, which is not read"
    if file is None or approvals.servers is not None:
        return None
    try:
        with allowed_signers(file, "approvals.allowed_signers") as signers:
            people = possible_signers(signers.path.read_bytes(), APPROVALS, request.now)
    except UsageError as error:
        return f"{error.message[:1].lower()}{error.message[1:]}".rstrip(".")
    if any(one.is_authority for one in people):
        return None
    able = [
        one
        for one in people
        if refused_person(one.names, operators=(asked.operator,), authors=asked.authors) is None
    ]
    if not able:
        return f"{file} names nobody who may sign now and is neither operator nor author"
    if gathered.config.break_glass is not None and asked.break_glass:
        return _lacking_at_glass(people, able, gathered.config.break_glass, file)
    need, roles = needs_of(gathered), gathered.config.approval_roles
    for rule in dict.fromkeys(finding.rule for finding in asked.findings):
        if missing := missing_people(need(rule), able, roles):
            return f"with everybody in {file} who is neither operator nor author, {rule} {missing}"
    return None


def _lacking_at_glass(
    people: Sequence[PossibleSigner], able: Sequence[PossibleSigner], glass: BreakGlass, file: Path
) -> str | None:
    is_named = any_glob(glass.approvers)
    may = [one for one in people if any(is_named(name) for name in one.names)]
    if missing_people(Need(2), may, {}) is None and any(one in may for one in able):
        return None
    return (
        f"{file} does not name two people who may break the glass, one of them neither operator "
        "nor author"
    )


def _sealed_size(asked: ApprovalRequest) -> int:
    """Return about how many bytes an approval has: base64 of the request, and what is around it."""
    return len(msgspec.json.encode(asked)) * 4 // 3 + _AROUND


def request_for(evaluated: Evaluated, request: Request) -> ApprovalRequest:
    """Return the request for every blocking outcome of a decision."""
    decision, config = evaluated.result.decision, evaluated.gathered.config
    run, blocking = decision.run, [outcome for outcome in decision.outcomes if outcome.blocks]
    broken = not all(map(may_be_overridden, blocking))
    hours, bind = config.approvals.max_hours, config.approvals.bind
    if broken and config.break_glass is not None:
        hours, bind = min(hours, config.break_glass.max_hours), Bind.PLAN
    return ApprovalRequest(
        decision_id=evaluated.result.decision_id,
        created=request.now,
        expires=request.now + dt.timedelta(hours=hours),
        bind="plan" if bind is Bind.PLAN else "findings",
        plan=ApprovedPlan(decision.plan.json_sha256, decision.plan.file_sha256),
        workspace=ApprovedWorkspace.of(decision.workspace),
        operator=decision.operator.name,
        authors=detect_authors(request.env, request.directory),
        commit=None if run is None or run.dirty else run.commit,
        findings=tuple(dict.fromkeys(map(ApprovedFinding.of, blocking))),
        break_glass=broken,
    )
