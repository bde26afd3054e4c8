"""Approvals that a server signs for people who have proven to it who they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.support.judging import RULES, Bench
from tests.support.signing import new_key, signer
from tfgate.audit.signing import APPROVALS, PROXIED_APPROVALS
from tfgate.gate.approvals import PAYLOAD_TYPE
from tfgate.gate.check import check
from tfgate.gate.documents import seal
from tfgate.model.approval import ProvenApprover
from tfgate.model.decision import Decision, Verdict

if TYPE_CHECKING:
    from pathlib import Path

ONLY_SERVERS = """
[gate]
rulesets = ["./rules.toml"]
[approvals]
servers = "servers"
[audit]
log = "audit.jsonl"
"""
DORA = ProvenApprover(
    names=("dora@acme.example", "dora"),
    issuer="https://login.acme.example",
    subject="00u-dora",
    roles=("dba",),
    source="browser",
    where="https://gate.acme.example/approvals/1",
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A gate that believes one server, and people with keys of their own."""
    bench = Bench(tmp_path)
    bench.server = new_key(tmp_path, "server")  # type: ignore[attr-defined]
    bench.write("servers", signer("gate.acme.example", bench.server, 'namespaces="tfgate*"'))
    config = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", config.replace("[approvals]", '[approvals]\nservers = "servers"'))
    return bench


def proxied(
    bench: Bench,
    key: Path,
    approver: ProvenApprover | None = DORA,
    *,
    name: str = "s.json",
    namespace: str = PROXIED_APPROVALS,
) -> Path:
    """Write what a holder of ``key`` signs for ``approver``."""
    given: Any = msgspec.UNSET if approver is None else approver
    statement = replace(bench.statement(), approver=given)
    path = bench.folder / name
    payload = msgspec.json.encode(statement, order="sorted")
    path.write_bytes(seal(payload, PAYLOAD_TYPE, key, namespace))
    return path


def use(bench: Bench, *approvals: Path) -> Decision:
    """Check the plan again, with approvals."""
    return check(replace(bench.request, approvals=tuple(map(str, approvals)))).decision


def test_who_approved_is_on_record(bench: Bench) -> None:
    """The record names the person, whose word that is, and the server's key."""
    assert use(bench, proxied(bench, bench.server)).verdict is Verdict.ALLOW
    (override,) = bench.records()[-1]["overrides"]
    assert override["approver"] == "dora@acme.example"
    assert override["principals"] == ["dora@acme.example", "dora"]
    assert (override["issuer"], override["subject"]) == (DORA.issuer, DORA.subject)
    assert (override["roles"], override["source"]) == (["dba"], "browser")
    assert override["key"].startswith("SHA256:")


def test_a_gate_without_keys_of_people(bench: Bench) -> None:
    """A gate may believe servers alone; a person's own signature counts for nothing there."""
    own = bench.approve(bench.alice)
    proven = proxied(bench, bench.server)
    bench.write("tfgate.toml", ONLY_SERVERS)
    assert use(bench, proven).verdict is Verdict.ALLOW
    decision = use(bench, own)
    assert decision.verdict is Verdict.DENY
    assert any("approvals.allowed_signers names no file" in each for each in decision.warnings)


@pytest.mark.parametrize(
    ("key", "approver", "namespace"),
    [
        ("alice", DORA, APPROVALS),
        ("alice", DORA, PROXIED_APPROVALS),
        ("mallory", DORA, PROXIED_APPROVALS),
        ("server", DORA, APPROVALS),
        ("server", None, PROXIED_APPROVALS),
        ("server", None, APPROVALS),
    ],
)
def test_nobody_speaks_for_others_without_being_trusted_to(
    bench: Bench, key: str, approver: ProvenApprover | None, namespace: str
) -> None:
    """A person's key cannot name somebody else, and a server's key is nobody's own."""
    bench.write("approvers", signer("alice@acme.example", bench.alice, 'namespaces="*"'))
    path = proxied(bench, getattr(bench, key), approver, namespace=namespace)
    decision = use(bench, path)
    assert decision.verdict is Verdict.DENY
    assert any("s.json does not count" in each for each in decision.warnings)


def test_a_gate_that_believes_no_server(bench: Bench) -> None:
    """Without approvals.servers no approval counts that names its approver."""
    path = proxied(bench, bench.server)
    config = (bench.folder / "tfgate.toml").read_text()
    bench.write("tfgate.toml", config.replace('servers = "servers"', ""))
    decision = use(bench, path)
    assert decision.verdict is Verdict.DENY
    assert any("approvals.servers names no file" in each for each in decision.warnings)


def test_people_of_one_server_are_counted_one_by_one(bench: Bench) -> None:
    """Two people are two although one key signs for both; one person twice is one."""
    bench.write("rules.toml", RULES.format(level="soft-mandatory", approvals=2))
    first = proxied(bench, bench.server, name="1.json")
    again = replace(DORA, names=("another-name@acme.example",))
    second = proxied(bench, bench.server, again, name="2.json")
    assert use(bench, first, second).verdict is Verdict.DENY
    erin = replace(DORA, names=("erin@acme.example",), subject="00u-erin")
    third = proxied(bench, bench.server, erin, name="3.json")
    assert use(bench, first, third).verdict is Verdict.ALLOW


def test_roles_that_the_server_knows(bench: Bench) -> None:
    """A role that a rule needs is had by who has it by the server's word."""
    bench.config(
        '[approvals.roles]\ndba = ["nobody@acme.example"]\n[[approvals.needs]]\nrules = ["*"]\n'
        'roles = ["dba"]\n'
    )
    without = proxied(bench, bench.server, replace(DORA, roles=()), name="1.json")
    assert use(bench, without).verdict is Verdict.DENY
    assert use(bench, proxied(bench, bench.server, name="2.json")).verdict is Verdict.ALLOW


@pytest.mark.parametrize("names", [("olga@acme.example",), ("dora@acme.example", "Olga")])
def test_the_operator_cannot_approve_in_a_browser(bench: Bench, names: tuple[str, ...]) -> None:
    """Every name of the approver is compared with the operator's."""
    path = proxied(bench, bench.server, replace(DORA, names=names))
    decision = use(bench, path)
    assert decision.verdict is Verdict.DENY
    assert any("nobody approves their own apply" in each for each in decision.warnings)
