"""Parsing many files: the cache, the parser's tables, a second process."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

from tfgate.hcl import Cache, grammar, reading, worker
from tfgate.hcl.lexical import ScanError
from tfgate.hcl.prepass import plain
from tfgate.hcl.reading import read_shapes

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "hunter2-hunter2"
TEXT = f'resource "x" "y" {{\n  password = "{SECRET}"\n  (a) = 1\n}}\n'.replace("  (a) = 1\n", "")


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """An empty cache."""
    found = Cache.of({"XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert found is not None
    return found


def entries(cache: Cache) -> list[Path]:
    return sorted(cache.directory.iterdir())


def test_what_was_parsed_once_is_not_parsed_again(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second reading needs no parser."""
    first = read_shapes([TEXT], cache=cache)
    monkeypatch.setattr(reading, "_Parsing", None)
    assert read_shapes([TEXT], cache=cache) == first
    assert first[0].bodies


def test_no_text_of_a_source_is_in_the_cache(cache: Cache) -> None:
    """Neither literals nor names."""
    read_shapes([TEXT], cache=cache)
    kept = b"".join(path.read_bytes() for path in entries(cache))
    assert SECRET.encode() not in kept
    assert b"password" not in kept


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX modes")
def test_the_cache_is_this_users_alone(cache: Cache, tmp_path: Path) -> None:
    """Directory and entries are closed to others; one that is open is not used."""
    cache.write("a", b"1")
    assert cache.directory.stat().st_mode & 0o777 == 0o700
    assert (cache.directory / "a").stat().st_mode & 0o777 == 0o600
    assert cache.read("a") == b"1"
    cache.directory.chmod(0o777)
    again = Cache(cache.directory)
    again.write("b", b"2")
    assert again.read("a") is None
    cache.directory.chmod(0o700)
    assert not (cache.directory / "b").exists()
    link = tmp_path / "link"
    link.symlink_to(cache.directory)
    assert Cache(link).read("a") is None


@pytest.mark.parametrize("content", [b"", b"\xff", b"\x81\xa1a\x01", b"x" * 100])
def test_a_foreign_entry_is_not_believed(cache: Cache, content: bytes) -> None:
    """Whatever stands in an entry, the file is parsed then."""
    expected = read_shapes([TEXT], cache=cache)
    for path in entries(cache):
        path.write_bytes(content)
    assert read_shapes([TEXT], cache=cache) == expected


@pytest.mark.skipif(sys.platform == "win32", reason="links and FIFOs of POSIX systems")
def test_an_entry_that_is_no_file_is_not_opened(cache: Cache, tmp_path: Path) -> None:
    """A FIFO would wait for ever; a link may lead anywhere."""
    cache.write("a", b"1")
    os.mkfifo(cache.directory / "fifo")
    (tmp_path / "target").write_bytes(b"2")
    (cache.directory / "link").symlink_to(tmp_path / "target")
    assert cache.read("fifo") is None
    assert cache.read("link") is None


def test_a_cache_that_cannot_be_written_is_no_error(tmp_path: Path) -> None:
    """It is slower, and that is all."""
    (tmp_path / "file").write_text("")
    cache = Cache(tmp_path / "file" / "below")
    assert read_shapes([TEXT], cache=cache) == read_shapes([TEXT], cache=None)


@pytest.mark.parametrize(
    ("environ", "place"),
    [
        ({"XDG_CACHE_HOME": "/a"}, "/a/tfgate/hcl"),
        ({"XDG_CACHE_HOME": "a", "HOME": "/h"}, "/h/.cache/tfgate/hcl"),
        ({"HOME": "/h"}, "/h/.cache/tfgate/hcl"),
        ({"HOME": "h"}, None),
        ({}, None),
    ],
)
def test_the_cache_is_where_the_environment_says(
    environ: dict[str, str], place: str | None
) -> None:
    """Absolute paths alone, as the XDG specification asks."""
    found = Cache.of(environ)
    assert (None if found is None else found.directory.as_posix()) == place


def test_the_parsers_tables_are_kept(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """Made from kept tables, it parses as one that was built; broken ones are built anew."""
    monkeypatch.setattr(grammar, "_made", [])
    built, _ = grammar.parser(cache)
    (path,) = entries(cache)
    grammar._made.clear()
    kept, _ = grammar.parser(cache)
    assert kept is not built
    text = "a = [1, f(x), { b = c ? d : e }]\nf {\n}\n"
    assert kept.parse(text) == built.parse(text)
    path.write_bytes(path.read_bytes()[:1000])
    grammar._made.clear()
    again, _ = grammar.parser(cache)
    assert again.parse(text) == built.parse(text)


def test_two_processes_read_as_one(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the same order, and with progress for every file."""
    monkeypatch.setattr(reading, "WORTH_A_PROCESS", 1)
    texts = [f'resource "x" "y{number}" {{\n  a = {number}\n}}\n' for number in range(8)]
    seen: list[tuple[int, int]] = []
    both = read_shapes(
        texts, cache=cache, processes=2, progress=lambda done, of: seen.append((done, of))
    )
    assert both == read_shapes(texts, cache=None)
    assert seen == [(number + 1, 8) for number in range(8)]


@pytest.mark.parametrize("program", ["raise SystemExit(1)", "print('no shapes')", "import gone"])
def test_a_process_that_fails_costs_time_alone(
    cache: Cache, monkeypatch: pytest.MonkeyPatch, program: str
) -> None:
    """Its share is read here."""
    monkeypatch.setattr(reading, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(worker, "_PROGRAM", program)
    assert read_shapes([TEXT, TEXT + "\n"], cache=None, processes=2) == read_shapes(
        [TEXT, TEXT + "\n"], cache=None
    )


def test_a_process_that_cannot_be_started_costs_time_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A sandbox may allow none."""
    monkeypatch.setattr(reading, "WORTH_A_PROCESS", 1)
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    assert len(read_shapes([TEXT, TEXT + "\n"], cache=None, processes=2)) == 2


def test_the_second_process_takes_nothing_from_the_working_directory(
    cache: Cache, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The author of a change controls it."""
    marker = tmp_path / "ran"
    for name in ("json", "msgspec", "lark", "tfgate", "hcl2"):
        (tmp_path / f"{name}.py").write_text(f"open({str(marker)!r}, 'w')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(reading, "WORTH_A_PROCESS", 1)
    read_shapes([TEXT, TEXT + "\n"], cache=cache, processes=2)
    assert not marker.exists()


@pytest.mark.parametrize(
    "text",
    ['a = "b" # c\n', "a = <<E\nx\nE\n", 'a""b{}\n', "é = 1\n", "a = 1 /* b\n*/ + 2\n", "a = '\n"],
)
def test_the_rewritten_text_is_as_long(text: str) -> None:
    """So that its offsets are those of the text."""
    assert len(plain(text).text) == len(text)


def test_what_is_no_hcl_is_not_rewritten() -> None:
    """The scanner's error comes through."""
    with pytest.raises(ScanError):
        plain('a = "')
