"""Files are read whole, however the system hands them out."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

import pytest

from tfgate.ruleset.files import Unreadable, read_bytes

if TYPE_CHECKING:
    from pathlib import Path

_read = os.read


@pytest.mark.parametrize("size", [0, 1, 7, 4096])
def test_a_file_that_comes_in_pieces_is_read_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    """A network file system may give less than it is asked for."""
    path = tmp_path / "f.toml"
    path.write_bytes(bytes(range(256)) * 16 + b"end")
    monkeypatch.setattr(os, "read", lambda handle, most: _read(handle, min(most, size or most)))
    assert read_bytes(path, "f.toml", 10_000) == path.read_bytes()


@pytest.mark.skipif(not os.path.exists("/proc/self/status"), reason="there is no /proc")
def test_a_file_without_a_size_is_read_whole() -> None:
    """Where the system says that a file is empty, it is asked all the same."""
    assert b"\nPPid:" in read_bytes("/proc/self/status", "status", 100_000)


@pytest.mark.parametrize("over", [0, 1, 500])
def test_the_bound_is_what_is_read_at_most(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, over: int
) -> None:
    """A file of as many bytes is taken, one with more is refused, and no more is read of it."""
    path = tmp_path / "f.toml"
    path.write_bytes(b"x" * (100 + over))
    got = 0

    def count(handle: int, most: int) -> bytes:
        nonlocal got
        data = _read(handle, most)
        got += len(data)
        return data

    monkeypatch.setattr(os, "read", count)
    if over:
        with pytest.raises(Unreadable, match="is larger than 100 bytes"):
            read_bytes(path, "f.toml", 100)
    else:
        assert read_bytes(path, "f.toml", 100) == b"x" * 100
    assert got <= 101


def test_a_disk_that_fails_is_a_mistake_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named, and is closed."""
    path = tmp_path / "f.toml"
    path.write_bytes(b"x")
    open_now = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()

    def fail(handle: int, most: int) -> bytes:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(os, "read", fail)
    with pytest.raises(Unreadable) as caught:
        read_bytes(path, "f.toml", 100)
    assert caught.value.problem.file == "f.toml"
    assert caught.value.problem.message == "cannot be read: input/output error"
    if open_now:
        assert set(os.listdir("/proc/self/fd")) == open_now
