"""The parts of the gate around apply, each by itself."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tfgate.audit.scratch import OWNER, remove_orphans
from tfgate.errors import TfgateError, UsageError
from tfgate.gate.exec import install_shims, shim_directories, shim_script
from tfgate.gate.plan_copy import (
    VARIABLE,
    InDirectory,
    InMemory,
    Interrupted,
    Interrupts,
    is_unchanged,
    plan_place,
    private_directory,
)
from tfgate.gate.terraform_apply import MOST, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator


def event(kind: str, **more: Any) -> bytes:
    """Return one line of Terraform's machine-readable output."""
    return json.dumps({"type": kind, "@message": "…", **more}).encode() + b"\n"


def hook(address: str, action: str = "create") -> dict[str, Any]:
    """Return the part of an event that names a resource."""
    return {"resource": {"addr": address}, "action": action, "id_value": "CANARY"}


STREAM = (
    event("version")
    + event("change_summary", changes={"add": 2, "operation": "plan"})
    + event("apply_complete", hook=hook("a.b"))
    + event("apply_errored", hook=hook("a.c"))
    + event("change_summary", changes={"add": 1, "change": 0, "operation": "apply"})
)


@given(st.lists(st.integers(1, 80), max_size=20))
def test_progress_in_any_pieces(cuts: list[int]) -> None:
    """However the stream is cut, the facts are the same, and hold addresses alone."""
    progress, rest = Progress(), STREAM
    for cut in cuts:
        progress.feed(rest[:cut])
        rest = rest[cut:]
    progress.feed(rest)
    assert progress.facts() == {
        "reported_by": "terraform",
        "summary": {"add": 1, "change": 0, "operation": "apply"},
        "applied": [{"address": "a.b", "action": "create"}],
        "failed": [{"address": "a.c", "action": "create"}],
        "left_out": 0,
    }


@given(st.binary(max_size=200))
def test_progress_survives_anything(data: bytes) -> None:
    """What is no event of Terraform's is passed over."""
    progress = Progress()
    progress.feed(data + b'\n{"type": "apply_complete", "hook": [1]}\n"apply_complete"\n')
    progress.feed(b'{"type": "change_summary", "changes": {"add": [1]}}\n')
    assert progress.facts()["applied"] == []


def test_progress_is_bounded() -> None:
    """Of very many resources the rest is counted."""
    progress = Progress()
    for number in range(MOST + 3):
        progress.feed(event("apply_complete", hook=hook(f"a.b[{number}]")))
    assert len(progress.facts()["applied"]) == MOST
    assert progress.facts()["left_out"] == 3


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let private directories be made in a directory of the test."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    return tmp_path


def test_private_directory(temporary: Path) -> None:
    """Nobody but the owner can enter it, and it is gone afterwards, copy and all."""
    with Interrupts() as interrupts, private_directory(interrupts) as directory:
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        copy = InDirectory(directory).keep(b"plan")
        assert stat.S_IMODE(copy.stat().st_mode) == 0o400
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_private_directory_after_a_signal(temporary: Path, number: signal.Signals) -> None:
    """A signal ends what is in the block, and the directory is removed."""
    before = signal.getsignal(number)
    with (  # noqa: PT012 - the directory must be there when the signal comes
        pytest.raises(Interrupted),
        Interrupts() as interrupts,
        private_directory(interrupts) as directory,
    ):
        InDirectory(directory).keep(b"plan")
        os.kill(os.getpid(), number)
    assert list(temporary.iterdir()) == []
    assert signal.getsignal(number) is before


def test_held_signals_are_noted() -> None:
    """Within ``held`` a signal raises nothing, and is not forgotten."""
    with Interrupts() as interrupts:
        with interrupts.held():
            os.kill(os.getpid(), signal.SIGTERM)
            assert interrupts.noted == [signal.SIGTERM]
        with pytest.raises(Interrupted):
            os.kill(os.getpid(), signal.SIGINT)


def test_copy_is_never_written_over(tmp_path: Path) -> None:
    """A file or link that somebody put in the copy's place is not followed."""
    (tmp_path / "plan.tfplan").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(TfgateError, match="cannot be written"):
        InDirectory(tmp_path).keep(b"plan")
    assert not (tmp_path / "elsewhere").exists()


def test_changed_copy_is_told(tmp_path: Path) -> None:
    """Other bytes, or none, are not what was judged."""
    copy = InDirectory(tmp_path).keep(b"plan")
    assert not is_unchanged(copy, hashlib.sha256(b"another").hexdigest())
    assert is_unchanged(copy, hashlib.sha256(b"plan").hexdigest())
    copy.unlink()
    assert not is_unchanged(copy, hashlib.sha256(b"plan").hexdigest())


def test_what_a_killed_process_left_is_removed(temporary: Path) -> None:
    """A directory whose maker is dead goes with the next one made; one in use stays."""
    program = (
        "import os, signal; from tfgate.gate.plan_copy import Interrupts; "
        "from tfgate.gate.plan_copy import private_directory; "
        "from tfgate.gate.plan_copy import InDirectory; "
        "block = private_directory(Interrupts()); directory = block.__enter__(); "
        "InDirectory(directory).keep(b'plan'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    env = {**os.environ, "TMPDIR": str(temporary), "PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], env=env, check=False)
    (orphan,) = temporary.iterdir()
    assert (orphan / "plan.tfplan").read_bytes() == b"plan"
    with Interrupts() as interrupts, private_directory(interrupts) as directory:
        assert list(temporary.iterdir()) == [directory]
        remove_orphans(temporary)
        assert list(temporary.iterdir()) == [directory]


def test_only_private_directories_are_removed(temporary: Path) -> None:
    """Files, links, pipes and directories without a lock of tfgate's are left alone."""
    (temporary / "tfgate-file").touch()
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / OWNER).touch()
    (temporary / "tfgate-link").symlink_to(elsewhere)
    (temporary / "tfgate-notes").mkdir()
    (temporary / "tfgate-pipe").mkdir()
    os.mkfifo(temporary / "tfgate-pipe" / OWNER)
    (temporary / "tfgate-linked").mkdir()
    (temporary / "tfgate-linked" / OWNER).symlink_to(elsewhere / OWNER)
    before = sorted(temporary.rglob("*"))
    remove_orphans(temporary)
    left = sorted(temporary.rglob("*"))
    assert [path for path in before if path not in left] == []


@pytest.fixture
def memory() -> Iterator[InMemory]:
    """Yield a place in memory."""
    if not hasattr(os, "memfd_create"):
        pytest.skip("This test needs files without a name (memfd_create), which Linux has.")
    place = InMemory()
    yield place
    place.close()


def test_copy_in_memory_is_sealed(memory: InMemory) -> None:
    """Another process reads the copy by its path, and no process changes it, root neither."""
    copy = memory.keep(b"plan")
    assert subprocess.run(["cat", copy], capture_output=True, check=True).stdout == b"plan"
    changed = subprocess.run(["sh", "-c", f"echo x > {copy}"], capture_output=True, check=False)
    assert changed.returncode != 0
    assert b"not permitted" in changed.stderr
    assert is_unchanged(copy, hashlib.sha256(b"plan").hexdigest())


def test_a_program_writes_to_memory(memory: InMemory) -> None:
    """A plan that Terraform writes never touches a disk; where it writes none, that is told."""
    path = memory.blank()
    subprocess.run(["sh", "-c", f"printf plan > {path}"], check=True)
    assert memory.take(path) == b"plan"
    assert memory.take(memory.blank()) == b""


def test_where_the_copy_lies(temporary: Path) -> None:
    """In memory, unless that is asked otherwise or cannot be had; nothing is left of either."""
    with Interrupts() as interrupts:
        with plan_place(interrupts, {}) as place:
            copy = place.keep(b"plan")
            assert copy.read_bytes() == b"plan"
            assert isinstance(place, InMemory) == hasattr(os, "memfd_create")
        assert not copy.exists()
        with plan_place(interrupts, {VARIABLE: "directory"}) as place:
            copy = place.keep(b"plan")
            assert copy.parent.parent == temporary
        with (
            pytest.raises(UsageError, match="memory or directory"),
            plan_place(interrupts, {VARIABLE: "cloud"}),
        ):
            pass
    assert list(temporary.iterdir()) == []


def test_no_proc(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where other processes could not open the file in memory, a directory takes its place."""
    monkeypatch.setattr("tfgate.gate.plan_copy.os.getpid", lambda: 2**30)
    with Interrupts() as interrupts, plan_place(interrupts, {}) as place:
        assert place.keep(b"plan").parent.parent == temporary
    assert list(temporary.iterdir()) == []


@pytest.mark.parametrize("name", ["terraform", "tofu"])
def test_shim_is_plain_shell(name: str) -> None:
    """The stand-in is a script that a POSIX shell reads; options are quoted."""
    text = shim_script(name, ["--config=/a b/'c'.toml"])
    subprocess.run(["sh", "-n"], input=text.encode(), check=True)
    assert f"exec -- {name}" not in text.split("gate()")[0]
    assert "'--config=/a b/'\"'\"'c'\"'\"'.toml'" in text


def test_shim_passes_on(tmp_path: Path) -> None:
    """The next program of its name on PATH gets every argument; other stand-ins are passed over."""
    install_shims(tmp_path / "shims")
    install_shims(tmp_path / "more shims")
    real = tmp_path / "real dir"
    real.mkdir()
    (real / "terraform").write_text('#!/bin/sh\nprintf "[%s]" "$0" "$@"; exit 5\n')
    (real / "terraform").chmod(0o755)
    path = f"{tmp_path}/shims:.:{tmp_path}/more shims::{real}:/usr/bin:/bin"
    done = subprocess.run(
        [tmp_path / "shims" / "terraform", "plan", "a b", "*", ""],
        env={"PATH": path}, capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (5, "")
    assert done.stdout == f"[{real}/terraform][plan][a b][*][]"
    found = shim_directories({"PATH": path})
    assert found == [tmp_path / "shims", Path(f"{tmp_path}/more shims")]


def test_shim_without_anything_behind_it(tmp_path: Path) -> None:
    """With nothing behind it the stand-in ends as a shell does where there is no program."""
    install_shims(tmp_path)
    done = subprocess.run(
        [tmp_path / "tofu", "version"],
        env={"PATH": f"{tmp_path}:/nowhere"}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 127
    assert "no tofu on PATH behind this stand-in" in done.stderr
