"""structlog's logger is imported by itself, and a host program never notices."""

from __future__ import annotations

import subprocess
import sys

import pytest


def run(program: str) -> str:
    """Run a program in a new interpreter and give what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


LEAN = "import sys; from tfgate.audit.lean import bound_logger; lean = bound_logger(); "


def test_nothing_costly_is_imported() -> None:
    """Neither rich nor asyncio nor logging, which is where structlog's import time goes."""
    costly = "{'rich', 'asyncio', 'pygments', 'ssl', 'logging'}"
    assert run(f"{LEAN} print(sorted({costly} & set(sys.modules)))") == "[]"


def test_a_host_gets_the_whole_of_structlog() -> None:
    """After tfgate has used its copy, an import gives the whole package, its own logger in it."""
    program = f"{LEAN} import structlog; "
    program += "print(structlog.BoundLogger is not lean, structlog.get_logger() is not None)"
    assert run(program) == "True True"


def test_a_host_that_has_structlog_shares_it() -> None:
    """There is no second copy where one is there already, and its configuration is kept."""
    program = "import structlog as host; host.configure(processors=[]); "
    program += f"{LEAN} assert lean is host.BoundLogger; "
    program += "from tfgate.audit import AuditTrail; import tempfile, pathlib; "
    program += "d = tempfile.mkdtemp(); AuditTrail(d + '/a.jsonl').append('decision', {}); "
    program += "print(host.get_config()['processors'])"
    assert run(program) == "[]"


def test_the_logger_is_the_real_one() -> None:
    """It binds, runs its processors in order, and hands the last one's result to what it wraps."""
    program = f"{LEAN} "
    program += "sink = type('Sink', (), {'info': lambda self, text: print(text)})(); "
    program += "log = lean(sink, [lambda l, m, e: {**e, 'n': 1}, lambda l, m, e: repr(e)], {}); "
    program += "log.bind(a=2).info('hi')"
    assert run(program) == "{'a': 2, 'event': 'hi', 'n': 1}"


def test_a_release_that_keeps_it_elsewhere_is_imported_whole() -> None:
    """Where the module is not found by itself, the public name of the whole package serves."""
    program = "import sys; sys.modules['structlog._generic'] = None; "
    program += "import tfgate.audit.lean as lean; alone = lean._import_alone(); "
    program += "sys.modules.pop('structlog._generic', None); "
    program += (
        "import structlog; print(alone is None, lean.bound_logger() is structlog.BoundLogger)"
    )
    assert run(program) == "True True"


@pytest.mark.parametrize("first", ["import rich, asyncio; ", "import asyncio.subprocess; ", ""])
def test_what_a_host_has_imported_stays(first: str) -> None:
    """Modules that were there before are the same after."""
    program = f"import sys; {first}before = dict(sys.modules); {LEAN}"
    program += "print(all(sys.modules.get(n) is m for n, m in before.items()), "
    program += "any(n.startswith('structlog') for n in sys.modules), len(sys.meta_path))"
    assert run(program).startswith("True False")
