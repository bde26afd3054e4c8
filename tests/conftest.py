"""What holds for all tests: Hypothesis' effort, and no state outside the test's own folder."""

from __future__ import annotations

import contextlib
import os
import signal

import pytest
from hypothesis import HealthCheck, settings

# A run in the background inherits that Ctrl-C, or the end of the terminal, is ignored, and so would
# the programs under test.
with contextlib.suppress(ValueError):  # not in the main thread
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
        signal.signal(signal.SIGHUP, signal.SIG_DFL)

settings.register_profile(
    "tfgate",
    max_examples=int(os.environ.get("TFGATE_HYPOTHESIS_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tfgate")


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
