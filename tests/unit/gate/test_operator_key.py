"""A person at a terminal: an SSH key signs a fresh challenge, by the real ssh-keygen."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from tests.support.judging import Bench, plan_json
from tests.support.parts import require_part
from tests.support.signing import new_key, signer
from tfgate.audit import signing
from tfgate.errors import IdentityError
from tfgate.gate.check import check
from tfgate.model.decision import Decision, Verdict

if TYPE_CHECKING:
    from pathlib import Path

NAMESPACE = 'namespaces="tfgate-operator"'


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A gate that knows olga's key."""
    found = Bench(tmp_path)
    new_key(tmp_path, "olga")
    people = signer("olga@acme.example,olga", tmp_path / "olga", NAMESPACE)
    found.write("people", people)
    found.config('[identity]\nallowed_signers = "people"\n')
    return found


def use(bench: Bench, key: str | None = "olga", **changes: Any) -> Decision:
    """Check the plan as whoever has the key."""
    path = None if key is None else str(bench.folder / key)
    bench.plan(plan_json())
    return check(replace(bench.request, identity_key=path, **changes)).decision


def test_whose_key_it_is_is_who_asks(bench: Bench) -> None:
    """On record with the key, whatever a flag says."""
    operator = use(bench, operator="somebody-else").operator
    assert (operator.name, operator.verified) == ("olga@acme.example", True)
    facts = bench.records()[-1]["operator_facts"]
    assert facts["source"] == facts["issuer"] == "ssh"
    assert facts["subject"] == "olga@acme.example"
    assert facts["key_id"].startswith("SHA256:")
    assert facts["claims"] == {"principals": ["olga@acme.example", "olga"]}


def test_a_key_in_the_agent(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """Named by its public half."""
    agent = require_part("ssh-agent")
    socket = bench.folder / "agent"
    running = subprocess.Popen([agent, "-D", "-a", str(socket)], stdout=subprocess.PIPE)
    try:
        assert running.stdout is not None
        running.stdout.readline()
        monkeypatch.setenv("SSH_AUTH_SOCK", str(socket))
        subprocess.run(["ssh-add", "-q", str(bench.folder / "olga")], check=True)
        (bench.folder / "olga").unlink()
        assert use(bench, "olga.pub").operator.verified
    finally:
        running.terminate()
        running.communicate()


@pytest.mark.parametrize(
    ("people", "why"),
    [
        ("", "proves nobody"),
        (f'olga {NAMESPACE},valid-before="20200101Z" ', "proves nobody"),
        ('olga namespaces="tfgate" ', "proves nobody"),
        (f"*@acme.example {NAMESPACE} ", "a pattern, and no name"),
    ],
)
def test_what_proves_nobody_is_no_claim_either(bench: Bench, people: str, why: str) -> None:
    """Whoever names a key means it: nothing is decided in their name otherwise, and that is said.

    A key that only approves, or whose time is over, does not say who asks.
    """
    public = (bench.folder / "olga.pub").read_text()
    bench.write("people", f"{people}{public}" if people else signer("b", bench.bob, NAMESPACE))
    with pytest.raises(IdentityError, match=why):
        use(bench)
    assert bench.records()[-1]["event"] == "undecided"


def test_a_file_that_everybody_may_write_proves_nothing(bench: Bench) -> None:
    """Anybody could add a key."""
    (bench.folder / "people").chmod(0o666)
    with pytest.raises(IdentityError, match="Everybody may write"):
        use(bench)


def test_a_gate_without_the_file_takes_no_key(tmp_path: Path) -> None:
    """It says what is missing."""
    bench = Bench(tmp_path)
    with pytest.raises(IdentityError, match="names no allowed signers file"):
        use(bench, "alice")


def test_a_key_that_cannot_sign(bench: Bench) -> None:
    """A missing file, or one behind a passphrase that nobody can be asked for."""
    with pytest.raises(IdentityError, match="cannot sign"):
        use(bench, "nobody")
    keygen = require_part("ssh-keygen")
    path = str(bench.folder / "locked")
    subprocess.run([keygen, "-q", "-t", "ed25519", "-N", "secret", "-f", path], check=True)
    with pytest.raises(IdentityError, match="cannot sign"):
        use(bench, "locked")


def test_each_challenge_is_new_and_names_the_plan(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signature of yesterday, or for another plan, proves nothing today."""
    signed: list[bytes] = []
    real = signing.sign

    def sign(data: bytes, key: str, namespace: str) -> str:
        signed.append(data)
        return real(signed[0], key, namespace) if len(signed) > 2 else real(data, key, namespace)

    monkeypatch.setattr(signing, "sign", sign)
    plan = use(bench).plan.json_sha256
    use(bench)
    assert signed[0] != signed[1]
    assert all(plan.encode() in data for data in signed)
    with pytest.raises(IdentityError, match="does not fit what is signed"):
        use(bench)


def test_a_gate_that_needs_proof_takes_the_key_for_it(bench: Bench) -> None:
    """Without it nothing is decided."""
    text = (bench.folder / "tfgate.toml").read_text()
    bench.write(
        "tfgate.toml", text.replace("[gate]\n", "[gate]\nrequire_verified_operator = true\n")
    )
    with pytest.raises(IdentityError, match="It is not proven who asks"):
        use(bench, None)
    assert use(bench).operator.verified


def test_nobody_approves_what_they_ask_for_by_the_same_key(bench: Bench) -> None:
    """Whatever the two files call the key's owner."""
    approval = bench.approve(bench.alice)
    names = signer("somebody@acme.example", bench.alice, NAMESPACE)
    bench.write("people", names + signer("olga", bench.folder / "olga", NAMESPACE))
    assert use(bench, "olga", approvals=(str(approval),)).verdict is Verdict.ALLOW
    decision = use(bench, "alice", approvals=(str(approval),))
    assert decision.verdict is Verdict.DENY
    assert any("is the operator" in warning for warning in decision.warnings)
    bench.write("people", signer("x@acme.example,alice", bench.folder / "olga", NAMESPACE))
    assert use(bench, "olga", approvals=(str(approval),)).verdict is Verdict.DENY
