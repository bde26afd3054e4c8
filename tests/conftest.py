"""What holds for all tests: Hypothesis' effort, no state outside the test's own folder, and what
``--quick`` leaves out."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A run in the background inherits that Ctrl-C, or the end of the terminal, is ignored, and so would
# the programs under test.
with contextlib.suppress(ValueError):  # not in the main thread
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

QUICK_ROOMS = ("golden", "property", "rules", "support", "unit")
"""Folders of tests that ``--quick`` runs."""
QUICK_EXAMPLES = 10
"""Of how many cases over the shipped rules ``--quick`` runs one."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--quick``."""
    parser.addoption(
        "--quick", action="store_true", help="leave out what takes long; the report says what"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Set Hypothesis' effort."""
    examples = "20" if config.getoption("--quick") else "100"
    settings.register_profile(
        "tfgate",
        max_examples=int(os.environ.get("TFGATE_HYPOTHESIS_EXAMPLES", examples)),
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],
    )
    settings.load_profile("tfgate")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out whole folders with ``--quick``."""
    room = collection_path.parent == Path(__file__).parent and collection_path.is_dir()
    return True if room and config.getoption("--quick") and not _is_quick(collection_path) else None


def _is_quick(room: Path) -> bool:
    return room.name in QUICK_ROOMS


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out single tests with ``--quick``."""
    if not config.getoption("--quick"):
        return
    rules = [item for item in items if item.path.parent.name == "rules"]
    sampled = {id(item) for item in rules[::QUICK_EXAMPLES]} | {
        id(item) for item in items if item.path.parent.name != "rules"
    }
    slow = ("slow", "terraform", "aws_provider")
    kept = [
        item
        for item in items
        if id(item) in sampled and not any(item.get_closest_marker(name) for name in slow)
    ]
    config.hook.pytest_deselected(items=[item for item in items if item not in set(kept)])
    items[:] = kept


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what ``--quick`` left out."""
    if config.getoption("--quick"):
        rooms = sorted(
            path.name
            for path in Path(__file__).parent.iterdir()
            if path.is_dir() and not path.name.startswith("_") and not _is_quick(path)
        )
        terminalreporter.write_line(
            f"Left out by --quick: tests/{{{','.join(rooms)}}}; tests marked slow or terraform;"
            f" {QUICK_EXAMPLES - 1} of {QUICK_EXAMPLES} cases over the shipped rules; 4 of 5"
            " Hypothesis examples. ./scripts/test runs everything."
        )


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name bytes by their length: they may hold the time of day, and ids must not differ."""
    return f"{argname}-of-{len(val)}" if isinstance(val, bytes) else None


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep audit trails, caches and configuration of a test out of the user's own folders."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    for name in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name in [name for name in os.environ if name.startswith(("TFGATE_", "TF_"))]:
        if not name.startswith("TFGATE_TEST_") and name != "TFGATE_HYPOTHESIS_EXAMPLES":
            monkeypatch.delenv(name)
