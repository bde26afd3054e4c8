"""``tfgate approve --from``: an approval for each reviewer whose review counts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from tfgate.approvals import github, gitlab
from tfgate.approvals.reviews import Asked, counted
from tfgate.audit.signing import PROXIED_APPROVALS
from tfgate.errors import UsageError
from tfgate.gate.approvals import PAYLOAD_TYPE
from tfgate.gate.documents import seal
from tfgate.model.approval import ProvenApprover
from tfgate.model.decision import Review
from tfgate.model.text import any_glob

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tfgate.approvals.reviews import Change, Counted
    from tfgate.model.approval import ApprovalRequest, ApprovalStatement
    from tfgate.ruleset import GateConfig

READERS: Final[Mapping[str, Callable[[Asked], Change]]] = {
    "github": github.read,
    "gitlab": gitlab.read,
}
_TOKENS: Final = {
    "github": ("TFGATE_REVIEW_TOKEN", "GITHUB_TOKEN", "GH_TOKEN"),
    "gitlab": ("TFGATE_REVIEW_TOKEN", "GITLAB_TOKEN"),
}
_REPOSITORIES: Final = {
    "github": ("GITHUB_REPOSITORY",),
    "gitlab": ("CI_MERGE_REQUEST_PROJECT_PATH", "CI_PROJECT_PATH"),
}
_COMMIT: Final = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}", re.ASCII)
_PATH: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*(?:/[A-Za-z0-9_][A-Za-z0-9_.-]*)+", re.ASCII)


def what_to_ask(
    system: str,
    request: ApprovalRequest,
    config: GateConfig,
    env: Mapping[str, str],
    *,
    repository: str | None,
    change: int | None,
) -> Asked:
    """Return where the reviews of a request are. Raises ``UsageError`` where that is not known."""
    table = config.reviews.get(system)
    if table is None:
        raise UsageError(
            f"The configuration has no [approvals.{system}], which says whose reviews count.",
            hint="See docs/approvals.md.",
        )
    if request.break_glass:
        raise UsageError("A review breaks no glass: two people sign that with their own keys.")
    if request.commit is None or not _COMMIT.fullmatch(request.commit):
        raise UsageError(
            "The request does not say which commit was planned, so no review is known to be of it.",
            hint="Plan and check in a checkout of git without uncommitted changes.",
        )
    path = repository or _first(env, _REPOSITORIES[system])
    if path is None or not _PATH.fullmatch(path):
        raise UsageError(
            "It is not known in which repository the reviews are.",
            hint="Name it with --repository.",
        )
    if not any_glob(table.repositories)(path):
        raise UsageError(
            f"Reviews in {path} do not count.", hint=f"See repositories in [approvals.{system}]."
        )
    token = _first(env, _TOKENS[system])
    if token is None or not (token.isascii() and token.isprintable()):
        raise UsageError(
            "There is no token to read reviews with.",
            hint=f"Hand one over in {' or '.join(_TOKENS[system])}.",
        )
    return Asked(table, path, change, request.commit, token, env)


def _first(env: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((env[name].strip() for name in names if env.get(name, "").strip()), None)


def review_statements(
    system: str, asked: Asked, statement: ApprovalStatement
) -> tuple[list[ApprovalStatement], list[str]]:
    """Return ``statement`` for each reviewer who counts, and a sentence for each who does not.

    Raises ``TfgateError`` where the reviews cannot be read.
    """
    change = READERS[system](asked)
    found, left = counted(change, statement.request, asked.table)
    return [*_statements(system, asked, change, found, statement)], left


def _statements(
    system: str, asked: Asked, change: Change, found: list[Counted], statement: ApprovalStatement
) -> Iterator[ApprovalStatement]:
    for one in found:
        review = Review(
            system=system,  # type: ignore[arg-type] # the two that READERS has
            repository=asked.repository,
            change=change.number,
            id=one.by.review,
            commit=asked.commit,
            head=change.head,
            given=one.by.given,
            teams=one.teams,
            code_owner=one.code_owner,
        )
        approver = ProvenApprover(
            names=(one.by.login,),
            issuer=asked.table.url,
            subject=str(one.by.id),
            source=system,
            where=one.by.url,
            review=review,
        )
        yield replace(statement, approver=approver)


def sign_for(statement: ApprovalStatement, key: str) -> bytes:
    """Sign an approval for the person it names. Raises ``AuditError`` if that fails."""
    payload = msgspec.json.encode(statement, order="sorted")
    return seal(payload, PAYLOAD_TYPE, key, PROXIED_APPROVALS)
