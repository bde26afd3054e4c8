"""structlog is imported lean, and a host program never notices."""

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


LEAN = "import sys; from tfgate.audit.lean import structlog; lean = structlog(); "


def test_nothing_costly_is_imported() -> None:
    """Neither rich nor asyncio, which is where structlog's import time goes."""
    costly = "{'rich', 'asyncio', 'pygments', 'ssl'}"
    assert run(f"{LEAN} print(sorted({costly} & set(sys.modules)))") == "[]"


def test_a_host_gets_the_whole_of_structlog() -> None:
    """After tfgate has used its copy, an import gives the full one, with rich."""
    program = f"{LEAN} import structlog; assert structlog is not lean; "
    program += "print(structlog.dev.rich is not None, sys.modules['asyncio'].__name__)"
    assert run(program) in ("True asyncio", "False asyncio")  # rich is the host's choice


def test_a_host_that_has_structlog_shares_it() -> None:
    """There is no second copy where one is there already, and its configuration is kept."""
    program = "import structlog as host; host.configure(processors=[]); "
    program += f"{LEAN} assert lean is host; "
    program += "from tfgate.audit import AuditTrail; import tempfile, pathlib; "
    program += "d = tempfile.mkdtemp(); AuditTrail(d + '/a.jsonl').append('decision', {}); "
    program += "print(host.get_config()['processors'])"
    assert run(program) == "[]"


def test_the_copy_is_whole_where_it_is_used() -> None:
    """asyncio is fetched when something in the copy asks for it."""
    program = f"{LEAN} import io, asyncio; out = io.StringIO(); "
    program += "log = lean.wrap_logger(lean.PrintLogger(out), processors=[lean.processors."
    program += "JSONRenderer()], wrapper_class=lean.make_filtering_bound_logger(0)); "
    program += "asyncio.run(log.ainfo('hi')); print(out.getvalue())"
    assert run(program) == '{"event": "hi"}'


@pytest.mark.parametrize("first", ["import rich, asyncio; ", "import asyncio.subprocess; ", ""])
def test_what_a_host_has_imported_stays(first: str) -> None:
    """Modules that were there before are the same after."""
    program = f"import sys; {first}before = dict(sys.modules); {LEAN}"
    program += "print(all(sys.modules.get(n) is m for n, m in before.items()), "
    program += "any(n.startswith('structlog') for n in sys.modules), len(sys.meta_path))"
    assert run(program).startswith("True False")
